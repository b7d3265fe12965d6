/**
 * From values to descriptions, in one canonical form, so that two of them can be compared with `deepEqual`.
 *
 * @module
 */

import { Decimal } from "../../lib/values/decimal.ts";
import { Float } from "../../lib/values/float.ts";
import { FrozenSet } from "../../lib/values/value_set.ts";
import { Tuple } from "../../lib/values/tuple.ts";
import { build } from "./build_value.ts";
import type { Description } from "./description.ts";
import { floatOf, floatText } from "./float_text.ts";
import { encodeHex } from "./hex.ts";

export { build, copyableClass } from "./build_value.ts";
export type { Description } from "./description.ts";

/** Describes what this module does not know; `undefined` if it does not know it either. */
export type DescribeForeign = (value: unknown) => Description | undefined;

/**
 * Describes a value. Objects that occur again have ids, numbered in order of appearance; members of sets, entries of dicts
 * and attributes of copyables are sorted by their JSON text, so the form depends on nothing but the value.
 *
 * @throws {TypeError} If the value, or one inside it, is of no known kind.
 */
export function describe(value: unknown, foreign: DescribeForeign = () => undefined): Description {
  const describer = new Describer(foreign);
  describer.count(value);
  return describer.describe(value);
}

/** The canonical form of a description: what {@link describe} says of the value it stands for. */
export function canonical(description: Description): Description {
  return describe(build(description));
}

/**
 * The canonical description of what arrives in JavaScript when this value is sent: a `float` with an integral
 * value arrives as a plain number, like an `int`.
 */
export function arrived(description: Description): Description {
  const seen = JSON.parse(JSON.stringify(description), (_, part) => {
    if (typeof part?.float !== "string") return part;
    const value = floatOf(part.float);
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? { int: String(value) } : part;
  });
  return canonical(seen);
}

class Describer {
  readonly #foreign: DescribeForeign;
  readonly #visits = new Map<object, number>();
  readonly #ids = new Map<object, number>();

  constructor(foreign: DescribeForeign) {
    this.#foreign = foreign;
  }

  count(value: unknown): void {
    if (!isContainer(value)) return;
    const visits = this.#visits.get(value) ?? 0;
    this.#visits.set(value, visits + 1);
    if (visits > 0) return;
    for (const child of childrenOf(value)) this.count(child);
  }

  describe(value: unknown): Description {
    const known = describeAtom(value) ?? this.#foreign(value);
    if (known !== undefined) return known;
    if (!isContainer(value)) {
      throw new TypeError(`Cannot describe a value: unknown kind ${Deno.inspect(value)}`);
    }
    const id = this.#ids.get(value);
    if (id !== undefined) return { same: id };
    return { ...this.#idFor(value), ...this.#container(value) };
  }

  #idFor(value: object): { id?: number } {
    if ((this.#visits.get(value) ?? 0) < 2) return {};
    const id = this.#ids.size + 1;
    this.#ids.set(value, id);
    return { id };
  }

  #container(value: object): Description {
    if (value instanceof Tuple) return { tuple: value.map((child) => this.describe(child)) };
    if (Array.isArray(value)) return { list: value.map((child) => this.describe(child)) };
    if (value instanceof Set) {
      const members = sorted([...value], textOf).map((child) => this.describe(child));
      return value instanceof FrozenSet ? { frozenset: members } : { set: members };
    }
    const copytype = copytypeOf(value);
    const entries = sorted(entriesOf(value), ([key]) => textOf(key));
    if (copytype === undefined) {
      return { dict: entries.map(([key, child]) => [this.describe(key), this.describe(child)] as const) };
    }
    return {
      copyable: [copytype, entries.map(([key, child]) => [String(key), this.describe(child)] as const)],
    };
  }
}

function describeAtom(value: unknown): Description | undefined {
  if (value === null || value === undefined) return { none: true };
  if (typeof value === "boolean") return { bool: value };
  if (typeof value === "bigint") return { int: value.toString() };
  if (typeof value === "string") return { str: value };
  if (value instanceof Float) return { float: floatText(value.value) };
  if (value instanceof Decimal) return { decimal: value.toString() };
  if (value instanceof Uint8Array) return { bytes: encodeHex(value) };
  if (typeof value !== "number") return undefined;
  const isInt = Number.isSafeInteger(value) && !Object.is(value, -0);
  return isInt ? { int: String(value) } : { float: floatText(value) };
}

function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null || describeAtom(value) !== undefined) return false;
  if (Array.isArray(value) || value instanceof Set || value instanceof Map) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || copytypeOf(value) !== undefined;
}

function copytypeOf(value: object): string | undefined {
  // A dict may have a key "constructor", which says nothing about its class.
  const prototype = Object.getPrototypeOf(value);
  const copytype = prototype?.constructor?.copytype;
  return typeof copytype === "string" ? copytype : undefined;
}

function entriesOf(value: object): [unknown, unknown][] {
  return value instanceof Map ? [...value] : Object.entries(value);
}

function childrenOf(value: object): unknown[] {
  if (Array.isArray(value)) return value;
  return value instanceof Set ? [...value] : entriesOf(value).flat();
}

function sorted<T>(items: T[], textOfItem: (item: T) => string): T[] {
  const keyed = items.map((item) => ({ item, text: textOfItem(item) }));
  keyed.sort((a, b) => a.text < b.text ? -1 : a.text > b.text ? 1 : 0);
  return keyed.map(({ item }) => item);
}

/** JSON text of a key or member, without ids: it must not depend on where else the value occurs. */
function textOf(value: unknown, inside: readonly object[] = []): string {
  if (!isContainer(value)) return JSON.stringify(describeAtom(value) ?? {});
  if (inside.includes(value)) return `"again ${inside.length - inside.indexOf(value)}"`;
  const parts = childrenOf(value).map((child) => textOf(child, [...inside, value]));
  const isOrdered = Array.isArray(value);
  const kind = isOrdered ? (value instanceof Tuple ? "t" : "l") : "u";
  return `[${kind}${(isOrdered ? parts : parts.sort()).join()}]`;
}
