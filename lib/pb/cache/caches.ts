/**
 * What one connection caches, in both directions, and the messages that keep it in step.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import type { Expression } from "../banana/expression.ts";
import type { FindReceiver } from "../broker/deliveries.ts";
import type { MessageTable } from "../broker/messages.ts";
import type { ReferenceTag, Unjellying } from "../jelly/invoker.ts";
import { HeldCaches, type HeldHost } from "./held_caches.ts";
import { type CachedObject, OwnedCaches, type OwnedHost } from "./owned_caches.ts";

/** Under this key a connection has its caches. */
export const cacheKeeper: unique symbol = Symbol("cacheKeeper");

/** What {@linkcode Caches} need of their connection. */
export interface CachesHost extends OwnedHost, HeldHost {
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
  if (typeof id === "number") return id;
  throw new Violation("Cannot read a cached object: it has no number");
}
