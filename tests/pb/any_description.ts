/**
 * Random descriptions of values that Python and this module write in one and the same way.
 *
 * Sets have one member at most, since Python gives them no certain order; no tuple is empty, since Python has one of them.
 *
 * @module
 */

import { fc } from "../deps.ts";
import type { Described } from "./described.ts";

/** A tree whose containers have no numbers yet; `["again", n]` is a container that has come, where there is one. */
type Draft = readonly [kind: string, ...parts: unknown[]];

const words = fc.constantFrom(
  "list",
  "None",
  "remote",
  "unicode",
  "login",
  "",
  "__proto__",
  "cachemessage",
  "true",
);
const atom: fc.Arbitrary<Draft> = fc.oneof(
  fc.constant<Draft>(["none"]),
  fc.boolean().map((value): Draft => ["bool", value]),
  fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 448n) + 1n, max: 2n ** 448n - 1n }), fc.maxSafeInteger())
    .map((value): Draft => ["int", String(value)]),
  fc.double().map((value): Draft => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    return ["float", bytes.toHex()];
  }),
  fc.oneof(fc.string({ unit: "binary", maxLength: 100 }), words).map((value): Draft => ["str", value]),
  fc.oneof(fc.uint8Array({ maxLength: 100 }), words.map((word) => new TextEncoder().encode(word)))
    .map((value): Draft => ["bytes", value.toHex()]),
  fc.tuple(
    fc.integer({ min: 1, max: 9999 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
  )
    .map((value): Draft => ["date", value]),
  fc.tuple(fc.integer({ min: -999_999_998, max: 999_999_998 }), fc.nat(86_399), fc.nat(999_999))
    .map((value): Draft => ["timedelta", value]),
  fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999_999)).map((value): Draft => ["time", value]),
);
const key = fc.oneof(
  fc.string({ unit: "binary", maxLength: 10 }).map((value): Draft => ["str", value]),
  words.map((value): Draft => ["str", value]),
  fc.integer().map((value): Draft => ["int", String(value)]),
  fc.uint8Array({ minLength: 1, maxLength: 5 }).map((value): Draft => ["bytes", value.toHex()]),
);
const again = fc.nat(20).map((value): Draft => ["again", value]);

const { draft } = fc.letrec<{ draft: Draft }>((tie) => ({
  draft: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    atom,
    fc.array(tie("draft"), { maxLength: 5 }).map((parts): Draft => ["list", parts]),
    fc.array(tie("draft"), { minLength: 1, maxLength: 4 }).map((parts): Draft => ["tuple", parts]),
    fc.uniqueArray(fc.tuple(key, tie("draft")), { maxLength: 4, selector: ([name]) => name.join() })
      .map((parts): Draft => ["dict", parts]),
    fc.array(key, { maxLength: 1 }).map((parts): Draft => ["set", parts]),
    fc.array(key, { minLength: 1, maxLength: 1 }).map((parts): Draft => ["frozenset", parts]),
    again,
  ),
}));

/** A description with shared and cyclic parts. */
export const anyDescription: fc.Arbitrary<Described> = draft.map((tree) => {
  let lastId = 0;
  const usable: number[] = [];
  function numbered(part: Draft): Described {
    const [kind, first] = part;
    if (kind === "again") {
      return usable.length === 0 ? ["none"] : ["ref", usable[(first as number) % usable.length]];
    }
    if (kind === "dict") {
      const id = ++lastId;
      usable.push(id);
      const pairs = first as readonly (readonly [Draft, Draft])[];
      return ["dict", id, pairs.map(([name, value]) => [numbered(name), numbered(value)])];
    }
    if (!["list", "tuple", "set", "frozenset"].includes(kind)) return part;
    const id = ++lastId;
    // A tuple is there only when its parts are.
    if (kind === "list") usable.push(id);
    const parts = (first as readonly Draft[]).map(numbered);
    if (kind !== "list") usable.push(id);
    return [kind, id, parts];
  }
  return numbered(tree);
});
