/**
 * A client of Perspective Broker.
 *
 * Source: Twisted `spread/pb.py`, `PBClientFactory`.
 *
 * @module
 */

import { DeadReferenceError, NegotiationError, ProtocolError } from "../errors.ts";
import type { ByteStreams } from "../transport/stream_connection.ts";
import type { Connection } from "../transport/transport.ts";
import type { PbBroker } from "./broker/broker.ts";
import {
  type AvatarReference,
  ClientLogins,
  type LoginMethod,
  type PbLoginOptions,
} from "./cred/client_logins.ts";
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
    if (error instanceof DeadReferenceError || error instanceof ProtocolError) {
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
  readonly #logins = new ClientLogins();

  /** @ignore */
  constructor(broker: PbBroker) {
    this.#broker = broker;
    broker.notifyOnDisconnect(() => this.#logins.close());
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
   * Logs in to a server that has a portal. There can be several logins on one connection; each ends by its `logout()`, by its
   * disposal, or with the connection.
   *
   * The password is not sent, but the protocol protects it weakly: connect by `tls:`.
   *
   * @typeParam A The class of the avatar, whose `perspective_` (or `remote_`) methods are called.
   * @param credentials A `pb.UsernamePassword`, a `pb.Anonymous`, or a way of your own.
   * @param mind What the server gets with the login: mostly an object of yours that it may call.
   * @returns The avatar.
   * @throws {UnauthorizedLogin} If the name or the password is wrong: the server does not say which.
   * @throws {UnhandledCredentials} If the server knows no logins of this kind.
   * @throws {LoginFailed} If the server refuses for another reason.
   * @throws {RemoteError} If it fails there by something else, or it has no logins.
   * @throws {DeadReferenceError} If the connection is gone, or is lost before the answer.
   * @throws The reason of `signal`, when it fires first.
   *
   * @example
   * ```ts
   * import { pb } from "../../mod.ts";
   * import assert from "node:assert/strict";
   *
   * const users = new pb.InMemoryUsernamePasswordDatabase({ alice: "wonderland" });
   * const portal = new pb.Portal({ requestAvatar: () => ({ avatar: new pb.Avatar() }) }, [users]);
   * await using server = await pb.serve(portal, "tcp:0:interface=127.0.0.1");
   * await using client = await pb.connect(server.address);
   *
   * await assert.rejects(client.login(new pb.UsernamePassword("alice", "?")), pb.UnauthorizedLogin);
   * const avatar = await client.login(new pb.UsernamePassword("alice", "wonderland"));
   * avatar.logout();
   * ```
   */
  async login<A = Untyped>(
    credentials: LoginMethod,
    mind: unknown = null,
    options: PbLoginOptions = {},
  ): Promise<AvatarReference<A>> {
    return await this.#logins.logIn<A>(this.#broker.remoteForName(ROOT_NAME), credentials, mind, options);
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
