/**
 * Introductions: an object of a third Tub, given as its FURL, which the recipient fetches itself.
 *
 * Source: Foolscap `broker.py`, `makeGift`, `remote_decgift`; `referenceable.py`, `TheirReferenceUnslicer`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import type { Clock } from "../util/clock.ts";
import { RemoteHandle } from "./remote_handle.ts";

interface Gift {
  readonly id: number;
  /** Keeps the object from being given back until the recipient has it, even if the handle is disposed. */
  readonly hold: Disposable;
  readonly key: object;
  count: number;
  /** When it is let go though nobody has acknowledged it, in milliseconds since 1970. */
  until: number;
}

/** Options of a {@linkcode GiftTable}. */
export interface GiftTableOptions {
  /** Gifts at once. */
  readonly max: number;
  /** How long one is kept without being acknowledged, in milliseconds from its last giving. */
  readonly holdMs: number;
  readonly clock: Clock;
}

/**
 * The gifts that we gave on one connection and that have not been acknowledged.
 *
 * A Python Tub with `accept-gifts` off never acknowledges one, and neither does a hostile peer: so each is let go after
 * some time.
 */
export class GiftTable {
  /** The one that was given last is the last. */
  readonly #byId = new Map<number, Gift>();
  readonly #byKey = new Map<object, Gift>();
  readonly #options: GiftTableOptions;
  #lastId = 0;
  #timer: Disposable | undefined;

  /** No gifts. */
  constructor(options: GiftTableOptions) {
    this.#options = options;
  }

  /** How many gifts have not been acknowledged. */
  get size(): number {
    return this.#byId.size;
  }

  /**
   * Gives an object once more.
   *
   * @returns The number that the recipient acknowledges.
   * @throws {Violation} If too many gifts wait for that.
   */
  give(handle: RemoteHandle): number {
    const { max, holdMs, clock } = this.#options;
    const key = RemoteHandle.trackerOf(handle);
    let gift = this.#byKey.get(key);
    if (gift === undefined) {
      if (this.#byId.size >= max) {
        throw new Violation(`Cannot give an object away: ${max} gifts wait to be fetched`);
      }
      gift = { id: ++this.#lastId, hold: RemoteHandle.hold(handle), key, count: 0, until: 0 };
      this.#byKey.set(key, gift);
    }
    gift.count++;
    gift.until = clock.now() + holdMs;
    this.#byId.delete(gift.id);
    this.#byId.set(gift.id, gift);
    this.#timer ??= clock.setTimer(holdMs, () => this.#letGo());
    return gift.id;
  }

  /** The recipient has fetched a gift `count` times, or the message that gave it was not sent. */
  decgift(id: number, count: number): void {
    const gift = this.#byId.get(id);
    if (gift === undefined || (gift.count -= count) > 0) return;
    this.#forget(gift);
    if (this.#byId.size === 0) this.#stopTimer();
  }

  /** Forgets everything: the connection is gone. */
  clear(): void {
    for (const { hold } of this.#byId.values()) hold[Symbol.dispose]();
    this.#byId.clear();
    this.#byKey.clear();
    this.#stopTimer();
  }

  /** Lets go what has waited too long, and comes back for the next one. */
  #letGo(): void {
    this.#timer = undefined;
    const now = this.#options.clock.now();
    for (const gift of this.#byId.values()) {
      if (gift.until > now) {
        this.#timer = this.#options.clock.setTimer(gift.until - now, () => this.#letGo());
        return;
      }
      this.#forget(gift);
    }
  }

  #forget(gift: Gift): void {
    this.#byId.delete(gift.id);
    this.#byKey.delete(gift.key);
    gift.hold[Symbol.dispose]();
  }

  #stopTimer(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
