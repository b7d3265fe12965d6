/**
 * Values that Python refuses as dict keys and set members.
 *
 * @module
 */

import { Decimal } from "./decimal.ts";
import { FrozenSet } from "./value_set.ts";
import { Tuple } from "./tuple.ts";

/**
 * The value because of which Python could not hash a key: a list, dict or set, a signaling NaN, or a tuple or frozen set
 * that is not complete; the key itself, or one within its tuples and frozen sets. A dict or set with such a key ends the
 * connection at the Python that receives it.
 *
 * @param key A dict key or set member.
 * @param seen Tuples and frozen sets that were looked into, with nothing found. Share one among the keys of a
 *   message: a large tuple that stands in many keys is then looked into once, and not once for each.
 * @returns That value, or undefined if Python can hash the key.
 */
export function findUnhashable(key: unknown, seen: Set<unknown> = new Set()): object | undefined {
  if (typeof key !== "object" || key === null) return undefined;
  // A list of what is to be looked at, not recursion: tuples can be as deep as a message is long.
  const pending: unknown[] = [key];
  const added: unknown[] = [];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    const isContainer = value instanceof Tuple || value instanceof FrozenSet;
    if (isContainer ? !isComplete(value) : hasNoHash(value)) {
      for (const container of added) seen.delete(container);
      return value;
    }
    if (!isContainer) continue;
    seen.add(value);
    added.push(value);
    for (const member of value) pending.push(member);
  }
  return undefined;
}

function isComplete(container: Tuple | FrozenSet): boolean {
  return container instanceof Tuple ? Object.isFrozen(container) : container.isFrozen;
}

/** Whether it crosses as list, dict or set, or as a decimal that Python refuses to compare. */
function hasNoHash(value: object): boolean {
  if (value instanceof Decimal) return /^[+-]?snan/i.test(value.toString());
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
