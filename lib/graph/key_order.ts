/**
 * The order of the keys of plain objects, remembered: a list of records has the same few keys again and again, and to
 * compare them with those of the record before is much cheaper than to sort them.
 *
 * @module
 */

import { sortedKeys } from "../values/sort_keys.ts";

/** Orders that are remembered. */
const SLOTS = 64;
/** Keys of objects that are remembered; with the next it bounds what the table keeps alive. */
const MAX_KEYS = 16;
/** Characters of a key. */
const MAX_KEY_LENGTH = 64;

interface KeyOrder {
  readonly keys: readonly string[];
  readonly sorted: readonly string[];
}

const orders: (KeyOrder | undefined)[] = new Array(SLOTS).fill(undefined);

/** The keys in the order in which Python sends them. The result is shared: do not change it. */
export function orderedKeys(keys: readonly string[]): readonly string[] {
  const count = keys.length;
  if (count < 2) return keys;
  if (count > MAX_KEYS) return sortedKeys(keys);
  const slot = (count * 7 + keys[0]!.length * 5 + keys[count - 1]!.length) % SLOTS;
  const known = orders[slot];
  if (known !== undefined && isSame(known.keys, keys)) return known.sorted;
  const sorted = sortedKeys(keys);
  if (keys.every((key) => key.length <= MAX_KEY_LENGTH)) orders[slot] = { keys, sorted };
  return sorted;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
