/**
 * A stranger who speaks to a listening Tub on a socket of its own, as far into the protocol as a test wants.
 *
 * @module
 */

import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { makeIdentity, type TestIdentity } from "../support/identity.ts";

/** An identity of a Tub that another one is the master of, or that is the master itself. */
export async function identityBeside(tubId: string, role: "master" | "slave"): Promise<TestIdentity> {
  for (;;) {
    const identity = await makeIdentity();
    if ((identity.tubId > tubId) === (role === "master")) return identity;
  }
}

/** A Tub that listens on 127.0.0.1; a `Tub` is one. */
export interface Reachable {
  readonly tubId: string;
  readonly listeners: readonly { readonly port: number }[];
}

/** One connection of the stranger. */
export class Attacker implements Disposable {
  /** Messages for {@linkcode Attacker.flush}; without a vocabulary. */
  readonly encoder: TokenEncoder = new TokenEncoder();
  readonly #raw: net.Socket;
  readonly #tubId: string;
  #socket: net.Socket;
  #received = "";
  #wake = Promise.withResolvers<void>();
  #isOver = false;
  #requests = 0;

  private constructor(raw: net.Socket, tubId: string) {
    this.#raw = this.#socket = raw;
    this.#tubId = tubId;
    this.#listen(raw);
  }

  /** Connects to a Tub's first listener. */
  static async dial(tub: Reachable): Promise<Attacker> {
    const raw = net.connect({ host: "127.0.0.1", port: tub.listeners[0]!.port, noDelay: true });
    const attacker = new Attacker(raw, tub.tubId);
    await new Promise<void>((resolve) => raw.once("connect", resolve));
    return attacker;
  }

  /** Connects and goes as far as into TLS. */
  static async secure(tub: Reachable, identity: TestIdentity | undefined): Promise<Attacker> {
    const attacker = await Attacker.dial(tub);
    attacker.get();
    await attacker.until("\r\n\r\n");
    await attacker.startTls(identity);
    return attacker;
  }

  /** Connects and negotiates to the end, as slave or master. */
  static async join(tub: Reachable, identity: TestIdentity): Promise<Attacker> {
    const attacker = await Attacker.secure(tub, identity);
    await attacker.until("\r\n\r\n");
    attacker.hello(identity.tubId);
    if (identity.tubId > tub.tubId) attacker.send(decision());
    else await attacker.until("banana-decision-version: 3");
    return attacker;
  }

  /** The same for one who has the name of an object, `target`, which is its object 1 then. */
  static async joinWithTarget(tub: Reachable, identity: TestIdentity): Promise<Attacker> {
    const attacker = await Attacker.join(tub, identity);
    await attacker.lookUp("target");
    await attacker.until("/target"); // the end of its FURL
    return attacker;
  }

  /** What has come so far and was not waited for. */
  get received(): string {
    return this.#received;
  }

  /** Whether the Tub, or the test, has ended the connection. */
  get isOver(): boolean {
    return this.#isOver;
  }

  #listen(socket: net.Socket): void {
    const wake = () => {
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    };
    socket.on("data", (chunk: Uint8Array) => {
      for (const byte of chunk) this.#received += String.fromCharCode(byte);
      wake();
    });
    for (const event of ["error", "end", "close"]) {
      socket.on(event, () => {
        this.#isOver = true;
        wake();
      });
    }
  }

  /** Sends text, a character a byte, or bytes. */
  send(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? Uint8Array.from(data, (char) => char.charCodeAt(0)) : data;
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Sends what was encoded. */
  flush(): void {
    for (const part of this.encoder.take()) this.send(part);
  }

  /** Encodes a call; `write` encodes its arguments. */
  call(clid: number, method: string, count: number, write: () => void = () => {}): number {
    const { encoder } = this;
    const request = ++this.#requests;
    const call = encoder.open("call");
    encoder.integer(request);
    encoder.integer(clid);
    encoder.word(method);
    const args = encoder.open("arguments");
    encoder.integer(count);
    write();
    encoder.close(args);
    encoder.close(call);
    return request;
  }

  /** Gets the object of a name: it is object 1 then, if it is the first. */
  async lookUp(name: string): Promise<void> {
    this.call(0, "getReferenceByName", 1, () => this.encoder.word(name));
    this.flush();
    await this.until("my-reference");
  }

  /** Waits for a text, and takes all up to its end. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(text);
      if (at >= 0) {
        const taken = this.#received.slice(0, at + text.length);
        this.#received = this.#received.slice(at + text.length);
        return taken;
      }
      assert(!this.#isOver, `the Tub ended the connection after ${JSON.stringify(this.#received)}`);
      await this.#wake.promise;
    }
  }

  /** Waits for the end of the connection; returns what came before it. */
  async end(): Promise<string> {
    while (!this.#isOver) await this.#wake.promise;
    return this.#received;
  }

  /** Asks for a Tub. */
  get(tubId: string = this.#tubId): void {
    this.send(`GET /id/${tubId} HTTP/1.1\r\nHost: x\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n`);
  }

  /** Goes on in TLS, with a certificate or without. */
  async startTls(identity: TestIdentity | undefined, maxVersion?: "TLSv1.2"): Promise<void> {
    this.#raw.removeAllListeners("data");
    const secure = tls.connect({
      socket: this.#raw,
      rejectUnauthorized: false,
      ...(maxVersion === undefined ? {} : { maxVersion }),
      ...(identity === undefined ? {} : { cert: identity.certPem, key: identity.keyPem }),
    });
    await new Promise<void>((resolve, reject) => {
      secure.once("secureConnect", resolve).once("error", reject).once("close", resolve);
    });
    this.#socket = secure;
    this.#listen(secure);
  }

  /** Says who it is; `more` are lines that are added. */
  hello(tubId: string, more = ""): void {
    this.send(
      "banana-negotiation-range: 3 3\r\ninitial-vocab-table-range: 0 0\r\nmy-incarnation: 0123456789abcdef\r\n" +
        `my-tub-id: ${tubId}\r\n${more}\r\n`,
    );
  }

  /** Vanishes: the other side gets a reset and no goodbye. */
  reset(): void {
    this.#isOver = true;
    this.#raw.resetAndDestroy();
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#socket.destroy();
    this.#raw.destroy();
  }
}

/** What a master decides. */
export function decision(): string {
  return "banana-decision-version: 3\r\ncurrent-connection: fedcba9876543210 1\r\n" +
    "initial-vocab-table-index: 0 2a\r\n\r\n";
}
