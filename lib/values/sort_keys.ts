/**
 * The order in which Python sends a dict: that of `sorted(keys)`.
 *
 * @module
 */

import { Decimal } from "./decimal.ts";
import { Float } from "./float.ts";
import { Tuple } from "./tuple.ts";
import { sameKey } from "./value_key.ts";

/** A text with one of these may have another order by UTF-16 unit than by code point. */
const ABOVE_BMP_START = /[\ud800-\uffff]/;

/**
 * Keys in the order in which Python's `sorted` puts them: text by code point, bytes by byte, numbers (bools, floats
 * and decimals among them) by number, tuples by their first elements that differ.
 *
 * Where Python's `sorted` fails, because two keys have no order (a text and a number), the keys stay in the order
 * given: only a sending Python minds. So they do with NaN and frozen sets, for which `sorted` gives no certain order.
 *
 * @param keys The keys of one dict; not changed.
 * @returns A new array of the same keys.
 * @throws {Violation} If tuples stand in each other more than 1,000 deep.
 */
export function sortedKeys<K>(keys: readonly K[]): K[] {
  const sorted = keys.slice();
  if (sorted.length < 2) return sorted;
  if (sorted.every((key) => typeof key === "string")) {
    return sorted.some((text) => ABOVE_BMP_START.test(text)) ? sorted.sort(compareText) : sorted.sort();
  }
  let hasOrder = true;
  sorted.sort((a, b) => {
    const order = hasOrder ? compareKeys(a, b) : 0;
    if (Number.isNaN(order)) hasOrder = false;
    return order || 0;
  });
  return hasOrder ? sorted : keys.slice();
}

/** Python's order of two keys, or NaN if they have none. */
function compareKeys(a: unknown, b: unknown): number {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return compareBytes(bytesOf(a), bytesOf(b));
  if (a instanceof Tuple && b instanceof Tuple) return compareTuples(a, b);
  const numberOfA = numberOf(a), numberOfB = numberOf(b);
  if (numberOfA === undefined || numberOfB === undefined) return NaN;
  if (numberOfA instanceof Decimal) return numberOfA.compare(numberOfB);
  // `0 -` rather than a minus sign, which would make -0.
  if (numberOfB instanceof Decimal) return 0 - numberOfB.compare(numberOfA);
  // JavaScript compares a number with a bigint exactly.
  if (numberOfA < numberOfB) return -1;
  return numberOfA > numberOfB ? 1 : numberOfA >= numberOfB ? 0 : NaN;
}

function compareText(a: string, b: string): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    const unitOfA = a.charCodeAt(i), unitOfB = b.charCodeAt(i);
    if (unitOfA === unitOfB) continue;
    // Surrogates (U+D800 to U+DFFF) stand for code points above all other units.
    const isPairInA = (unitOfA & 0xf800) === 0xd800, isPairInB = (unitOfB & 0xf800) === 0xd800;
    return isPairInA === isPairInB ? unitOfA - unitOfB : isPairInA ? 1 : -1;
  }
  return a.length - b.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** By the first elements that are not equal; equality by key costs linear time where tuples share tuples. */
function compareTuples(a: Tuple, b: Tuple): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    if (!sameKey(a[i], b[i])) return compareKeys(a[i], b[i]);
  }
  return a.length - b.length;
}

function numberOf(key: unknown): number | bigint | Decimal | undefined {
  if (typeof key === "number" || typeof key === "bigint" || key instanceof Decimal) return key;
  if (typeof key === "boolean") return key ? 1 : 0;
  return key instanceof Float ? key.value : undefined;
}
