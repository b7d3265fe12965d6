/**
 * Connections over streams that the program has: what it may say about them, and what it gets.
 *
 * @module
 */

import type { Broker } from "../broker/broker.ts";
import type { RemoteReference, Untyped } from "../broker/remote_reference.ts";
import { DeadReferenceError, FurlError } from "../errors.ts";
import { parseFurl } from "../names/furl.ts";
import { SturdyRef } from "../names/sturdy_ref.ts";
import { isTubId } from "../names/tub_id.ts";
import { type ByteStreams, problemOfStreams, StreamConnection } from "../transport/stream_connection.ts";
import type { Clock } from "../util/clock.ts";
import { lostBy } from "../util/lost.ts";
import { quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";

/** Options of {@linkcode Tub.attach}. */
export interface AttachOptions {
  /**
   * The Tub that must be at the other end: its TubID, or a FURL of it. This end begins then, as the one that dials does
   * elsewhere; the other end must have no target.
   *
   * @default none: the other end begins, and may be any Tub
   */
  readonly target?: string | SturdyRef | undefined;
  /**
   * Whether TLS runs over the streams, by which each Tub proves its TubID. Both ends must say the same. Without it the peer
   * has no TubID: it is nobody's FURLs that are believed, and its objects cannot be given to third Tubs.
   *
   * @default true; false with `trustedAs`
   */
  readonly tls?: boolean | undefined;
  /**
   * The TubID that the peer is taken to have, without proof: the program knows what is at the other end, because it started
   * it, say. Everything that Tub may do, the peer may do.
   *
   * @default nobody vouches for the peer
   */
  readonly trustedAs?: string | undefined;
  /** Ends the attempt. When there is a connection, it does nothing. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Where the other end is, for people: it stands in errors, traces and {@linkcode ConnectionInfo}.
   *
   * @default "attached"
   */
  readonly address?: string | undefined;
}

const NAMES: Readonly<Record<keyof AttachOptions, true>> = {
  target: true,
  tls: true,
  trustedAs: true,
  signal: true,
  address: true,
};

/**
 * The Tub at the other end of streams. Made by {@linkcode Tub.attach}.
 *
 * @example
 * ```ts
 * import { messagePortStreams, Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Greeter extends Referenceable {
 *   remote_greet(name: string): string {
 *     return `Hello, ${name}`;
 *   }
 * }
 *
 * await using server = await Tub.create();
 * server.setLocation("attach:");
 * const furl = server.registerReference(new Greeter());
 * await using client = await Tub.create();
 *
 * const { port1, port2 } = new MessageChannel();
 * await Promise.all([
 *   client.attach(messagePortStreams(port1), { target: furl }),
 *   server.attach(messagePortStreams(port2)),
 * ]);
 * const greeter = await client.getReference<Greeter>(furl);
 * assert.equal(await greeter.callRemote("greet", "Ada"), "Hello, Ada");
 * ```
 */
export interface AttachedPeer extends AsyncDisposable {
  /** The TubID that the peer has proved, or for which the program vouches; `undefined` for a peer without one. */
  readonly tubId: string | undefined;
  /** Whether a certificate proves the TubID. */
  readonly isProved: boolean;
  /** What `address` said. */
  readonly address: string;
  /**
   * Resolves when the connection has ended and its streams are closed, with what ended it. Never rejects. A newer connection
   * with the same Tub may be what ended it: then {@linkcode Tub.getReference} goes by that.
   */
  readonly closed: Promise<Error>;
  /**
   * Asks the peer for an object, by this connection and no other.
   *
   * @typeParam T The class of the object, or an interface with its `remote_` methods.
   * @param target The name under which the peer has registered it; or a FURL of the peer, for a peer that has a TubID.
   * @throws {FurlError} If it is a FURL of another Tub, or the peer has no TubID: the name in it is a secret.
   * @throws {RemoteException} If the peer has no such object: a `builtins.KeyError`.
   * @throws {DeadReferenceError} If the connection has ended.
   * @throws {TypeError} If it is none of these.
   */
  getReference<T = Untyped>(target: string | SturdyRef): Promise<RemoteReference<T>>;
  /** Ends the connection. Resolves when its streams are closed; never rejects. */
  close(): Promise<void>;
}

/** Streams that are about to become a connection. */
export interface Attachment {
  /** Who is at the other end, and how that is made sure of. */
  readonly way:
    | { readonly kind: "client"; readonly target: string }
    | { readonly kind: "server" }
    | { readonly kind: "plain"; readonly trustedAs: string | undefined };
  readonly connection: StreamConnection;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes sure of what the program has said, and locks the streams.
 *
 * @param ownTubId The Tub to which they are attached.
 * @throws {TypeError} If it is not streams, one is locked, or an option is unknown or does not fit the others.
 * @throws {FurlError} If the target is no FURL.
 */
export function makeAttachment(
  ownTubId: string,
  streams: ByteStreams,
  options: AttachOptions,
  { clock, trace }: { readonly clock: Clock; readonly trace: Trace },
): Attachment {
  const way = wayOf(ownTubId, options);
  const { signal, address = "attached" } = options;
  if (typeof address !== "string" || !(signal === undefined || signal instanceof AbortSignal)) {
    throw new TypeError("Cannot attach: address is not a text, or signal is not an AbortSignal");
  }
  const problem = problemOfStreams(streams);
  if (problem !== undefined) throw new TypeError(`Cannot attach: ${problem}`);
  const connection = new StreamConnection(streams, {
    peerAddress: address,
    clock,
    onCloseFailed: (error) => trace({ type: "callback-failed", where: "close of attached streams", error }),
  });
  return { way, connection, signal };
}

function wayOf(ownTubId: string, options: AttachOptions): Attachment["way"] {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Cannot attach: the options are not an object");
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(NAMES, name)) continue;
    throw new TypeError(
      `Cannot attach: there is no option ${quoteForeign(name, 64)}; it is one of ${
        Object.keys(NAMES).join(", ")
      }`,
    );
  }
  const { target, trustedAs, tls = trustedAs === undefined } = options;
  if (typeof tls !== "boolean") throw new TypeError("Cannot attach: tls is neither true nor false");
  if (tls) {
    if (trustedAs !== undefined) {
      throw new TypeError("Cannot attach: with TLS the peer proves who it is; leave trustedAs out, or tls");
    }
    if (target === undefined) return { kind: "server" };
    return { kind: "client", target: notOwn(ownTubId, tubIdIn(target)) };
  }
  if (target !== undefined) {
    throw new TypeError("Cannot attach: without TLS the target proves nothing; say trustedAs instead of it");
  }
  if (trustedAs === undefined) return { kind: "plain", trustedAs };
  if (typeof trustedAs !== "string" || !isTubId(trustedAs)) {
    throw new TypeError("Cannot attach: trustedAs is not a TubID, which has 32 characters of a-z and 2-7");
  }
  return { kind: "plain", trustedAs: notOwn(ownTubId, trustedAs) };
}

function notOwn(ownTubId: string, tubId: string): string {
  if (tubId !== ownTubId) return tubId;
  throw new TypeError("Cannot attach: the TubID is this Tub's own; it reaches its own objects without that");
}

function tubIdIn(target: string | SturdyRef): string {
  const text = target instanceof SturdyRef ? target.url : target;
  if (typeof text !== "string") {
    throw new TypeError("Cannot attach: the target is neither a TubID nor a FURL nor a SturdyRef with one");
  }
  return isTubId(text) ? text : parseFurl(text).tubId;
}

/** The peer that a program sees. */
export class Peer implements AttachedPeer {
  readonly tubId: string | undefined;
  readonly isProved: boolean;
  readonly address: string;
  readonly closed: Promise<Error>;
  readonly #broker: Broker;

  /** @param isProved Whether the peer has shown a certificate. */
  constructor(broker: Broker, isProved: boolean) {
    this.#broker = broker;
    this.tubId = broker.peer.tubId;
    this.address = broker.peer.address;
    this.isProved = isProved;
    this.closed = broker.over;
  }

  /** See {@linkcode AttachedPeer}. */
  async getReference<T = Untyped>(target: string | SturdyRef): Promise<RemoteReference<T>> {
    return await this.#broker.getReferenceByName(this.#nameIn(target)) as RemoteReference<T>;
  }

  #nameIn(target: string | SturdyRef): string {
    const text = target instanceof SturdyRef ? target.url : target;
    if (typeof text !== "string" || text === "") {
      throw new TypeError("Cannot get reference: it is neither a name nor a FURL nor a SturdyRef with one");
    }
    if (!text.includes("pb://")) return text;
    const { tubId, name } = parseFurl(text);
    if (this.tubId === undefined) {
      throw new FurlError(
        "Cannot get reference: the peer has no TubID, and the name in the FURL is not for others; give the name, or attach with TLS",
      );
    }
    if (tubId !== this.tubId) {
      throw new FurlError("Cannot get reference: the FURL is that of another Tub; Tub.getReference takes it");
    }
    return name;
  }

  async close(): Promise<void> {
    await this.#broker.shutdown(
      lostBy("close", new DeadReferenceError("The program has closed the connection")),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
