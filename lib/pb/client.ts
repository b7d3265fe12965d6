/**
 * A client of Perspective Broker.
 *
 * Source: Twisted `spread/pb.py`, `PBClientFactory`.
 *
 * @module
 */

import { DeadReferenceError, NegotiationError } from "../errors.ts";
import type { ByteStreams } from "../transport/stream_connection.ts";
import type { Connection } from "../transport/transport.ts";
import type { PbBroker } from "./broker/broker.ts";
import { type PbConnectionOptions, resolveSettings } from "./broker/options.ts";
import type { Broker } from "./flavors/call.ts";
import type { RemoteReference } from "./flavors/remote_reference.ts";
import type { Untyped } from "./flavors/remote_reference.ts";
import type { PbTlsClientOptions } from "./net/dial.ts";
import { parseTarget } from "./net/place.ts";
import { ROOT_NAME } from "./server.ts";

/** Options of {@linkcode connect}. */
export interface PbConnectOptions extends PbConnectionOptions, PbTlsClientOptions {
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to a server of Perspective Broker.
 *
 * @param target `tcp:HOST:PORT`, `tls:HOST:PORT`, `unix:/PATH`, or a pair of web streams that leads to a server.
 * @returns Resolves when a dialect was agreed on: from there on calls can be made.
 * @throws {TypeError} If `target` is none of these, or `cert` and `key` are no pair.
 * @throws {RangeError} If an option is out of its range.
 * @throws {UnreachableError} If nobody listens there.
 * @throws {PermissionDenied} If Deno or the system does not allow it.
 * @throws {NegotiationError} If TLS fails, or the peer speaks no Perspective Broker, or says nothing for too long.
 * @throws The reason of `signal`, when it fires first.
 *
 * @example
 * ```ts
 * import { pb } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Adder extends pb.Root {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 * await using server = await pb.serve(new Adder(), "tcp:0:interface=127.0.0.1");
 *
 * await using client = await pb.connect<Adder>(server.address);
 * assert.equal(await client.getRootObject().callRemote("add", 1, 2), 3);
 * ```
 */
export async function connect<T = Untyped>(
  target: string | ByteStreams,
  options: PbConnectOptions = {},
): Promise<PbClient<T>> {
  const settings = resolveSettings(options);
  const { clock, keepAliveMs, brokerLimits } = settings;
  const { signal } = options;
  // Loaded when somebody connects: see lib/tub/load_assembly.ts.
  const { PbBroker } = await import("./broker/broker.ts");
  signal?.throwIfAborted();
  let connection: Connection;
  if (typeof target === "string") {
    const place = parseTarget(target);
    const late = new AbortController();
    using _timer = clock.setTimer(brokerLimits.negotiationTimeoutMs, () => {
      late.abort(new NegotiationError(`Cannot connect to ${target}: nothing came of it in time`));
    }, true);
    const given = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    const { caCerts, cert, key, serverName } = options;
    const { dial } = await import("./net/dial.ts");
    connection = await dial(place, { caCerts, cert, key, serverName, keepAliveMs, clock, signal: given });
  } else {
    const { problemOfStreams, StreamConnection } = await import("../transport/stream_connection.ts");
    const problem = problemOfStreams(target);
    if (problem !== undefined) throw new TypeError(`Cannot connect: ${problem}`);
    connection = new StreamConnection(target, { peerAddress: "streams", clock });
  }
  const ready = Promise.withResolvers<void>();
  const onAbort = () => broker.end(signal!.reason);
  const broker = new PbBroker({
    connection,
    role: "client",
    settings,
    onReady: () => ready.resolve(),
    onEnded: (error) => ready.reject(error),
  });
  broker.start();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal?.aborted === true) onAbort();
    await ready.promise;
  } catch (error) {
    await connection.close({ isAbrupt: true });
    if (error instanceof DeadReferenceError) {
      throw new NegotiationError(`Cannot connect to ${connection.peerAddress}: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  return new PbClient<T>(broker);
}

/** A connection to a server. */
export class PbClient<T = Untyped> implements AsyncDisposable {
  readonly #broker: PbBroker;

  /** @ignore */
  constructor(broker: PbBroker) {
    this.#broker = broker;
  }

  /** The connection, which can also publish objects by name. */
  get broker(): Broker {
    return this.#broker;
  }

  /** Whether the connection is there. */
  get isConnected(): boolean {
    return this.#broker.isConnected;
  }

  /**
   * The first object that the server publishes: the same reference each time. Nothing is asked of the server.
   *
   * @throws {DeadReferenceError} If the connection is gone.
   */
  getRootObject(): RemoteReference<T> {
    return this.#broker.remoteForName(ROOT_NAME) as unknown as RemoteReference<T>;
  }

  /**
   * Calls back when the connection is lost; at once, if it is.
   *
   * @returns Disposing it takes the callback back.
   */
  notifyOnDisconnect(callback: () => unknown): Disposable {
    return this.#broker.notifyOnDisconnect(callback);
  }

  /** Ends the connection; what was written is sent first. More than once is harmless. */
  close(): Promise<void> {
    return this.#broker.close();
  }

  /** The same as {@linkcode PbClient.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
