/**
 * What each constraint takes and refuses, with its words. The table that Python agrees with is in `python_test.ts`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { checkValue } from "../../../lib/graph/schema/constraint.ts";
import {
  Copyable,
  Decimal,
  Dict,
  Float,
  float,
  FrozenSet,
  frozenSet,
  schema,
  Tuple,
  tuple,
  UnknownSchemaType,
  Violation,
} from "../../../mod.ts";

const { ListOf, TupleOf, DictOf, SetOf, ChoiceOf, Optional, Shared } = schema;

function refusal(
  shortcut: schema.Shortcut,
  value: unknown,
  direction: "inbound" | "outbound" = "outbound",
): string {
  try {
    checkValue(schema.makeConstraint(shortcut), value, direction, "x");
  } catch (error) {
    assert.ok(error instanceof Violation, String(error));
    return error.message;
  }
  return "taken";
}

const REFUSALS:
  readonly (readonly [name: string, shortcut: schema.Shortcut, value: unknown, message: string])[] = [
    ["bytes", Uint8Array, "text", "a string is not a bytestring (at x)"],
    [
      "bytes too long",
      schema.ByteStringConstraint({ maxLength: 2 }),
      new Uint8Array(3),
      "string too long (3 > 2) (at x)",
    ],
    [
      "bytes too short",
      schema.ByteStringConstraint({ minLength: 4 }),
      new Uint8Array(3),
      "string too short (3 < 4) (at x)",
    ],
    ["text", String, 5, "a number is not a unicode object (at x)"],
    [
      "text too long",
      schema.UnicodeConstraint({ maxLength: 2 }),
      "\u{1f600}\u{1f600}\u{1f600}",
      "string too long (3 > 2) (at x)",
    ],
    [
      "text too short",
      schema.UnicodeConstraint({ minLength: 3 }),
      "\u{1f600}\u{1f600}",
      "string too short (2 < 3) (at x)",
    ],
    [
      "text that does not match",
      schema.UnicodeConstraint({ regexp: /^a/ }),
      "ba",
      "regexp failed to match (at x)",
    ],
    ["int of another type", BigInt, "1", "a string is not a number (at x)"],
    [
      "int with a fraction",
      BigInt,
      1.5,
      "a number with a fraction, or too large for an exact one, is not an integer (at x)",
    ],
    ["int too large", schema.IntegerConstraint(), 2 ** 31, "number too large (at x)"],
    ["a boolean as an int", BigInt, true, "a boolean is not a number (at x)"],
    ["a float as an int", BigInt, float(3), "a float is not a number (at x)"],
    ["bool", Boolean, 1, "not a bool (at x)"],
    ["the other bool", schema.BooleanConstraint(true), false, "not True (at x)"],
    ["None", null, 0, "a number is not None (at x)"],
    ["list", ListOf(Number), tuple(1), "not a list (at x)"],
    ["long list", ListOf(Number, { maxLength: 1 }), [1, 2], "list too long (at x)"],
    ["short list", ListOf(Number, { minLength: 2 }), [1], "list too short (at x)"],
    ["element", ListOf(ListOf(Number)), [[1], [2, "3"]], "a string is not a number (at x[1][1])"],
    ["tuple", [Number], new Set(), "not a tuple (at x)"],
    ["size of a tuple", [Number], tuple(1, 2), "wrong size tuple (at x)"],
    ["dict", DictOf(String, Number), [1], "a list is not a Dictionary (at x)"],
    [
      "instance of a class as a dict",
      DictOf(String, Number),
      new Date(),
      "an instance of Date is not a Dictionary (at x)",
    ],
    ["large dict", DictOf(String, Number, { maxKeys: 1 }), { a: 1, b: 2 }, "Dict keys=2 > maxKeys=1 (at x)"],
    ["value of a dict", DictOf(String, Number), { a: { b: 1 } }, "a dict is not a number (at x.a)"],
    [
      "key of a dict",
      DictOf(Number, Number),
      new Map<unknown, unknown>([["k", 1]]),
      "a string is not a number (at x.k)",
    ],
    ["set", SetOf(Number), [1], "not a set (at x)"],
    [
      "frozen set",
      SetOf(Number, { mutable: true }),
      frozenSet(1),
      "obj is a set, but not a mutable one (at x)",
    ],
    [
      "mutable set",
      SetOf(Number, { mutable: false }),
      new Set([1]),
      "obj is a set, but not an immutable one (at x)",
    ],
    ["large set", SetOf(Number, { maxLength: 1 }), new Set([1, 2]), "set is too large (at x)"],
    ["member", SetOf(Number), new Set(["a"]), "a string is not a number (at x[0])"],
    [
      "choice",
      ChoiceOf(String, Number),
      true,
      "object type a boolean does not satisfy any of (UnicodeConstraint, NumberConstraint) (at x)",
    ],
    [
      "the only alternative of a kind",
      ChoiceOf(ListOf(Number), null),
      [1, "a"],
      "a string is not a number (at x[1])",
    ],
    [
      "two alternatives of a kind",
      ChoiceOf(ListOf(Number), ListOf(String)),
      [true],
      "object type a list does not satisfy any of (ListConstraint, ListConstraint) (at x)",
    ],
    ["optional", Optional(Number), "1", "a string is not a number (at x)"],
    ["shared", Shared(Number, 2), "1", "a string is not a number (at x)"],
    ["decimal", Decimal, 1.5, "a number is not a decimal (at x)"],
    [
      "long decimal",
      schema.Decimal({ maxLength: 3 }),
      new Decimal("1.10"),
      "decimal too long (4 > 3) (at x)",
    ],
    [
      "missing attribute",
      schema.AttributeDictConstraint(["a", Number], ["b", Number]),
      { a: 1 },
      "object is missing required keys: b (at x)",
    ],
    [
      "unknown attribute",
      schema.AttributeDictConstraint(["a", Number]),
      { a: 1, "z'z": 1 },
      "key 'z'z' not in schema (at x)",
    ],
    [
      "attribute",
      schema.AttributeDictConstraint(["a", Number]),
      { a: "1" },
      "a string is not a number (at x.a)",
    ],
    [
      "a bigint as a Float",
      schema.Float(),
      2n,
      "a bigint is not a float: turn it into a number first (at x)",
    ],
    [
      "failure",
      schema.FailureConstraint(),
      {},
      "a dict is not an instance of twisted.python.failure.Failure (at x)",
    ],
    [
      "local interface",
      schema.LocalInterfaceConstraint(Date),
      {},
      "a dict does not provide interface Date (at x)",
    ],
  ];
for (const [name, shortcut, value, message] of REFUSALS) {
  Deno.test(`checkValue() says what is wrong with ${name}`, () => {
    assert.equal(refusal(shortcut, value), message);
  });
}

class Point extends Copyable {
  static override copytype = "conform.example.com/Point";
}
class PointIn3D extends Point {
  static override copytype = "conform.example.com/PointIn3D";
}

const TAKEN: readonly (readonly [name: string, shortcut: schema.Shortcut, value: unknown])[] = [
  ["bytes", Uint8Array, new Uint8Array(3)],
  ["null as None", null, null],
  [
    "text of four-byte characters up to its length",
    schema.UnicodeConstraint({ maxLength: 2 }),
    "\u{1f600}\u{1f600}",
  ],
  ["an expression with memory, each time", schema.UnicodeConstraint({ regexp: /a/gy }), "a"],
  [
    "keys that are names of Object's own",
    DictOf(String, Number),
    JSON.parse('{"__proto__": 1, "constructor": 2}'),
  ],
  ["a Map with text keys", DictOf(String, Number), new Map([["a", 1]])],
  ["a derived Copyable", Point, new PointIn3D()],
  ["a Float as a number", Number, float(3)],
  ["unknown attributes", schema.AttributeDictConstraint(["a", Number], { acceptUnknown: true }), {
    a: 1,
    b: [2],
  }],
  ["attributes by name", schema.AttributeDictConstraint({ attributes: { a: Number } }), { a: 1 }],
  ["an instance of a class of ours", schema.LocalInterfaceConstraint(Date), new Date(0)],
];
for (const [name, shortcut, value] of TAKEN) {
  Deno.test(`checkValue() takes ${name}, and gives the same back`, () => {
    assert.equal(checkValue(schema.makeConstraint(shortcut), value, "outbound"), value);
    assert.equal(checkValue(schema.makeConstraint(shortcut), value, "outbound"), value);
  });
}

const MADE_PLAIN: readonly [name: string, shortcut: schema.Shortcut, value: unknown, sent: unknown][] = [
  ["undefined into null", null, undefined, null],
  ["a small bigint into a number", schema.IntegerConstraint(), 5n, 5],
  ["a small bigint for Number into a number", Number, -5n, -5],
  ["a small bigint in a list", ListOf(schema.IntegerConstraint()), [1, 2n], [1, 2]],
  ["another view into bytes", Uint8Array, new Uint16Array([1, 2]).subarray(1), new Uint8Array([2, 0])],
];
for (const [name, shortcut, value, sent] of MADE_PLAIN) {
  Deno.test(`checkValue() makes ${name}, which a peer that could tell is not told`, () => {
    assert.deepEqual(checkValue(schema.makeConstraint(shortcut), value, "outbound"), sent);
  });
}

Deno.test("Float makes Floats of integral numbers, in copies of the containers that have some", () => {
  const list = schema.ListOf(ListOf(schema.Float()));
  const whole = [[0.5], [1, 0.5], [NaN]];
  const sent = checkValue(list, whole, "outbound") as unknown[][];
  assert.deepEqual(sent, [[0.5], [float(1), 0.5], [NaN]]);
  assert.equal(sent[0], whole[0]);
  assert.deepEqual(whole[1], [1, 0.5]);
  const fractions = [[0.5]];
  assert.equal(checkValue(list, fractions, "outbound"), fractions);
});

Deno.test("Float converts what sets, dicts, tuples and attributes hold, and keeps their kinds", () => {
  const convert = (shortcut: schema.Shortcut, value: unknown) =>
    checkValue(schema.makeConstraint(shortcut), value, "outbound");
  assert.ok(convert(SetOf(schema.Float()), frozenSet(1)) instanceof FrozenSet);
  assert.deepEqual([...convert(SetOf(schema.Float()), new Set([1])) as Set<unknown>], [float(1)]);
  assert.deepEqual({ ...convert(DictOf(String, schema.Float()), { a: 1 }) as object }, { a: float(1) });
  const dict = convert(DictOf(BigInt, schema.Float()), new Map([[1, 2]]));
  assert.ok(dict instanceof Dict);
  assert.deepEqual(dict.get(1), float(2));
  const made = convert([schema.Float(), String], [1, "a"]);
  assert.ok(made instanceof Tuple && Object.isFrozen(made));
  assert.deepEqual([...made], [float(1), "a"]);
  const attributes = convert(
    schema.AttributeDictConstraint(["__proto__", schema.Float()]),
    JSON.parse('{"__proto__": 1}'),
  );
  assert.deepEqual(Object.entries(attributes as object), [["__proto__", float(1)]]);
});

Deno.test("Number gives plain numbers for what a peer sends as a large int, and refuses what is none", () => {
  const number = schema.makeConstraint(Number);
  assert.equal(checkValue(number, 2n ** 60n, "inbound"), 2 ** 60);
  assert.equal(checkValue(number, new Float(3), "inbound"), 3);
  assert.equal(checkValue(number, 2n ** 60n, "outbound"), 2n ** 60n);
  assert.equal(refusal(Number, 2n ** 2000n, "inbound"), "number too large (at x)");
  assert.equal(checkValue(schema.Float(), 7n, "inbound"), 7);
  assert.equal(checkValue(schema.NumberConstraint(), 2n ** 60n, "inbound"), 2n ** 60n);
});

Deno.test("TupleOf makes a tuple of an Array that is sent, and takes none that comes", () => {
  const made = checkValue(TupleOf(Number), [1], "outbound");
  assert.ok(made instanceof Tuple && Object.isFrozen(made));
  assert.equal(refusal([Number], [1], "inbound"), "not a tuple (at x)");
});

Deno.test("ChoiceOf sends a value as it is where an alternative lets it, and else as the first makes it", () => {
  const list = [1, 2];
  assert.equal(checkValue(ChoiceOf([Number, Number], ListOf(Number)), list, "outbound"), list);
  assert.ok(checkValue(ChoiceOf([Number, Number], ListOf(String)), list, "outbound") instanceof Tuple);
  assert.equal(checkValue(ChoiceOf(schema.Float(), BigInt), 3, "outbound"), 3);
});

Deno.test("DictOf gives a Dict for an empty dict that comes, where its keys are not text", () => {
  const empty = Object.create(null);
  assert.ok(checkValue(DictOf(BigInt, String), empty, "inbound") instanceof Dict);
  assert.equal(checkValue(DictOf(String, String), empty, "inbound"), empty);
  assert.equal(checkValue(DictOf(schema.Any(), String), empty, "inbound"), empty);
});

Deno.test("AttributeDictConstraint drops what is ignored, and fills in the defaults of what comes", () => {
  const rules = schema.AttributeDictConstraint(["a", Number], ["b", Optional(String, "none")], [
    "c",
    Optional(String),
  ], {
    ignoreUnknown: true,
  });
  assert.deepEqual({ ...rules.checkState({ a: 1, zz: 2 }) }, { a: 1, b: "none" });
  assert.deepEqual({ ...rules.checkState({ a: 1, b: undefined }, "outbound") }, { a: 1 });
  const whole = { a: 1, b: "x", c: "y" };
  assert.equal(rules.checkState(whole), whole);
  assert.equal(rules.attribute("zz"), undefined);
  assert.equal(rules.attribute("a"), schema.makeConstraint(Number));
  assert.throws(() => rules.checkState({ b: "x" }), /object is missing required keys: a/);
  const strict = schema.AttributeDictConstraint(["a", Number]);
  assert.throws(() => strict.attribute("zz"), { name: "Violation", message: "unknown attribute 'zz'" });
  assert.throws(() => strict.attribute("__proto__"), { message: "unknown attribute '__proto__'" });
});

Deno.test("FailureConstraint has Foolscap's limits for four attributes, with room for characters of four bytes", () => {
  const rules = schema.FailureConstraint();
  const limits = { type: 800, value: 4000, traceback: 8000 };
  for (const [name, limit] of Object.entries(limits)) {
    rules.attribute(name)!.checkToken(0x82, limit);
    assert.throws(() => rules.attribute(name)!.checkToken(0x82, limit + 1), /STRING token too large/);
  }
  assert.throws(() => rules.attribute("more"), /unknown attribute 'more'/);
  assert.throws(
    () => rules.checkState({ type: new Uint8Array() }),
    /missing required keys: value,traceback,parents/,
  );
  const error = new Error("x");
  assert.equal(checkValue(rules, error, "inbound"), error);
});

const UNKNOWN: readonly (readonly [string, unknown, RegExp])[] = [
  ["undefined, such as a misspelt name", undefined, /^can't make constraint from undefined$/],
  ["a class without a copytype", Date, /from the function Date$/],
  ["the class Array", Array, /from the function Array$/],
  ["an object literal", { a: Number }, /from a dict$/],
  ["a number", 5, /from a number$/],
  ["a derived Referenceable, which is no interface", class extends Copyable {}, /from the function/],
];
for (const [name, shortcut, message] of UNKNOWN) {
  Deno.test(`makeConstraint() throws an UnknownSchemaType for ${name}`, () => {
    assert.throws(() => schema.makeConstraint(shortcut as schema.Shortcut), (error: Error) => {
      return error instanceof UnknownSchemaType && error instanceof TypeError && message.test(error.message);
    });
  });
}

const MISTAKES: readonly (readonly [string, () => unknown])[] = [
  ["a negative length", () => ListOf(Number, { maxLength: -1 })],
  ["a length that is no number", () => schema.UnicodeConstraint({ minLength: NaN })],
  ["integers of three bytes", () => schema.IntegerConstraint({ maxBytes: 3 })],
  ["numbers of 32 bits", () => schema.NumberConstraint({ maxBytes: -1 })],
  ["a dict with half a key", () => DictOf(String, Number, { maxKeys: 0.5 })],
];
for (const [name, make] of MISTAKES) {
  Deno.test(`a constraint of ${name} is a RangeError`, () => assert.throws(make, RangeError));
}

Deno.test("AttributeDictConstraint throws a TypeError for a name that is empty or there twice", () => {
  assert.throws(() => schema.AttributeDictConstraint(["", Number]), TypeError);
  assert.throws(() => schema.AttributeDictConstraint(["a", Number], ["a", String]), /'a' is there twice/);
});
