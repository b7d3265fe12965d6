/**
 * The caches of one connection, in both directions, and the class of the copies that arrive.
 *
 * Source: Twisted `spread/flavors.py`, `RemoteCache`; `spread/pb.py`, `proto_cachemessage`, `proto_decache`, `proto_uncache`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import type { Expression } from "../banana/expression.ts";
import type { FindReceiver } from "../broker/deliveries.ts";
import type { MessageTable } from "../broker/messages.ts";
import type { Broker, PbCall } from "../flavors/call.ts";
import { findMethod, noSuchAttribute } from "../flavors/referenceable.ts";
import { RemoteCopy } from "../jelly/copyable.ts";
import type { Jellying, ReferenceTag, Unjellying } from "../jelly/invoker.ts";
import type { Jellyable } from "../jelly/jellyable.ts";
import { HeldCaches, type HeldHost, holdingOf, makeHandle } from "./held_caches.ts";
import { type CachedObject, OwnedCaches, type OwnedHost } from "./owned_caches.ts";

/** Under this key a connection has its caches. */
export const cacheKeeper: unique symbol = Symbol("cacheKeeper");

/** What {@linkcode Caches} need of their connection. */
interface CachesHost extends OwnedHost, HeldHost {
  readonly messages: MessageTable;
  setReader(
    tag: ReferenceTag,
    reader: (id: Expression | undefined, unjellier: Unjellying) => unknown,
  ): void;
  /** Serves a call of the peer. */
  deliver(message: readonly Expression[], find: FindReceiver): void;
  /** Something came that is of no use. */
  dropped(reason: string): void;
}

/** The caches of one connection. */
export class Caches {
  /** Ours, of which the peer has copies. */
  readonly owned: OwnedCaches;
  /** Copies of the peer's. */
  readonly held: HeldCaches;

  /** None yet; takes the messages that are about them. */
  constructor(host: CachesHost) {
    const owned = this.owned = new OwnedCaches(host);
    const held = this.held = new HeldCaches(host);
    host.setReader("cached", (id) => held.again(numberOf(id)));
    host.setReader("lcache", (id) => this.#cameHome(numberOf(id)));
    const find: FindReceiver = (id) => typeof id === "number" ? held.receiver(id) : undefined;
    host.messages.set("cachemessage", 6, (message) => host.deliver(message, find));
    host.messages.set("decache", 1, ([, id]) => {
      if (typeof id !== "number" || !owned.release(id)) host.dropped("a decache of no object");
    });
    host.messages.set("uncache", 1, ([, id]) => {
      if (typeof id !== "number" || !held.forget(id)) host.dropped("an uncache of no object");
    });
  }

  /** The connection is gone. */
  close(): void {
    this.owned.close();
    this.held.close();
  }

  #cameHome(id: number): CachedObject {
    const object = this.owned.get(id);
    if (object === undefined) {
      throw new Violation("Cannot read a cached object: it was not sent, or was given up");
    }
    return object;
  }
}

/** The caches of a connection; undefined if values are not for one. */
export function cachesOf(invoker: object | undefined): Caches | undefined {
  if (invoker === undefined || !(cacheKeeper in invoker)) return undefined;
  return (invoker as { readonly [cacheKeeper]: Caches })[cacheKeeper];
}

function numberOf(id: Expression | undefined): number {
  if (Number.isSafeInteger(id)) return id as number;
  throw new Violation("Cannot read a cached object: it has no number");
}

/**
 * What is made of a peer's {@linkcode Cacheable}: registered by `setUnjellyableForClass`, made by its constructor without
 * arguments, and changed by the peer through its methods whose names begin with `observe_`.
 *
 * While somebody in the process holds it, the same object comes each time. When nobody does, or it is disposed, the peer is
 * told; it is not kept in step after that, nor when the connection is lost ({@linkcode brokerOf} tells). An object that
 * contains itself is not collected: dispose it.
 *
 * Its properties belong to the peer's object rather than to this one: if the object is sent again at the moment
 * when nobody held it here, the next one has them too. Private fields are then as the constructor leaves them. It is a Proxy,
 * which `structuredClone` and `postMessage` refuse: give them `{ ...cache }`.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * class RemoteAccount extends pb.RemoteCache {
 *   declare balance: number;
 *   observe_setBalance(balance: number): void {
 *     this.balance = balance;
 *   }
 * }
 * pb.setUnjellyableForClass("bank.Account", RemoteAccount);
 * ```
 */
export class RemoteCache extends RemoteCopy implements Jellyable, Disposable {
  /** Classes that derive from it need no arguments. */
  constructor() {
    super();
    return makeHandle(this, new.target);
  }

  /**
   * Serves one update of the peer. By default calls the method `observe_<message>`.
   *
   * @param message The method's name, without `observe_`. Any text: a peer chooses it.
   * @param call The arguments, which are read when they are asked for.
   * @returns What the peer's `callRemote` gets, or a promise of it.
   * @throws {NoSuchMethod} If the class declares no such method.
   */
  remoteMessageReceived(message: string, call: PbCall): unknown {
    const key = `observe_${message}`;
    const method = findMethod(this, key, RemoteCache.prototype);
    if (method === undefined) throw noSuchAttribute(this, key);
    return method.apply(this, call.args());
  }

  /** Reads `(TAG number state)`; a stored one is `(TAG state)`. */
  override unjellyFor(unjellier: Unjellying, expression: readonly Expression[]): unknown {
    const caches = cachesOf(unjellier.invoker);
    if (caches === undefined) return super.unjellyFor(unjellier, expression);
    const [, id, state] = expression;
    if (expression.length !== 3) {
      throw new Violation("Cannot read a cached object: it has no number or no state, or more than one");
    }
    caches.held.begin(numberOf(id), this);
    unjellier.bind(this);
    try {
      this.setCopyableState(unjellier.unjelly(state!));
    } catch (error) {
      caches.held.spoil(this);
      throw error;
    }
    return this;
  }

  /**
   * Writes itself as `(lcache number)`: the peer gets its own object.
   *
   * @throws {Violation} If it is sent to somebody else, or is not kept in step any more.
   */
  jellyFor(jellier: Jellying): void {
    const holding = holdingOf(this);
    if (holding === undefined || holding.caches !== cachesOf(jellier.invoker)?.held) {
      throw new Violation(
        "Cannot send a cached object: it goes to its owner only, on the connection by which it came, while it is kept in step",
      );
    }
    jellier.list(2);
    jellier.word("lcache");
    jellier.integer(holding.id);
  }

  /** Gives the object back to its owner, who keeps it in step no longer. More than once is harmless. */
  [Symbol.dispose](): void {
    holdingOf(this)?.release();
  }
}

/**
 * The connection by which a peer keeps an object in step: `undefined` if it was given up or the connection is lost, and the object
 * stays as it is. Twisted: the attribute `broker`.
 */
export function brokerOf(cache: RemoteCache): Broker | undefined {
  return holdingOf(cache)?.caches.host.broker;
}
