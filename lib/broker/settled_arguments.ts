/**
 * Promises in the arguments of a call, and the parts of a result that is still under way.
 *
 * Parts of a result by index and text key, as whoever called sees them: whether the result is still the callee's own value
 * or has crossed.
 *
 * Nothing but data can be reached: own, enumerable properties of what travels by value.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { findAdapter } from "../graph/adapters.ts";
import { Copyable } from "../graph/copyable.ts";
import { segmentOf } from "../graph/path.ts";
import { isPlain, kindOf } from "../graph/schema/checking.ts";
import { providedBy } from "../graph/schema/provided.ts";
import { Dict } from "../values/dict.ts";
import { Kwargs } from "../values/kwargs.ts";
import { Tuple, tuple } from "../values/tuple.ts";
import { FrozenSet, ValueSet } from "../values/value_set.ts";
import type { PartPath } from "./promise_link.ts";
import { RemotePromise } from "./remote_reference.ts";

/**
 * The part of a result at the end of a path.
 *
 * @param isToCross Whether the result is the callee's own, and its parts are those that it would be sent with.
 * @throws {Violation} If there is none.
 */
export function partAt(result: unknown, path: PartPath, isToCross: boolean): unknown {
  let value = result;
  for (const [i, key] of path.entries()) {
    const where = `result${path.slice(0, i).map(segmentOf).join("")}`;
    try {
      const sent = isToCross ? asSent(value) : value;
      const part = partOf(sent, key, isToCross);
      if (part === undefined) {
        throw new Violation(`Cannot take ${segmentOf(key)} of ${where}: it is ${kindOf(sent)} without that`);
      }
      value = part.value;
    } catch (cause) {
      if (cause instanceof Violation) throw cause;
      throw new Violation(`Cannot take a part of ${where}: its own code failed`, { cause });
    }
  }
  return value;
}

function partOf(value: unknown, key: string | number, isToCross: boolean): { value: unknown } | undefined {
  if (typeof value !== "object" || value === null || providedBy(value) !== undefined) return undefined;
  // What such an object has of its own need not have been sent.
  if (isToCross && !isPlain(value) && !(value instanceof Map) && !Array.isArray(value)) return undefined;
  if (value instanceof Error) return undefined;
  if (Array.isArray(value)) {
    // A hole is sent as what it reads as.
    return typeof key === "number" && key < value.length ? { value: value[key] } : undefined;
  }
  if (typeof key !== "string" || ArrayBuffer.isView(value) || value instanceof Set) return undefined;
  if (value instanceof Map) return value.has(key) ? { value: value.get(key) } : undefined;
  if (!Object.prototype.propertyIsEnumerable.call(value, key)) return undefined;
  return { value: (value as Record<string, unknown>)[key] };
}

/** What an object of a class travels as: its attributes, or what stands for it. */
function asSent(value: unknown): unknown {
  if (typeof value !== "object" || value === null || isPlain(value) || Array.isArray(value)) return value;
  if (value instanceof Copyable) return value.getStateToCopy();
  for (let p: object | null = Object.getPrototypeOf(value); p !== null; p = Object.getPrototypeOf(p)) {
    const adapter = findAdapter(p);
    if (adapter !== undefined) return adapter.kind === "copy" ? adapter.take(value)[1] : adapter.give(value);
  }
  return value;
}

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
