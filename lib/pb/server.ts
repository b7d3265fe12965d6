/**
 * A server of Perspective Broker.
 *
 * Source: Twisted `spread/pb.py`, `PBServerFactory`.
 *
 * @module
 */

import { ProtocolError, toError } from "../errors.ts";
import type { Connection } from "../transport/transport.ts";
import { runCallback } from "../util/run_callback.ts";
import type { PbBroker } from "./broker/broker.ts";
import { type PbConnectionOptions, resolveSettings, type Settings } from "./broker/options.ts";
import type { Broker } from "./flavors/call.ts";
import { type AsRoot, asRoot, type RootProvider } from "./flavors/referenceable.ts";
import type { OpenListener, PbTlsServerOptions } from "./net/listen.ts";
import { parseListening } from "./net/place.ts";

/** Options of {@linkcode serve}. */
export interface PbServeOptions extends PbConnectionOptions, PbTlsServerOptions {
  /**
   * Who may connect to a unix socket, as the permission bits of its file.
   * @default 0o600, this user only
   */
  readonly mode?: number | undefined;
  /** Is called when a client has connected and a dialect was agreed on. What it throws goes to the trace. */
  readonly onConnection?: ((broker: Broker) => void) | undefined;
}

/** The name of the first object that clients reach. */
export const ROOT_NAME = "root";

/**
 * Publishes an object to all clients of Perspective Broker.
 *
 * @param root What clients reach first: a {@linkcode Root}, or anything with `rootObject(broker)`, which is asked once for
 *   each connection; or a portal, to which clients log in.
 * @param place `tcp:PORT`, `tls:PORT` (both with `:interface=ADDRESS` where not every address of the machine is meant; port
 *   0 lets the system choose), or `unix:/PATH`. `tls:` needs the options `cert` and `key`.
 * @returns Resolves when clients can connect.
 * @throws {TypeError} If `root` is none, `place` is no such text, or a certificate cannot be used.
 * @throws {RangeError} If an option is out of its range.
 * @throws {UnreachableError} If it cannot listen there.
 * @throws {PermissionDenied} If Deno or the system does not allow it.
 *
 * @example
 * ```ts
 * import { pb } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Greeter extends pb.Root {
 *   remote_greet(name: string): string {
 *     return `Hello ${name}`;
 *   }
 * }
 * await using server = await pb.serve(new Greeter(), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect<Greeter>(server.address);
 * assert.equal(await client.getRootObject().callRemote("greet", "Ann"), "Hello Ann");
 * ```
 */
export async function serve(
  root: RootProvider | AsRoot,
  place: string,
  options: PbServeOptions = {},
): Promise<PbServer> {
  const provider = providerOf(root);
  const settings = resolveSettings(options);
  // Loaded when something is served: see lib/tub/load_assembly.ts.
  const [broker, { listen }] = await Promise.all([import("./broker/broker.ts"), import("./net/listen.ts")]);
  const server = new PbServer(provider, broker.PbBroker, settings, options.onConnection);
  const { clock, keepAliveMs, brokerLimits, trace } = settings;
  const listener = await listen(parseListening(place), {
    cert: options.cert,
    key: options.key,
    clientCaCerts: options.clientCaCerts,
    mode: options.mode ?? 0o600,
    clock,
    keepAliveMs,
    handshakeTimeoutMs: brokerLimits.negotiationTimeoutMs,
    maxHandshakes: brokerLimits.maxUnnegotiated,
    onConnection: (connection) => server.accept(connection),
    onFailure: (peer, error) => trace({ type: "disconnected", peer, error }),
  });
  server.listensOn(listener);
  return server;
}

function providerOf(root: RootProvider | AsRoot): RootProvider {
  const given: unknown = root;
  if (typeof given === "object" && given !== null) {
    if (asRoot in given && typeof given[asRoot] === "function") return (given as AsRoot)[asRoot]();
    if ("rootObject" in given && typeof given.rootObject === "function") return given as RootProvider;
  }
  throw new TypeError("Cannot serve: give a pb.Root, something else with rootObject(broker), or a portal");
}

/** A server that {@linkcode serve} has started. */
export class PbServer implements AsyncDisposable {
  readonly #root: RootProvider;
  readonly #Broker: typeof PbBroker;
  readonly #settings: Settings;
  readonly #onConnection: ((broker: Broker) => void) | undefined;
  readonly #brokers = new Map<PbBroker, Connection>();
  #unnegotiated = 0;
  #listener: OpenListener | undefined;
  #isClosed = false;

  /** @ignore */
  constructor(
    root: RootProvider,
    Broker: typeof PbBroker,
    settings: Settings,
    onConnection: ((broker: Broker) => void) | undefined,
  ) {
    this.#root = root;
    this.#Broker = Broker;
    this.#settings = settings;
    this.#onConnection = onConnection;
  }

  /** The port; 0 for a unix socket. */
  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** Where clients find it: `tcp:127.0.0.1:8787`, `unix:/run/pb.socket`. With `*` for a host, every address leads there. */
  get address(): string {
    return this.#listener?.address ?? "";
  }

  /** The connections that there are. */
  get brokers(): readonly Broker[] {
    return [...this.#brokers.keys()].filter((broker) => broker.isConnected);
  }

  /** Stops listening, and ends all connections. More than once is harmless. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const ended = [...this.#brokers.keys()].map((broker) => broker.close());
    await Promise.all([this.#listener?.close(), ...ended]);
  }

  /** The same as {@linkcode PbServer.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @ignore */
  listensOn(listener: OpenListener): void {
    this.#listener = listener;
  }

  /** @ignore */
  accept(connection: Connection): void {
    const { brokerLimits, trace } = this.#settings;
    const isFull = this.#brokers.size >= brokerLimits.maxConnections ||
      this.#unnegotiated >= brokerLimits.maxUnnegotiated;
    if (this.#isClosed || isFull) {
      void connection.close({ isAbrupt: true });
      const error = new ProtocolError("There are too many connections");
      return trace({ type: "disconnected", peer: connection.peerAddress, error });
    }
    let isNegotiating = true;
    const settled = () => {
      if (isNegotiating) this.#unnegotiated--;
      isNegotiating = false;
    };
    this.#unnegotiated++;
    const broker = new this.#Broker({
      connection,
      role: "server",
      settings: this.#settings,
      onReady: (ready) => {
        settled();
        this.#tell(ready);
      },
      onEnded: () => {
        settled();
        this.#brokers.delete(broker);
      },
    });
    this.#brokers.set(broker, connection);
    try {
      broker.setNameForLocal(ROOT_NAME, this.#root.rootObject(broker));
    } catch (thrown) {
      const error = toError(thrown);
      trace({ type: "callback-failed", where: "rootObject", error });
      return broker.end(error);
    }
    broker.start();
  }

  #tell(broker: Broker): void {
    runCallback(
      () => this.#onConnection?.(broker),
      (error) => this.#settings.trace({ type: "callback-failed", where: "onConnection", error }),
    );
  }
}
