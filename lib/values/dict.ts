/**
 * Python's `dict`, for keys that JavaScript would tell apart where Python does not.
 *
 * @module
 */

import { inspectedEntries } from "./value_set.ts";
import type { ValueKey } from "../util/keyed.ts";
import { valueKey } from "./value_key.ts";

/**
 * A `Map` that compares its keys as Python does: bytes, tuples and frozen sets by value; `1`, `1n`, `1.0` and
 * `true` as one; `"a"` and the bytes of "a" as two; `null` and `undefined` as one (`None`); other objects by
 * identity. It gives back the keys that were first put in, in the order in which they came.
 *
 * Changing a `Uint8Array` after it was used as a key does not change where it is found.
 * Foolscap: `slicers/dict.py`.
 *
 * @example
 * ```ts
 * import { Dict, tuple } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const places = new Dict([[tuple(1, 2), "here"]]);
 * assert.equal(places.get(tuple(1, 2)), "here");
 * ```
 */
export class Dict<K = unknown, V = unknown> extends Map<K, V> {
  /** A Dict of the entries; of two with one key, the first key and the last value stay. */
  static from<K, V>(entries: Iterable<readonly [K, V]>): Dict<K, V> {
    return new Dict(entries);
  }

  readonly #entries = new Map<ValueKey, [K, V]>();

  /**
   * A Dict, empty or with the entries given.
   *
   * @throws {Violation} If a key is made of tuples too deep to compare; so do all methods that take a key.
   */
  constructor(entries?: Iterable<readonly [K, V]> | null) {
    super();
    for (const [key, value] of entries ?? []) this.set(key, value);
  }

  /** How many entries there are. */
  override get size(): number {
    return this.#entries.size;
  }

  /** The value of a key, or undefined. */
  override get(key: K): V | undefined {
    return this.#entries.get(valueKey(key))?.[1];
  }

  /** Sets the value of a key. An equal key that is there already stays as it is. */
  override set(key: K, value: V): this {
    const found = valueKey(key);
    const entry = this.#entries.get(found);
    if (entry === undefined) this.#entries.set(found, [key, value]);
    else entry[1] = value;
    return this;
  }

  /** Whether an equal key is there. */
  override has(key: K): boolean {
    return this.#entries.has(valueKey(key));
  }

  /** Removes a key; whether it was there. */
  override delete(key: K): boolean {
    return this.#entries.delete(valueKey(key));
  }

  /** Removes all entries. */
  override clear(): void {
    this.#entries.clear();
  }

  /** The value of a key, which becomes `value` if there is none. */
  override getOrInsert(key: K, value: V): V {
    return this.getOrInsertComputed(key, () => value);
  }

  /** The value of a key, which becomes what `compute` returns if there is none. */
  override getOrInsertComputed(key: K, compute: (key: K) => V): V {
    const entry = this.#entries.get(valueKey(key));
    if (entry !== undefined) return entry[1];
    const value = compute(key);
    this.set(key, value);
    return value;
  }

  /** The entries, oldest first; each a pair of its own, so that changing one changes nothing here. */
  override *entries(): Generator<[K, V], undefined> {
    for (const [key, value] of this.#entries.values()) yield [key, value];
  }

  /** The keys as they were first put in, oldest first. */
  override *keys(): Generator<K, undefined> {
    for (const entry of this.#entries.values()) yield entry[0];
  }

  /** The values, oldest key first. */
  override *values(): Generator<V, undefined> {
    for (const entry of this.#entries.values()) yield entry[1];
  }

  /** The same as {@link Dict.entries}. */
  override [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries();
  }

  /** Calls `visit` for each entry, oldest first. */
  override forEach(visit: (value: V, key: K, map: Map<K, V>) => void, thisArg?: unknown): void {
    for (const [key, value] of this.#entries.values()) visit.call(thisArg, value, key, this);
  }

  /** How `Deno.inspect` and `console.log` show it. */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options?: unknown) => string,
    options: unknown,
  ): string {
    return inspectedEntries("Dict", this.size, new Map(this.entries().take(100)), inspect, options);
  }
}
