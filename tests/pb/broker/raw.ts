/**
 * A peer of Perspective Broker that is nothing but bytes, and a broker of ours at the other end of the memory.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { pb } from "../../../mod.ts";
import { BananaDecoder } from "../../../lib/pb/banana/decoder.ts";
import { BananaEncoder } from "../../../lib/pb/banana/encoder.ts";
import type { Expression } from "../../../lib/pb/banana/expression.ts";
import { PbBroker } from "../../../lib/pb/broker/broker.ts";
import { connect, type PbClient } from "../../../lib/pb/client.ts";
import { PbServer } from "../../../lib/pb/server.ts";
import { resolveSettings } from "../../../lib/pb/broker/options.ts";
import { type MemoryConnection, memoryPair } from "../../../lib/transport/memory.ts";

/** `("pb" "none")` */
export const OFFER = "02 80 02 82 70 62 04 82 6e 6f 6e 65";
/** `"pb"`, a bare string. */
export const CHOICE = "02 82 70 62";
/** `(version 6)` */
export const VERSION = "02 80 13 87 06 81";

/** The bytes of hexadecimal text. */
export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (pair) => parseInt(pair, 16));
}

/** The text of bytes. */
export function hex(value: Uint8Array): string {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** An s-expression: text stands for a byte string. */
export type Sexp = number | bigint | string | Uint8Array | readonly Sexp[];

/** The bytes of an s-expression in dialect `pb`. */
export function sexp(value: Sexp): string {
  const encoder = new BananaEncoder(true);
  encoder.expression(plain(value));
  return hex(encoder.take());
}

function plain(value: Sexp): Expression {
  if (typeof value === "string") return new TextEncoder().encode(value);
  return Array.isArray(value) ? value.map(plain) : value as Expression;
}

function texts(expression: Expression): Sexp {
  if (expression instanceof Uint8Array) return new TextDecoder().decode(expression);
  return Array.isArray(expression) ? expression.map(texts) : expression as Sexp;
}

/** `(unicode text)` */
export const u = (text: string): Sexp => ["unicode", text];

/** The end that is nothing but bytes. */
export class RawPeer {
  readonly #connection: MemoryConnection;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #rest = new Uint8Array();

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
    this.#reader = connection.readable.getReader();
    this.#writer = connection.writable.getWriter();
  }

  /** Sends hexadecimal text. */
  send(...texts: string[]): void {
    this.#writer.write(bytes(texts.join(" "))).catch(() => {});
  }

  /** Sends messages. */
  say(...messages: Sexp[]): void {
    this.send(...messages.map(sexp));
  }

  /** The next bytes are these. */
  async expect(...texts: string[]): Promise<void> {
    const wanted = bytes(texts.join(" "));
    while (this.#rest.length < wanted.length) {
      const { value, done } = await this.#reader.read();
      if (done) break;
      const joined = new Uint8Array(this.#rest.length + value.length);
      joined.set(this.#rest);
      joined.set(value, this.#rest.length);
      this.#rest = joined;
    }
    assert.equal(hex(this.#rest.subarray(0, wanted.length)), hex(wanted));
    this.#rest = this.#rest.slice(wanted.length);
  }

  /** The next messages are these. */
  hear(...messages: Sexp[]): Promise<void> {
    return this.expect(...messages.map(sexp));
  }

  /** The next message, whatever it is: texts stand for byte strings. */
  async message(): Promise<Sexp> {
    const messages: Expression[] = [];
    let length = 0;
    const decoder = new BananaDecoder((message) => messages.push(message), true);
    for (;;) {
      while (messages.length === 0 && length < this.#rest.length) {
        decoder.push(this.#rest.slice(length, ++length));
      }
      if (messages.length > 0) break;
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("The other end has closed");
      this.#rest = Uint8Array.from([...this.#rest, ...value]);
    }
    this.#rest = this.#rest.slice(length);
    return texts(messages[0]!);
  }

  /** The next message is an error that answers a call. */
  async failed(id: number): Promise<void> {
    const message = await this.message() as readonly Sexp[];
    assert.deepEqual(message.slice(0, 2), ["error", id]);
  }

  /** Ends the stream behind what was sent. */
  end(): void {
    this.#writer.close().catch(() => {});
  }

  /** The next chunk as hexadecimal text: a message, where the other end writes one a turn. */
  async next(): Promise<string> {
    assert.equal(this.#rest.length, 0);
    const { value } = await this.#reader.read();
    return hex(value ?? new Uint8Array());
  }

  /** The next message as hexadecimal text, however many come at once. */
  async nextMessage(): Promise<string> {
    let isWhole = false;
    const decoder = new BananaDecoder(() => isWhole = true, true);
    for (let at = 0;; at++) {
      while (at >= this.#rest.length) {
        const { value, done } = await this.#reader.read();
        assert.ok(!done, "the other end has closed");
        const joined = new Uint8Array(this.#rest.length + value.length);
        joined.set(this.#rest);
        joined.set(value, this.#rest.length);
        this.#rest = joined;
      }
      decoder.push(this.#rest.subarray(at, at + 1));
      if (!isWhole) continue;
      const message = hex(this.#rest.subarray(0, at + 1));
      this.#rest = this.#rest.slice(at + 1);
      return message;
    }
  }

  /** The other end closes, and says nothing more before. */
  async closed(): Promise<void> {
    const more: string[] = [hex(this.#rest)];
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) break;
      more.push(hex(value));
    }
    assert.equal(more.join(""), "");
  }

  /** Reads all that comes until the other end closes. */
  async drain(): Promise<number> {
    let total = this.#rest.length;
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return total;
      total += value.length;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader.releaseLock();
    this.#writer.releaseLock();
    await this.#connection.close();
  }
}

/** A server of ours, whose only client is the raw peer. */
export function rawClient(
  root: pb.RootProvider,
  options: pb.PbConnectionOptions & { pieceBytes?: number } = {},
): { raw: RawPeer; server: PbServer; [Symbol.asyncDispose](): Promise<void> } {
  const { pieceBytes, ...rest } = options;
  const [near, far] = memoryPair({ pieceBytes });
  const server = new PbServer(root, PbBroker, resolveSettings(rest), undefined);
  server.accept(near);
  const raw = new RawPeer(far);
  return {
    raw,
    server,
    async [Symbol.asyncDispose]() {
      await Promise.all([server.close(), raw[Symbol.asyncDispose]()]);
    },
  };
}

/** The same after the greetings. */
export async function agreedClient(
  root: pb.RootProvider,
  options: pb.PbConnectionOptions & { pieceBytes?: number } = {},
) {
  const made = rawClient(root, options);
  await made.raw.expect(OFFER);
  made.raw.send(CHOICE, VERSION);
  await made.raw.expect(VERSION);
  return made;
}

/** A client of ours, whose server is the raw peer. */
export function rawServer(
  options: pb.PbConnectOptions & { pieceBytes?: number } = {},
): { raw: RawPeer; connecting: Promise<PbClient> } {
  const { pieceBytes, ...rest } = options;
  const [near, far] = memoryPair({ pieceBytes });
  const connecting = connect(near, rest);
  connecting.catch(() => {});
  return { raw: new RawPeer(far), connecting };
}

/** The same after the greetings. */
export async function agreedServer(options: pb.PbConnectOptions & { pieceBytes?: number } = {}) {
  const { raw, connecting } = rawServer(options);
  raw.send(OFFER);
  const client = await connecting;
  await raw.expect(CHOICE, VERSION);
  raw.send(VERSION);
  return {
    raw,
    client,
    root: client.getRootObject(),
    async [Symbol.asyncDispose]() {
      await Promise.all([client.close(), raw[Symbol.asyncDispose]()]);
    },
  };
}
