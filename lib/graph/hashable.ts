/**
 * Refusing what Python does not let be a key of a dict or a member of a set.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { Decimal } from "../values/decimal.ts";
import { FrozenSet } from "../values/frozen_set.ts";
import { Tuple } from "../values/tuple.ts";
import { findUnhashable } from "../values/unhashable.ts";

/**
 * Refuses a list, a dict, a set, and a tuple that is not complete or contains one of them: Python ends the
 * connection on which it gets such a key.
 *
 * @param role What the value shall be, for the message: `a key of a dict`.
 * @param seen Tuples and frozen sets of the same message that were found to be good.
 * @throws {Violation} If the value has no hash in Python.
 */
export function checkHashable(value: unknown, role: string, seen: Set<unknown>): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  const bad = findUnhashable(value, seen);
  if (bad === undefined) return;
  const what = bad instanceof Tuple || bad instanceof FrozenSet
    ? "an incomplete tuple"
    : bad instanceof Decimal
    ? "a signaling NaN"
    : "a list, dict or set";
  throw new Violation(`Cannot take ${what} as ${role}`);
}
