import assert from "node:assert/strict";
import type { Limits } from "../../lib/limits.ts";
import { VOCABULARIES } from "../../lib/wire/vocabulary.ts";
import { fc } from "../deps.ts";
import { anyValue } from "../support/any_value.ts";
import { encodeValues, TestReceiver } from "../support/graph_receiver.ts";

/*
 * Sequences of which all bytes are there are taken at once; in single bytes, everything goes the long way, token by
 * token. Both ways have to end alike, whatever comes.
 */

function outcome(bytes: Uint8Array, limits: Partial<Limits>, size: number): unknown {
  const test = new TestReceiver({ limits });
  const error = test.tryPush(bytes, size);
  const { messageBytes, inMessage } = test.receiver;
  return {
    arrivals: test.arrivals.map((arrival) =>
      "value" in arrival ? arrival : { violation: arrival.violation.message, where: arrival.violation.where }
    ),
    error: error?.message,
    where: error?.where,
    // A connection that has ended is not asked.
    ...(error === undefined ? { messageBytes, inMessage } : {}),
  };
}

function checkAlike(bytes: Uint8Array, limits: Partial<Limits> = {}): void {
  const long = outcome(bytes, limits, 1);
  // Twice, since dicts that came before are remembered.
  for (const size of [0, 0, 7]) assert.deepStrictEqual(outcome(bytes, limits, size), long);
}

const anyRecord = fc.dictionary(
  fc.constantFrom("a", "b", "id", "name", "__proto__", "constructor", "0", "10", "list", "h\u00e9"),
  fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.string({ maxLength: 40 }).filter((text) => text.isWellFormed()),
    fc.constantFrom("", "list", "x".repeat(127), "x".repeat(128), "\u00fc".repeat(63), "\u00fc".repeat(64)),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.array(fc.oneof(fc.boolean(), fc.constantFrom("alpha", "beta", ""))),
    fc.constant(null),
  ),
  { maxKeys: 6 },
);
const anyMessage = fc.oneof(
  fc.array(anyRecord, { maxLength: 6 }),
  fc.array(anyValue, { minLength: 1, maxLength: 2 }),
).map((values) => encodeValues([values]));

const anyLimits: fc.Arbitrary<Partial<Limits>> = fc.constantFrom<Partial<Limits>>(
  {},
  { maxStringBytes: 1 },
  { maxStringBytes: 5 },
  { maxElements: 1 },
  { maxElements: 3 },
  { maxDepth: 1 },
  { maxDepth: 2 },
  { maxDepth: 3 },
  { maxMessageBytes: 300 },
  { maxMessageBytes: 500 },
  { maxMessageBytes: 900 },
  { maxMessageBytes: 2_000, maxSkippedBytes: 100 },
);

Deno.test("Receiver gives the same when a message comes in one piece as when it comes byte by byte", () => {
  fc.assert(fc.property(anyMessage, anyLimits, checkAlike), { numRuns: 3_000 });
});

Deno.test("Receiver says the same of a damaged message that comes in one piece as of one that comes byte by byte", () => {
  const messages = fc.sample(anyMessage, { numRuns: 300, seed: 11 });
  const mutation = fc.record({
    at: fc.nat(10_000),
    byte: fc.oneof(fc.nat(255), fc.nat(12), fc.integer({ min: 0x80, max: 0x8f })),
    kind: fc.constantFrom("set", "insert", "delete"),
    length: fc.integer({ min: 1, max: 8 }),
  });
  fc.assert(
    fc.property(
      fc.nat(messages.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      anyLimits,
      (which, mutations, limits) => {
        const bytes = [...messages[which]!];
        for (const { at, byte, kind, length } of mutations) {
          const place = at % (bytes.length + 1);
          if (kind === "set") bytes[place] = byte;
          else if (kind === "insert") bytes.splice(place, 0, byte);
          else bytes.splice(place, length);
        }
        checkAlike(Uint8Array.from(bytes), limits);
      },
    ),
    { numRuns: 10_000 },
  );
});

/** A list of dicts, each of keys and values in this order, whatever a sender of ours would do. */
function dicts(...all: readonly (readonly (string | number)[])[]): Uint8Array {
  const bytes: number[] = [];
  let opens = 0;
  const open = (word: string) => {
    bytes.push(opens, 0x88, VOCABULARIES[1]!.indexOf(word), 0x87);
    return opens++;
  };
  const list = open("list");
  for (const items of all) {
    const dict = open("dict");
    for (const item of items) {
      if (typeof item === "number") bytes.push(item, 0x81);
      else {
        const text = open("unicode");
        const utf8 = new TextEncoder().encode(item);
        bytes.push(utf8.length, 0x82, ...utf8, text, 0x89);
      }
    }
    bytes.push(dict, 0x89);
  }
  bytes.push(list, 0x89);
  return Uint8Array.from(bytes);
}

/** Makes dicts with these keys expected. */
const usual = ["q1", 1, "q2", 2, "q3", 3];

for (
  const [what, last, expected] of [
    ["as they were before", ["q1", 4, "q2", 5, "q3", 6], { q1: 4, q2: 5, q3: 6 }],
    ["fewer", ["q1", 4], { q1: 4 }],
    ["more", ["q1", 4, "q2", 5, "q3", 6, "q4", 7], { q1: 4, q2: 5, q3: 6, q4: 7 }],
    ["others behind the same beginning", ["q1", 4, "r2", 5, "q3", 6], { q1: 4, r2: 5, q3: 6 }],
    ["in another order", ["q1", 4, "q3", 5, "q2", 6], { q1: 4, q3: 5, q2: 6 }],
    ["named like what objects inherit", ["q1", 4, "__proto__", 5, "constructor", 6], {
      q1: 4,
      ["__proto__"]: 5,
      constructor: 6,
    }],
    ["that are numbers in text", ["q1", 4, "1", 5, "0", 6], { q1: 4, 1: 5, 0: 6 }],
  ] as const
) {
  Deno.test(`Receiver gives plain objects without prototype when records come again with keys ${what}`, () => {
    const [values] = new TestReceiver().push(dicts(usual, usual, usual, last)).values as [object[]];
    assert.equal(values!.length, 4);
    for (const value of values!) assert.equal(Object.getPrototypeOf(value), null);
    assert.deepStrictEqual(values![3], Object.assign(Object.create(null), expected));
    assert.deepStrictEqual(Object.keys(values![3]!), Object.keys(expected));
  });
}

for (
  const [where, last] of [
    ["where another key was expected", ["q1", 4, "q1", 5]],
    ["behind all keys that were expected", ["q1", 4, "q2", 5, "q3", 6, "q2", 7]],
    ["behind a key that was not expected", ["q1", 4, "r2", 5, "q1", 6]],
    ["of its own, at once", ["s1", 4, "s1", 5]],
  ] as const
) {
  Deno.test(`Receiver refuses a key that comes twice in a record when it stands ${where}`, () => {
    const { violations } = new TestReceiver().push(dicts(usual, usual, last));
    assert.equal(violations.length, 1);
    assert.match(violations[0]!.message, /^Duplicate key/);
  });
}

Deno.test("Receiver gives a Dict when a key that is no text comes where another was expected", () => {
  const [values] = new TestReceiver().push(dicts(usual, usual, ["q1", 4, 9, 5, "q2", 6])).values as [
    unknown[],
  ];
  assert.deepStrictEqual([...values![2] as Map<unknown, unknown>], [["q1", 4], [9, 5], ["q2", 6]]);
  const { violations } = new TestReceiver().push(dicts(usual, usual, ["q1", 4, 9, 5, "q1", 6]));
  assert.match(violations[0]!.message, /^Duplicate key/);
});
