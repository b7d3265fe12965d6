/**
 * Random values of the whole value table, with shared parts and cycles, for property tests.
 *
 * @module
 */

import { Decimal } from "../../lib/values/decimal.ts";
import { Dict } from "../../lib/values/dict.ts";
import { Float } from "../../lib/values/float.ts";
import { FrozenSet, ValueSet } from "../../lib/values/value_set.ts";
import { Tuple, tuple } from "../../lib/values/tuple.ts";
import { fc } from "../deps.ts";
import { copyableClass } from "./build_value.ts";

const HOSTILE_WORDS = [
  "__proto__",
  "constructor",
  "toString",
  "list",
  "none",
  "unicode",
  "",
  "0",
  "h\u00e9llo",
  "\ufeff",
];

const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }).filter((s) => s.isWellFormed()),
  fc.constantFrom(...HOSTILE_WORDS),
  fc.string({ minLength: 60, maxLength: 70 }),
);

const integer: fc.Arbitrary<number | bigint> = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }),
  fc.constantFrom(
    0,
    127,
    128,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 53 - 1,
    2n ** 53n,
    2n ** 63n,
  ),
).map((n) => Number.isSafeInteger(Number(n)) ? Number(n) : n);

const float = fc.oneof(fc.double(), fc.integer().map(Number)).map((n) =>
  Number.isSafeInteger(n) && !Object.is(n, -0) ? new Float(n) : n
);

const decimal = fc.oneof(
  fc.constantFrom("1.10", "-0", "1E+10", "NaN", "sNaN", "Infinity", "-Infinity", "0E-7"),
  fc.tuple(fc.integer(), fc.nat(999)).map(([whole, part]) => `${whole}.${part}`),
).map((digits) => new Decimal(digits));

// Python cannot hash a signaling NaN, nor sort any decimal NaN.
const hashableAtom: fc.Arbitrary<unknown> = fc.oneof(
  text,
  integer,
  float,
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom(null, true, false),
  decimal.filter((value) => !value.toString().endsWith("NaN")),
);

const key: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hashableAtom },
  {
    weight: 1,
    arbitrary: fc.array(hashableAtom, { minLength: 1, maxLength: 3 }).map((items) => tuple(...items)),
  },
);

// Frozen sets are made anew wherever they stand: the wire does not carry their identity.
const atom: fc.Arbitrary<() => unknown> = fc.oneof(
  { weight: 6, arbitrary: hashableAtom.map((value) => () => value) },
  { weight: 1, arbitrary: decimal.map((value) => () => value) },
  {
    weight: 1,
    arbitrary: fc.array(hashableAtom, { maxLength: 3 }).map((items) => () => new FrozenSet(items)),
  },
);

/** A child is an atom, or one of the containers, by number. */
const child = fc.oneof(atom.map((make) => ({ make })), fc.nat(30).map((node) => ({ node })));
const node = fc.record({
  kind: fc.constantFrom("list", "tuple", "object", "dict", "set", "copyable"),
  children: fc.array(child, { maxLength: 4 }),
  keys: fc.array(key, { minLength: 4, maxLength: 4 }),
  names: fc.uniqueArray(text, { minLength: 4, maxLength: 4 }),
});

/** Values to be sent; what comes back has the same description. */
export const anyValue: fc.Arbitrary<unknown> = fc.array(node, { minLength: 1, maxLength: 8 }).map(assemble);

type Node = typeof node extends fc.Arbitrary<infer T> ? T : never;

function shell(kind: Node["kind"]): object {
  switch (kind) {
    case "list":
      return [];
    case "tuple":
      return new Tuple();
    case "object":
      return Object.create(null);
    case "dict":
      return new Dict();
    case "set":
      return new ValueSet();
    case "copyable":
      return new (copyableClass("cp.any"))();
  }
}

/** Lists and dicts may contain any container; the others only earlier ones, so that Python can build them. */
function assemble(nodes: readonly Node[]): unknown {
  const made = nodes.map(({ kind }) => shell(kind));
  nodes.forEach(({ kind, children, keys, names }, i) => {
    const target = made[i]!;
    const isFree = kind === "list" || kind === "object" || kind === "dict";
    children.forEach((child, at) => {
      let value: unknown;
      if ("make" in child) value = child.make();
      else if (isFree) value = made[child.node % made.length];
      else if (i > 0 && (kind !== "copyable" || isMutable(made[child.node % i]!))) {
        value = made[child.node % i];
      }
      // A dict is no place for what is incomplete and occurs again: see `Slicing.takenByDict`.
      if ((kind === "object" || kind === "dict") && "node" in child && !isMutable(value!)) value = [value];
      if (target instanceof Dict) target.set(keys[at], value ?? null);
      else if (target instanceof ValueSet) target.add(keys[at]);
      else if (Array.isArray(target)) target.push(value ?? null);
      else if (kind === "copyable") define(target, `a${at}`, value ?? null);
      else define(target, names[at]!, value ?? null);
    });
    if (!(target instanceof Tuple)) return;
    // Python has only one empty tuple, which would count as shared.
    if (target.length === 0) target.push(i);
    Object.freeze(target);
  });
  return made.at(-1);
}

// A Copyable must not have an attribute that is incomplete where it stands: a tuple or Copyable around it.
function isMutable(value: object): boolean {
  if (value instanceof Tuple) return false;
  return Array.isArray(value) || value instanceof Dict || Object.getPrototypeOf(value) === null;
}

// Plain assignment would take "__proto__" for the prototype.
function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}
