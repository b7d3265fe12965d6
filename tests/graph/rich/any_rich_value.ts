/**
 * Random graphs of the values that only JavaScript has, among others, for property tests and fuzzing.
 *
 * @module
 */

import { fc } from "../../deps.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }).filter((s) => s.isWellFormed()),
  fc.constantFrom("__proto__", "constructor", "cause", "js-map", "", "list"),
);

const bytes = fc.uint8Array({ minLength: 0, maxLength: 4 }).map((some) => new Uint8Array([...some, ...some]));

/** Each is made anew for every place. */
const atom: fc.Arbitrary<() => unknown> = fc.oneof(
  fc.constantFrom(undefined, null, true, NaN, -0, 0.5).map((value) => () => value),
  text.map((value) => () => value),
  fc.integer().map((value) => () => value),
  fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }).map((value) => () => value),
  fc.date({ noInvalidDate: false }).map((value) => () => new Date(value)),
  fc.webUrl({ withQueryParameters: true }).map((href) => () => new URL(href)),
  fc.constantFrom(/a/, /\/(?<n>[^/]+)/giu, /\p{L}/v).map((value) => () => value),
  bytes.map((some) => () => new Uint8Array(some)),
  bytes.map((some) => () => new Uint16Array(some.slice().buffer)),
  bytes.map((some) => () => new DataView(some.slice().buffer)),
  bytes.map((some) => () => some.slice().buffer),
  fc.tuple(fc.constantFrom(Error, TypeError, RangeError), text).map(([type, message]) => () =>
    new type(message)
  ),
  fc.constantFrom("AbortError", "NotFoundError").map((name) => () => new DOMException("text", name)),
);

/** A child is an atom, or one of the nodes, by number: also one that is not filled yet, and itself. */
const child = fc.oneof(atom.map((make) => ({ make })), fc.nat(30).map((node) => ({ node })));
const node = fc.record({
  kind: fc.constantFrom("list", "object", "map", "set", "error", "aggregate"),
  children: fc.array(child, { maxLength: 4 }),
  keys: fc.array(child, { minLength: 4, maxLength: 4 }),
  names: fc.uniqueArray(text, { minLength: 4, maxLength: 4 }),
});

type Node = typeof node extends fc.Arbitrary<infer T> ? T : never;
type Child = typeof child extends fc.Arbitrary<infer T> ? T : never;

function shell({ kind, names }: Node): object {
  switch (kind) {
    case "list":
      return [];
    case "object":
      return Object.create(null);
    case "map":
      return new Map();
    case "set":
      return new Set();
    case "error":
      return new Error(names[0]);
    case "aggregate":
      return new AggregateError([], names[0]);
  }
}

/** Values to be sent; what comes back has the same picture. */
export const anyRichValue: fc.Arbitrary<unknown> = fc.array(node, { minLength: 1, maxLength: 8 }).map(
  (nodes) => {
    const made = nodes.map(shell);
    const valueOf = (child: Child) => "make" in child ? child.make() : made[child.node % made.length];
    nodes.forEach(({ children, keys, names }, i) => {
      const target = made[i]!;
      children.forEach((child, at) => {
        const value = valueOf(child);
        if (target instanceof Map) target.set(valueOf(keys[at]!), value);
        else if (target instanceof Set) target.add(value);
        else if (Array.isArray(target)) target.push(value);
        else if (target instanceof AggregateError) target.errors.push(value);
        // A cause that is undefined is none.
        else if (target instanceof Error) target.cause = value ?? 1;
        else {Object.defineProperty(target, names[at]!, {
            value,
            writable: true,
            enumerable: true,
            configurable: true,
          });}
      });
    });
    return made.at(-1);
  },
);
