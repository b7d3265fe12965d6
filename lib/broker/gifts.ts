/**
 * Introductions: an object of a third Tub, given as its FURL, which the recipient fetches itself.
 *
 * Source: Foolscap `broker.py`, `makeGift`, `remote_decgift`; `referenceable.py`, `TheirReferenceUnslicer`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { RemoteHandle } from "./remote_reference.ts";

interface Gift {
  readonly id: number;
  /** Keeps the object from being given back until the recipient has it, even if the handle is disposed. */
  readonly hold: Disposable;
  readonly key: object;
  count: number;
}

/** The gifts that we gave on one connection and that have not been acknowledged. */
export class GiftTable {
  readonly #byId = new Map<number, Gift>();
  readonly #byKey = new Map<object, Gift>();
  readonly #max: number;
  #lastId = 0;

  /** A table of at most `max` gifts. */
  constructor(max: number) {
    this.#max = max;
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
    const key = RemoteHandle.trackerOf(handle);
    let gift = this.#byKey.get(key);
    if (gift === undefined) {
      if (this.#byId.size >= this.#max) {
        throw new Violation(`Cannot give an object away: ${this.#max} gifts wait to be fetched`);
      }
      gift = { id: ++this.#lastId, hold: RemoteHandle.hold(handle), key, count: 0 };
      this.#byId.set(gift.id, gift);
      this.#byKey.set(key, gift);
    }
    gift.count++;
    return gift.id;
  }

  /** The recipient has fetched a gift `count` times, or the message that gave it was not sent. */
  decgift(id: number, count: number): void {
    const gift = this.#byId.get(id);
    if (gift === undefined || (gift.count -= count) > 0) return;
    this.#byId.delete(id);
    this.#byKey.delete(gift.key);
    gift.hold[Symbol.dispose]();
  }

  /** Forgets everything: the connection is gone. */
  clear(): void {
    for (const { hold } of this.#byId.values()) hold[Symbol.dispose]();
    this.#byId.clear();
    this.#byKey.clear();
  }
}
