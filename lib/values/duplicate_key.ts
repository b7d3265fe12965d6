/**
 * Keys that cannot stand in one Python dict.
 *
 * @module
 */

import type { ValueKey } from "../util/keyed.ts";
import { valueKey } from "./value_key.ts";

/**
 * Two keys that Python takes for one, such as `1` and `true` in a `Map`: a dict with both ends the connection at
 * the Python that receives it.
 *
 * @param keys The keys of one dict.
 * @returns The first key that is there already, with the one it equals; or undefined.
 * @throws {Violation} If tuples stand in each other more than 1,000 deep.
 */
export function findDuplicateKey(keys: Iterable<unknown>): { first: unknown; second: unknown } | undefined {
  const seen = new Map<ValueKey, unknown>();
  for (const second of keys) {
    const key = valueKey(second);
    if (seen.has(key)) return { first: seen.get(key), second };
    seen.set(key, second);
  }
  return undefined;
}
