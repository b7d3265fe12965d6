/**
 * Keys that a peer could choose to make a Map of the engine's own slow.
 *
 * V8 hashes numbers, bigints and texts of digits without a seed, so that some thousands of them can be chosen which all have one
 * hash; to put in `n` of those takes time in proportion to `n * n`. A `Dict` and a `ValueSet` are safe from that (`value_key.ts`);
 * a `Map` and a `Set` are what they are. So the more such keys one has, the more each costs of what a message may take.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { numberKey } from "../../values/value_key.ts";

/** So many cost nothing: to put them in takes a few milliseconds, whichever they are. */
const FREE_KEYS = 1_000;
/** What the next one costs, for each that is there, in bytes: to compare two bigints takes longer. */
const NUMBER_COST = 1, BIGINT_COST = 4;
/** So many may come behind a value that was waited for: its message is over, and nothing can be counted to it any more. */
const MAX_LATE_KEYS = 10_000;

/** The keys of one Map, or the members of one Set. */
export class OpenKeys {
  #count = 0;

  /**
   * Counts a key that is about to be put in.
   *
   * @param spend Takes bytes from what the message may take; `undefined` where it is over.
   * @throws {Violation} If there are too many.
   */
  add(key: unknown, spend: ((bytes: number) => void) | undefined): void {
    if (!isOpen(key)) return;
    const before = this.#count++ - FREE_KEYS;
    if (spend === undefined) {
      if (this.#count > MAX_LATE_KEYS) throw tooMany();
      return;
    }
    if (before <= 0) return;
    try {
      spend(before * (typeof key === "bigint" ? BIGINT_COST : NUMBER_COST));
    } catch (cause) {
      throw tooMany(cause);
    }
  }
}

/** Small integers are left: there are not enough with one hash. */
function isOpen(key: unknown): boolean {
  if (typeof key === "number") return numberKey(key) !== key && !Object.is(key, -0);
  if (typeof key === "bigint") return true;
  return typeof key === "string" && /^\d/.test(key);
}

function tooMany(cause?: unknown): Violation {
  return new Violation(
    "Cannot take so many numbers as keys of a Map or in a Set: send a Dict, a ValueSet, or fewer at once",
    { cause },
  );
}
