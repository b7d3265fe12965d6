import assert from "node:assert/strict";
import {
  InvalidRemoteInterface,
  Kwargs,
  kwargs,
  schema,
  UnknownSchemaType,
  Violation,
} from "../../../mod.ts";

// Foolscap: test_schema.py, Arguments.
const rules = schema.method([["a", BigInt], ["b", Boolean], ["c", BigInt]], Uint8Array);

Deno.test("positional() and keyword() give the rules of arguments as they come", () => {
  assert.deepEqual([0, 1, 2].map((i) => rules.positional(i).name), [
    "IntegerConstraint",
    "BooleanConstraint",
    "IntegerConstraint",
  ]);
  assert.deepEqual(rules.argumentNames, ["a", "b", "c"]);
  assert.equal(rules.keyword("c", 1), rules.positional(2));
  assert.equal(rules.keyword("c", 2), rules.positional(2));
  assert.equal(rules.response?.name, "ByteStringConstraint");
});

const REFUSED: readonly (readonly [string, () => unknown, string])[] = [
  ["one more by position", () => rules.positional(3), "too many positional arguments: 3 >= 3"],
  ["an unknown name", () => rules.keyword("zz", 0), "unknown argument 'zz'"],
  ["a name of Object's own", () => rules.keyword("__proto__", 0), "unknown argument '__proto__'"],
  [
    "a name that was given by position",
    () => rules.keyword("a", 1),
    "got multiple values for keyword argument 'a'",
  ],
  [
    "too many at once",
    () => rules.checkInbound([1, true, 2, 3], undefined),
    "method takes 3 positional arguments (4 given)",
  ],
  ["a missing argument", () => rules.checkInbound([1], { c: 3 }), "missing required argument 'b'"],
  ["no arguments", () => rules.checkInbound([], undefined), "missing required argument 'a'"],
  [
    "one given twice",
    () => rules.checkInbound([1], { a: 1, b: true, c: 3 }),
    "got multiple values for keyword argument 'a'",
  ],
  ["a value of another type", () => rules.checkInbound([1, 2, 3], undefined), "not a bool (at arguments[1])"],
  [
    "a named value of another type",
    () => rules.checkInbound([1], { b: true, c: "x" }),
    "a string is not a number (at arguments.c)",
  ],
  [
    "outbound, too many",
    () => rules.checkOutbound([1, true, 2, 3]),
    "method takes 3 positional arguments (4 given)",
  ],
  [
    "outbound, another type",
    () => rules.checkOutbound([1, true, [2]]),
    "a list is not a number (at arguments[2])",
  ],
  [
    "outbound, a name twice",
    () => rules.checkOutbound([1, kwargs({ a: 1 })]),
    "got multiple values for keyword argument 'a'",
  ],
  ["outbound, a missing argument", () => rules.checkOutbound([1, true]), "missing required argument 'c'"],
];
for (const [name, act, message] of REFUSED) {
  Deno.test(`a method's rules refuse ${name}`, () => {
    assert.throws(act, (error) => error instanceof Violation && error.message === message);
  });
}

Deno.test("checkInbound() puts arguments in the order of their declaration", () => {
  const calls: readonly (readonly [unknown[], Record<string, unknown> | undefined])[] = [
    [[1, true, 2], undefined],
    [[1, true], { c: 2 }],
    [[1], { c: 2, b: true }],
    [[], { c: 2, a: 1, b: true }],
  ];
  for (const [args, keywords] of calls) assert.deepEqual(rules.checkInbound(args, keywords), [1, true, 2]);
});

Deno.test("checkInbound() fills in declared defaults, and leaves others to JavaScript", () => {
  const { Optional } = schema;
  const optional = schema.method([["a", Number], ["b", Optional(Number, 7)], ["c", Optional(Number)], [
    "d",
    Optional(Number),
  ]], null);
  assert.deepEqual(optional.checkInbound([1], undefined), [1, 7]);
  assert.deepEqual(optional.checkInbound([1, 2], { d: 4 }), [1, 2, undefined, 4]);
  const [, , c = "default"] = optional.checkInbound([1, 2], { d: 4 });
  assert.equal(c, "default");
  assert.throws(() => optional.checkInbound([1, "x"], undefined), Violation);
});

Deno.test("checkOutbound() sends what was given, without optional arguments that are undefined", () => {
  const { Optional } = schema;
  const optional = schema.method([["a", Number], ["b", Optional(Number, 7)], ["c", Optional(Number)]], null);
  assert.deepEqual(optional.checkOutbound([1]), [1]);
  assert.deepEqual(optional.checkOutbound([1, undefined, undefined]), [1]);
  assert.deepEqual(optional.checkOutbound([1, 2, undefined]), [1, 2]);
  const [, named] = optional.checkOutbound([1, kwargs({ b: undefined, c: 3 })]);
  assert.ok(named instanceof Kwargs);
  assert.deepEqual({ ...named.values }, { c: 3 });
  assert.deepEqual(optional.checkOutbound([1, kwargs({ b: undefined })]), [1]);
  assert.throws(() => optional.checkOutbound([1, undefined, 3]), Violation);
});

Deno.test("checkOutbound() sends Floats where they are declared, by position and by name", () => {
  const floats = schema.method([["a", schema.Float()], ["b", schema.Float()]], null);
  const [a, named] = floats.checkOutbound([1, kwargs({ b: 2 })]) as [{ value: number }, Kwargs];
  assert.equal(a.value, 1);
  assert.deepEqual((named.values.b as { value: number }).value, 2);
});

Deno.test("ignoreUnknown drops unknown keyword arguments, acceptUnknown passes them on by name", () => {
  const ignoring = schema.method([["a", Number]], null, { ignoreUnknown: true });
  assert.equal(ignoring.keyword("zz", 0), undefined);
  assert.deepEqual(ignoring.checkInbound([1], { zz: 2 }), [1]);
  const accepting = schema.method([["a", Number], ["b", schema.Optional(Number)]], null, {
    acceptUnknown: true,
  });
  assert.equal(accepting.keyword("zz", 0), undefined);
  const [a, b, more] = accepting.checkInbound([1], JSON.parse('{"zz": 2, "__proto__": 3}'));
  assert.deepEqual([a, b], [1, undefined]);
  assert.ok(more instanceof Kwargs);
  assert.deepEqual(Object.entries(more.values), [["zz", 2], ["__proto__", 3]]);
  assert.deepEqual(accepting.checkInbound([1], undefined), [1]);
  const [, sent] = accepting.checkOutbound([1, kwargs({ zz: 2 })]) as [number, Kwargs];
  assert.equal(sent.values.zz, 2);
});

Deno.test("__proto__ and constructor are argument names like others", () => {
  const names = schema.method([["__proto__", Number], ["constructor", String]], null);
  assert.deepEqual(names.checkInbound([], JSON.parse('{"__proto__": 1, "constructor": "x"}')), [1, "x"]);
  assert.throws(() => names.checkInbound([1], undefined), {
    message: "missing required argument 'constructor'",
  });
});

Deno.test("UnconstrainedMethod() takes anything, keyword arguments as Kwargs", () => {
  const free = schema.UnconstrainedMethod();
  assert.equal(free.response, undefined);
  assert.equal(free.positional(99), undefined);
  assert.equal(free.keyword("zz", 0), undefined);
  assert.deepEqual(free.checkInbound([1, "x"], undefined), [1, "x"]);
  assert.ok(free.checkInbound([1], { a: 2 })[1] instanceof Kwargs);
  const args = [1, kwargs({ a: 2 })];
  assert.equal(free.checkOutbound(args), args);
});

const INVALID: readonly (readonly [string, () => unknown])[] = [
  ["an empty argument name", () => schema.method([["", Number]])],
  ["an argument twice", () => schema.method([["a", Number], ["a", String]])],
  ["a first argument self", () => schema.method([["self", Number]])],
  ["a reserved name", () => schema.method([["_useSchema", Number]])],
  ["an argument that is no pair", () => schema.method(["a"] as unknown as [])],
  ["a lone surrogate in a name", () => schema.method([["\ud800", Number]])],
  ["a name too long for the wire", () => schema.method([["n".repeat(1001), Number]])],
];
for (const [name, declare] of INVALID) {
  Deno.test(`method() throws an InvalidRemoteInterface for ${name}`, () => {
    assert.throws(declare, InvalidRemoteInterface);
  });
}

Deno.test("method() throws an UnknownSchemaType where there is no constraint", () => {
  assert.throws(() => schema.method([["a", undefined as unknown as null]]), UnknownSchemaType);
  assert.throws(() => schema.method([], Date as unknown as null), UnknownSchemaType);
});
