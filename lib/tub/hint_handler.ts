/**
 * What turns a connection hint into an open connection: the interface that a program implements for hints of its own.
 *
 * Source: Foolscap `ipb.py`, `IConnectionHintHandler`.
 *
 * @module
 */

import type { ByteStreams } from "../transport/stream_connection.ts";
import type { Connection, UpgradableConnection } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";

/** What a {@linkcode ConnectionHintHandler} is given with a hint. */
export interface HintConnectOptions {
  /** Fires when the connection is not wanted any more; the handler then leaves nothing open. */
  readonly signal: AbortSignal;
  /** The time and the timers of the Tub. */
  readonly clock: Clock;
  /**
   * Says how far it is, for {@linkcode ConnectionInfo}: `connecting`. At most 200 characters are kept; more than once is
   * fine, and late is harmless.
   */
  updateStatus(text: string): void;
}

/** An open connection that a {@linkcode ConnectionHintHandler} made. It belongs to the Tub from then on. */
export interface HintConnection extends ByteStreams {
  /** For the `Host` header of the negotiation: 1 to 255 visible ASCII characters. */
  readonly host: string;
  /**
   * Where the other end is, for people.
   * @default the hint
   */
  readonly address?: string | undefined;
}

/**
 * Follows hints of one type, or of several. {@linkcode Tub.addConnectionHintHandler} takes it.
 *
 * It sees the hint and never the name of an object. What it throws, or does wrong, costs the hint and nothing else:
 * the other hints of a FURL are tried beside it. An `Error` that it throws may have a property
 * `connectionHandlerErrorSuffix`, such as `" (while resolving)"`, which is added to the status of the hint.
 *
 * @example Hints that are looked up in a phone book of the program's own
 * ```ts
 * import { type ConnectionHintHandler, InvalidHintError, Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Greeter extends Referenceable {
 *   remote_greet(): string {
 *     return "hello";
 *   }
 * }
 * await using server = await Tub.create();
 * const { port } = await server.listenOn("tcp:0:interface=127.0.0.1");
 * server.setLocation("book:name=greeter");
 * const furl = server.registerReference(new Greeter());
 *
 * const book = new Map([["greeter", { hostname: "127.0.0.1", port }]]);
 * const handler: ConnectionHintHandler = {
 *   async connect(hint, { signal, updateStatus }) {
 *     const name = /^book:name=([a-z]+)$/.exec(hint)?.[1];
 *     const place = name === undefined ? undefined : book.get(name);
 *     if (place === undefined) throw new InvalidHintError("not in the book");
 *     updateStatus("connecting");
 *     const { readable, writable } = await Deno.connect({ ...place, signal });
 *     return { readable, writable, host: place.hostname };
 *   },
 *   describe: () => "book",
 * };
 * await using client = await Tub.create();
 * client.addConnectionHintHandler("book", handler);
 * const greeter = await client.getReference<Greeter>(furl);
 * assert.equal(await greeter.callRemote("greet"), "hello");
 * ```
 */
export interface ConnectionHintHandler {
  /**
   * Opens a connection. The whole negotiation, TLS included, then runs over its streams.
   *
   * @param hint The whole hint: `tor:example.onion:4501`. The legacy form has its `tcp:`.
   * @throws {InvalidHintError} If the hint makes no sense to it. Foolscap: `hint_to_endpoint`.
   */
  connect(hint: string, options: HintConnectOptions): HintConnection | PromiseLike<HintConnection>;
  /**
   * What it is, in a word, for {@linkcode ConnectionInfo}.
   * @default "custom"
   */
  describe?(): string;
  /**
   * Whether it also follows hints that a peer chose, with a reference to an object of a third Tub, where the program has
   * no {@linkcode GiftPolicy}. One that reaches what the peer cannot, such as a place on this machine, had better not.
   *
   * @default false
   */
  readonly followsPeers?: boolean | undefined;
  /**
   * Called once by each Tub that the handler is added to. What it returns is disposed when that Tub has stopped: for
   * handlers that keep something open between connections.
   */
  hold?(): Disposable | AsyncDisposable;
}

/** A connection that is TLS already, to whoever has the certificate of a `tls:` hint, or says so. */
export interface SecuredConnection {
  readonly connection: Connection;
  /** The Ed25519 key of the hint. */
  readonly key: Uint8Array;
}

const own = new WeakMap<HintConnection, UpgradableConnection>();
const secured = new WeakMap<HintConnection, SecuredConnection>();

/**
 * A connection of our own transports, which need no adapter.
 *
 * @param host For the `Host` header.
 */
export function handOver(connection: UpgradableConnection, host: string): HintConnection {
  const { peerAddress, readable, writable } = connection;
  const handed = { readable, writable, host, address: peerAddress, close: () => connection.close() };
  own.set(handed, connection);
  return handed;
}

/** The same for a connection that is TLS already. */
export function handOverSecured(made: SecuredConnection, host: string): HintConnection {
  const { connection } = made;
  const { peerAddress, readable, writable } = connection;
  const handed = { readable, writable, host, address: peerAddress, close: () => connection.close() };
  secured.set(handed, made);
  return handed;
}

/** What {@linkcode handOverSecured} was given. */
export function securedConnection(handed: HintConnection): SecuredConnection | undefined {
  return secured.get(handed);
}

/** The connection that {@linkcode handOver} was given. */
export function ownConnection(handed: HintConnection): UpgradableConnection | undefined {
  return own.get(handed);
}

/**
 * Runs a part of a handler's work whose name people see: as the status while it runs, and behind the status if it fails.
 * Foolscap: `add_context`.
 *
 * @param context Such as `connecting to a Tor`.
 */
export async function withContext<T>(
  { updateStatus, signal }: Pick<HintConnectOptions, "updateStatus" | "signal">,
  context: string,
  work: () => Promise<T>,
): Promise<T> {
  updateStatus(context);
  try {
    return await work();
  } catch (error) {
    // The reason of the signal is everybody's.
    if (!signal.aborted && error instanceof Error && !(SUFFIX in error) && Object.isExtensible(error)) {
      Object.defineProperty(error, SUFFIX, { value: ` (while ${context})`, configurable: true });
    }
    throw error;
  }
}

const SUFFIX = "connectionHandlerErrorSuffix";

/** What a handler wants behind the status of a hint that failed; empty for most errors. */
export function suffixOf(error: Error): string {
  try {
    const suffix: unknown = SUFFIX in error ? error[SUFFIX] : undefined;
    return typeof suffix === "string" ? suffix : "";
  } catch {
    return "";
  }
}
