/**
 * The keys of plain objects, remembered: a list of records has the same few keys again and again. To compare keys with those of the
 * record before is much cheaper than to sort them, or to look for each whether the object has it already.
 *
 * What is remembered is common to all connections, bounded, and only ever a guess: who fills it with other keys costs
 * the others the time without it.
 *
 * @module
 */

import { sortedKeys } from "../values/sort_keys.ts";

/** Lists of keys that are remembered, of each of the two kinds. */
const SLOTS = 64;
/** Keys of objects that are remembered; with the next it bounds what the tables keep alive. */
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
  if (keys.every(isShort)) orders[slot] = { keys, sorted };
  return sorted;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function isShort(key: string): boolean {
  return key.length <= MAX_KEY_LENGTH;
}

/** Dicts that came lately, by their first key. */
interface Arrived {
  readonly first: string;
  /** All keys of one that began so, all different; `undefined` if there was no second one. */
  readonly keys: readonly string[] | undefined;
}

const arrived: (Arrived | undefined)[] = new Array(SLOTS).fill(undefined);

function slotOf(first: string): number {
  const { length } = first;
  if (length === 0) return 0;
  return (length * 31 + first.charCodeAt(0) * 7 + first.charCodeAt(length - 1)) % SLOTS;
}

/** The keys that a dict with this first key probably has, all different; `undefined` if such a dict did not come twice. */
export function expectKeys(first: string): readonly string[] | undefined {
  const known = arrived[slotOf(first)];
  return known?.first === first ? known.keys : undefined;
}

/** Remembers a dict that came with other keys than expected. */
export function rememberKeys(first: string, object: Record<string, unknown>, count: number): void {
  if (count > MAX_KEYS || !isShort(first)) return;
  const slot = slotOf(first);
  if (arrived[slot]?.first !== first) {
    arrived[slot] = { first, keys: undefined };
    return;
  }
  const keys = Object.keys(object);
  // Numbers as keys come before others in an object, in whichever order they were put in.
  if (keys[0] === first && keys.every(isShort)) arrived[slot] = { first, keys };
}
