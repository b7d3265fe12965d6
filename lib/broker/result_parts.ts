/**
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
import { isPlain, kindOf } from "../graph/schema/kind_of.ts";
import { providedBy } from "../graph/schema/provided.ts";
import type { PartPath } from "./promise_link.ts";

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
