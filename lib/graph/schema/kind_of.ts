/**
 * What a value is, for messages. Never what it says: a Violation may travel to whoever sent the value, or to whoever
 * asked for it.
 *
 * @module
 */

import { quoteForeign } from "../../util/text.ts";
import { Decimal } from "../../values/decimal.ts";
import { Float } from "../../values/float.ts";
import { FrozenSet } from "../../values/frozen_set.ts";
import { Tuple } from "../../values/tuple.ts";

/** The kind of a value: `a string`, `a list`, `an instance of Point`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  switch (typeof value) {
    case "object":
      return kindOfObject(value);
    case "bigint":
      return "an integer";
    default:
      return `a ${typeof value}`;
  }
}

function kindOfObject(value: object): string {
  if (value instanceof Tuple) return "a tuple";
  if (Array.isArray(value)) return "a list";
  if (ArrayBuffer.isView(value)) return "a byte string";
  if (value instanceof FrozenSet) return "a frozen set";
  if (value instanceof Set) return "a set";
  if (value instanceof Map || isPlain(value)) return "a dict";
  if (value instanceof Float) return "a float";
  if (value instanceof Decimal) return "a decimal";
  try {
    const name: unknown = Object.getPrototypeOf(value).constructor.name;
    if (typeof name === "string" && /^[A-Za-z_$][\w$]{0,63}$/.test(name)) return `an instance of ${name}`;
  } catch {
    // A proxy may refuse to tell, and a prototype need not have a constructor.
  }
  return "an object";
}

/** Whether an object is a dict on the wire by itself: not an instance of a class. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A name, perhaps of a stranger, in single quotes as Foolscap writes it. */
export function quoteName(name: string): string {
  return `'${quoteForeign(name, 64).slice(1, -1)}'`;
}
