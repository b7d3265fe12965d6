/**
 * Arguments of a call that does not cross: what their promises have become stands in the places of those, as if it did.
 *
 * @module
 */

import { isPlain } from "../graph/schema/kind_of.ts";
import { Dict } from "../values/dict.ts";
import { FrozenSet } from "../values/frozen_set.ts";
import { Kwargs } from "../values/kwargs.ts";
import { Tuple, tuple } from "../values/tuple.ts";
import { ValueSet } from "../values/value_set.ts";
import { RemotePromise } from "./remote_reference.ts";

/**
 * Arguments without promises, when all of those are there. Containers with promises somewhere in them are copied, with all
 * that is in them; if there are none, all arguments are what they were.
 *
 * @returns It is rejected with what the first one of the promises is rejected with.
 */
export async function settledArguments(args: readonly unknown[]): Promise<unknown[]> {
  const tops = await Promise.all(args);
  const promises = promisesIn(tops);
  if (promises.length === 0) return tops;
  const values = await Promise.all(promises);
  const copies = new Map<unknown, unknown>(promises.map((promise, i) => [promise, values[i]]));
  return tops.map((value) => copyOf(value, copies));
}

/** What is in a container; nothing for what is none. */
function itemsOf(value: unknown): Iterable<unknown> {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (value instanceof Kwargs) return Object.values(value.values);
  return isPlain(value) ? Object.values(value) : [];
}

function promisesIn(values: readonly unknown[]): RemotePromise<unknown>[] {
  const promises: RemotePromise<unknown>[] = [];
  const seen = new Set<unknown>();
  const left = [...values];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof RemotePromise) promises.push(value);
    else for (const item of itemsOf(value)) left.push(item);
  }
  return promises;
}

/** @param copies What each promise has become, and what has been copied already: containers may contain themselves. */
function copyOf(value: unknown, copies: Map<unknown, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const copied = (item: unknown) => copyOf(item, copies);
  const keep = <T>(copy: T): T => {
    copies.set(value, copy);
    return copy;
  };
  if (value instanceof Tuple) return keep(tuple(...Array.from(value, copied)));
  if (Array.isArray(value)) {
    const list = keep<unknown[]>([]);
    for (const item of value) list.push(copied(item));
    return list;
  }
  if (value instanceof Map) {
    const map = keep(value instanceof Dict ? new Dict() : new Map<unknown, unknown>());
    for (const [key, item] of value) map.set(copied(key), copied(item));
    return map;
  }
  if (value instanceof FrozenSet) return keep(new FrozenSet(Array.from(value, copied)));
  if (value instanceof Set) {
    const set = keep(value instanceof ValueSet ? new ValueSet() : new Set<unknown>());
    for (const item of value) set.add(copied(item));
    return set;
  }
  if (value instanceof Kwargs) {
    return keep(new Kwargs(copied({ ...value.values }) as Record<string, unknown>));
  }
  if (!isPlain(value)) return value;
  const object = keep<object>(Object.create(Object.getPrototypeOf(value)));
  for (const [key, item] of Object.entries(value)) {
    // A key may be __proto__.
    const property = { value: copied(item), writable: true, enumerable: true, configurable: true };
    Object.defineProperty(object, key, property);
  }
  return object;
}
