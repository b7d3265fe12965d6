/**
 * Keys and members that Python could not take.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { findDuplicateKey } from "../../values/duplicate_key.ts";
import { findUnhashable } from "../../values/unhashable.ts";

/**
 * Checks the keys of a dict, or the members of a set, before they are sent: of wrong ones Python would make another
 * value, or none.
 *
 * @throws {Violation} If Python cannot hash one, or takes two for one.
 */
export function checkHashable(keys: Iterable<unknown>, kind: "dictionary" | "set"): void {
  const all = Array.from(keys);
  if (all.every((key) => typeof key === "string")) return;
  const seen = new Set<unknown>();
  const part = kind === "set" ? "member" : "key";
  if (all.some((key) => findUnhashable(key, seen) !== undefined)) {
    throw new Violation(
      `Cannot send a ${kind} with a ${part} that Python cannot hash, such as a list: use a tuple`,
    );
  }
  if (findDuplicateKey(all) !== undefined) {
    throw new Violation(
      `Cannot send a ${kind} with two ${part}s that Python takes for one, such as 1 and true`,
    );
  }
}
