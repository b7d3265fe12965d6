/**
 * A relay between two Tubs that can hold, change and lose what they negotiate.
 *
 * It has the certificates and keys of both Tubs, so that each takes it for the other one, and it sees the blocks inside
 * TLS: a test says at which of them a connection stands still, and needs neither waiting times nor hooks in a Tub.
 *
 * @module
 */

import { dialTcp, listenTcp } from "../../lib/transport/tcp.ts";
import type { TransportListener, UpgradableConnection } from "../../lib/transport/transport.ts";
import type { TestIdentity } from "./identity.ts";
import { RawPeer } from "./raw_peer.ts";

/**
 * What of a negotiation can be held, in the order in which it comes; a refusal of the master is a decision too. When a master's
 * hello stands still, its decision has been made: it waits behind the hello.
 */
export const PHASES = ["get", "switching", "client-hello", "server-hello", "decision"] as const;

/** One of {@linkcode PHASES}. */
export type Phase = typeof PHASES[number];

/** Longest time for the relay's own ends to be closed, in milliseconds. */
const CLOSE_MS = 100;

/** Options of {@linkcode Relay.start}. */
export interface RelayOptions {
  /** Who dials. */
  readonly client: TestIdentity;
  /** Who is dialled. */
  readonly server: TestIdentity;
  /** Where the dialled one listens on 127.0.0.1. */
  readonly port: number;
}

/** A port that leads to a Tub. */
export class Relay implements AsyncDisposable {
  /** What the connections that come next are held before. */
  hold: Phase | undefined;
  /** Changes the client's hello of connections that come next; it has no empty line. */
  editHello: (hello: string) => string = (hello) => hello;
  readonly #listener: TransportListener;
  readonly #links: Link[] = [];
  #wake = Promise.withResolvers<void>();

  private constructor(listener: TransportListener) {
    this.#listener = listener;
  }

  /** Opens a port. */
  static async start(options: RelayOptions, hold?: Phase): Promise<Relay> {
    const listener = await listenTcp({
      port: 0,
      address: "127.0.0.1",
      closeTimeoutMs: CLOSE_MS,
      onConnection: (connection) => relay.#accept(connection, options),
    });
    const relay = new Relay(listener);
    relay.hold = hold;
    return relay;
  }

  /** Where to dial on 127.0.0.1. */
  get port(): number {
    return this.#listener.port;
  }

  /** The connection of that number, from 0; waits until it is there. */
  async link(number: number): Promise<Link> {
    while (this.#links.length <= number) await this.#wake.promise;
    return this.#links[number]!;
  }

  #accept(connection: UpgradableConnection, options: RelayOptions): void {
    this.#links.push(new Link(connection, options, this.hold, this.editHello));
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.close();
    await Promise.all(this.#links.map((link) => link.close()));
  }
}

/** One connection through a relay. */
export class Link {
  readonly #client: RawPeer;
  readonly #options: RelayOptions;
  readonly #hold: Phase | undefined;
  readonly #editHello: (hello: string) => string;
  readonly #held = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();
  readonly #clientEnded = Promise.withResolvers<void>();
  readonly #serverEnded = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #server: RawPeer | undefined;
  #heldSide: "client" | "server" | undefined;
  #isCut = false;
  #isOver = false;

  /** Begins to relay. */
  constructor(
    connection: UpgradableConnection,
    options: RelayOptions,
    hold: Phase | undefined,
    editHello: (hello: string) => string,
  ) {
    this.#client = new RawPeer(connection);
    this.#options = options;
    this.#hold = hold;
    this.#editHello = editHello;
    this.#running = this.#run().catch(() => this.#end());
  }

  /** Resolves when it stands still. */
  get held(): Promise<void> {
    return this.#held.promise;
  }

  /** Resolves when the side that was dialled has ended it. */
  get serverEnded(): Promise<void> {
    return this.#serverEnded.promise;
  }

  /** Whether either side has ended it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Lets it go on. */
  release(): void {
    this.#released.resolve();
  }

  /** The side that dialled loses the connection, and what was held is lost; the other side does not notice. */
  async cutClient(): Promise<void> {
    this.#isCut = true;
    await this.#client.close();
    this.release();
  }

  /** Resolves when the side that dialled has given it up; one that was held cannot be released any more. */
  async abandoned(): Promise<void> {
    if (this.#heldSide === "client") {
      while (await this.#client.chunk().catch(() => undefined) !== undefined);
      await this.#end();
    }
    await this.#clientEnded.promise;
  }

  /** Ends both sides. */
  async close(): Promise<void> {
    await this.#end();
    await this.#running;
  }

  async #run(): Promise<void> {
    const client = this.#client;
    const { client: dialler, server: dialled, port } = this.#options;
    const get = await client.block();
    await this.#pass("get", "client");
    const connection = await dialTcp({ host: "127.0.0.1", port, closeTimeoutMs: CLOSE_MS });
    const server = this.#server = new RawPeer(connection);
    await server.send(`${get}\r\n\r\n`);
    const answer = await server.block();
    // Only the client speaks next, so it is the one that can be seen to go.
    await this.#pass("switching", "client");
    await client.send(`${answer}\r\n\r\n`);
    await Promise.all([client.startTls("server", dialled), server.startTls("client", dialler)]);
    const isClientMaster = dialler.tubId > dialled.tubId;
    await Promise.all([
      this.#pump("client", client, server, isClientMaster).finally(() => this.#clientEnded.resolve()),
      this.#pump("server", server, client, !isClientMaster).finally(() => this.#serverEnded.resolve()),
    ]);
  }

  async #pump(side: "client" | "server", from: RawPeer, to: RawPeer, isMaster: boolean): Promise<void> {
    try {
      const hello = await from.block();
      // A master's hello stands still only when its decision has come too: that it has decided is what a test goes by.
      const early = isMaster && this.#hold === `${side}-hello` ? await from.block() : undefined;
      await this.#pass(`${side}-hello`, side);
      await to.send(`${side === "client" ? this.#editHello(hello) : hello}\r\n\r\n`);
      if (isMaster) {
        const decision = early ?? await from.block();
        await this.#pass("decision", side);
        await to.send(`${decision}\r\n\r\n`);
      }
      for (let text = await from.chunk(); text !== undefined; text = await from.chunk()) {
        if (!this.#isCut) await to.send(text);
      }
    } catch {
      // One of the two has gone, which is what follows from it that counts.
    }
    if (this.#isCut) await this.#drain(from);
    // The client's end is not the server's when only the client has lost the connection.
    if (!this.#isCut || side === "server") await this.#end();
  }

  /** Reads on so that the end is seen. */
  async #drain(from: RawPeer): Promise<void> {
    while (await from.chunk().catch(() => undefined) !== undefined);
  }

  async #pass(phase: Phase, side: "client" | "server"): Promise<void> {
    if (phase !== this.#hold) return;
    this.#heldSide = side;
    this.#held.resolve();
    await this.#released.promise;
    this.#heldSide = undefined;
    if (this.#isOver) throw new Error("The connection was given up while it was held");
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    this.#released.resolve();
    this.#clientEnded.resolve();
    this.#serverEnded.resolve();
    await Promise.all([this.#client.close(), this.#server?.close()]);
  }
}
