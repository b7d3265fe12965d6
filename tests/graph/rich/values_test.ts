import assert from "node:assert/strict";
import {
  Copyable,
  Dict,
  float,
  frozenSet,
  registerCopier,
  registerRemoteCopy,
  registerRemoteCopyFactory,
  serialize,
  tuple,
  unserialize,
  ValueSet,
  Violation,
} from "../../../mod.ts";
import { encodeRich, sent } from "./support.ts";

class MyDate extends Date {}
class Unnamed extends RangeError {}
const RENAMED = Object.defineProperty(new Error("text"), "name", {
  value: "Renamed",
  writable: true,
  configurable: true,
});
class Renamed extends Error {
  override name = "Renamed";
}

/** What is sent, and what arrives where that is not the same. */
const VALUES: readonly (readonly [name: string, value: unknown, arrives?: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["undefined in a list", [undefined, null, undefined]],
  ["a hole in an array", new Array(3), [undefined, undefined, undefined]],
  ["a small bigint", 5n],
  ["a bigint and a number that are equal", [5n, 5]],
  ["bigints around the safe range", [2n ** 53n - 1n, 2n ** 53n, 1n - 2n ** 53n, -(2n ** 53n), -1n]],
  ["-0, NaN and infinity", [-0, NaN, Infinity]],
  ["a Date", new Date(1_234_567_890_123)],
  ["a Date before 1970", new Date(-1)],
  ["the last Date", new Date(8.64e15)],
  ["an invalid Date", new Date(NaN)],
  ["a Date of a subclass", new MyDate(5), new Date(5)],
  ["an empty Map", new Map()],
  ["a Map, in its order", new Map<unknown, unknown>([["b", 1], ["a", 2], [1, 3]])],
  [
    "a Map with all kinds of keys",
    new Map<unknown, unknown>([[undefined, 1], [null, 2], [NaN, 3], [5, 4], [5n, 5], [true, 6], ["5", 7]]),
  ],
  [
    "a Map with objects as keys",
    new Map<unknown, unknown>([[[1], "list"], [[1], "other"], [new Date(0), "date"]]),
  ],
  ["a Map with bytes as keys", new Map([[new Uint8Array([1]), 1], [new Uint8Array([1]), 2]])],
  ["a Map with the key __proto__", new Map([["__proto__", 1]])],
  ["a Set", new Set<unknown>(["b", "a", 1, 1n, undefined])],
  ["a Set of objects", new Set([[1], [1]])],
  ["a Dict", new Dict([[tuple(1, 2), "t"]])],
  ["a ValueSet", new ValueSet([1, 2])],
  ["a frozen set", frozenSet(1, 2)],
  ["a URL", new URL("https://user:pw@example.org:8080/a%20b?c=d#e")],
  ["a URL of another scheme", new URL("data:text/plain,hello")],
  ["a RegExp", /^(?<year>\d{4})-\/$/dgimsuy],
  ["a RegExp with the flag v", /\p{L}/v],
  ["an empty RegExp", new RegExp("")],
  ["Uint8Array", new Uint8Array([1, 2])],
  ["Int8Array", new Int8Array([-1, 2])],
  ["Uint8ClampedArray", new Uint8ClampedArray([300, 2])],
  ["Int16Array", new Int16Array([-1, 2])],
  ["Uint16Array", new Uint16Array([1, 65_535])],
  ["Int32Array", new Int32Array([-1, 2])],
  ["Uint32Array", new Uint32Array([1, 2 ** 32 - 1])],
  ["BigInt64Array", new BigInt64Array([-1n, 2n])],
  ["BigUint64Array", new BigUint64Array([2n ** 64n - 1n])],
  ["Float16Array", new Float16Array([0.5, -2])],
  ["Float32Array", new Float32Array([0.5, NaN])],
  ["Float64Array", new Float64Array([0.1, -0])],
  ["an empty typed array", new Float64Array()],
  [
    "a typed array that shows a part of its buffer",
    new Uint16Array([1, 2, 3, 4]).subarray(1, 3),
    new Uint16Array([2, 3]),
  ],
  ["a typed array on shared memory", new Int16Array(new SharedArrayBuffer(4)), new Int16Array(2)],
  [
    "a typed array whose bytes are a word of the vocabulary",
    new Int8Array([...new TextEncoder().encode("list")]),
  ],
  ["a DataView", new DataView(Uint8Array.of(0, 1, 2).buffer, 1)],
  ["an ArrayBuffer", Uint8Array.of(1, 2, 3).buffer],
  ["a resizable ArrayBuffer", new ArrayBuffer(2, { maxByteLength: 8 }), new ArrayBuffer(2)],
  ["an Error", new Error("text")],
  ["an Error without a text", new Error()],
  ["a TypeError", new TypeError("text")],
  ["a SyntaxError", new SyntaxError("text")],
  ["a URIError", new URIError("text")],
  ["an EvalError", new EvalError("text")],
  ["a ReferenceError", new ReferenceError("text")],
  ["a DOMException", new DOMException("text", "DataCloneError")],
  ["an Error with a cause", new Error("text", { cause: [5] })],
  [
    "an Error with a chain of causes",
    new Error("a", { cause: new TypeError("b", { cause: new URIError("c") }) }),
  ],
  ["an AggregateError", new AggregateError([new Error("a"), undefined, 5n], "all")],
  ["an Error of a class that nobody knows", new Unnamed("text"), new RangeError("text")],
  [
    "an Error with a name of its own",
    new Renamed("text"),
    RENAMED,
  ],
  ["Temporal.Instant", Temporal.Instant.from("2026-01-02T03:04:05.123456789Z")],
  ["Temporal.ZonedDateTime", Temporal.ZonedDateTime.from("2026-01-02T03:04:05[Europe/Berlin][u-ca=hebrew]")],
  ["Temporal.PlainDateTime", Temporal.PlainDateTime.from("2026-01-02T03:04:05")],
  ["Temporal.PlainDate", Temporal.PlainDate.from("-271821-04-19")],
  ["Temporal.PlainTime", Temporal.PlainTime.from("03:04:05.000000001")],
  ["Temporal.PlainYearMonth", Temporal.PlainYearMonth.from("2026-01")],
  ["Temporal.PlainMonthDay", Temporal.PlainMonthDay.from("02-29")],
  [
    "a plain object",
    JSON.parse('{"__proto__": 1, "a": 2}'),
    Object.assign(Object.create(null), JSON.parse('{"a": 2}')),
  ],
];

for (const [name, value, arrives] of VALUES) {
  Deno.test(`${name} arrives as such where both ends know it`, () => {
    const got = sent(value);
    if (name === "a plain object") {
      assert.deepEqual(Object.entries(got as object), [["__proto__", 1], ["a", 2]]);
      return;
    }
    const expected = arrives === undefined ? value : arrives;
    assert.deepEqual(got, expected);
    if (typeof expected !== "object" || expected === null) return;
    assert.equal(Object.getPrototypeOf(got), Object.getPrototypeOf(expected));
    if (expected.constructor.name in Temporal) assert.equal(String(got), String(expected));
  });
}

Deno.test("a property that is undefined stays there", () => {
  const got = sent({ a: undefined, b: { c: undefined } }) as Record<string, unknown>;
  assert.deepEqual(Object.keys(got), ["a", "b"]);
  assert.deepEqual(Object.entries(got.b as object), [["c", undefined]]);
});

Deno.test("an integral Float is a number when it has come, as towards Python", () => {
  assert.deepEqual(sent([float(3)] as unknown[]), [3]);
});

Deno.test("Temporal.Duration arrives with the numbers that it was made of", () => {
  const duration = Temporal.Duration.from({ weeks: -3, minutes: -90, milliseconds: -1_500, nanoseconds: -1 });
  const got = sent(duration);
  assert.ok(got instanceof Temporal.Duration);
  assert.deepEqual([got.weeks, got.minutes, got.milliseconds, got.nanoseconds], [-3, -90, -1_500, -1]);
});

Deno.test("the order of a Map's keys, and which objects they are, is kept", () => {
  const key = { id: 1 };
  const [map, same] = sent([new Map<unknown, unknown>([["z", 0], [key, 1], ["a", 2]]), key]) as [
    Map<unknown, unknown>,
    object,
  ];
  assert.deepEqual([...map.values()], [0, 1, 2]);
  assert.equal(map.get(same), 1);
});

const SHARED: readonly (readonly [name: string, make: () => object])[] = [
  ["Date", () => new Date(0)],
  ["Map", () => new Map([[1, 2]])],
  ["Set", () => new Set([1])],
  ["URL", () => new URL("https://a.b/")],
  ["RegExp", () => /a/],
  ["typed array", () => new Uint16Array(2)],
  ["ArrayBuffer", () => new ArrayBuffer(2)],
  ["Error", () => new Error("text")],
  ["Temporal object", () => Temporal.PlainDate.from("2026-01-02")],
];
for (const [name, make] of SHARED) {
  Deno.test(`a ${name} that occurs twice in a message arrives as one`, () => {
    const shared = make();
    const [one, other, third] = sent([shared, { a: shared }, make()]) as [object, { a: object }, object];
    assert.equal(one, other.a);
    assert.notEqual(one, third);
    assert.deepEqual(one, shared);
  });
}

Deno.test("a Map, a Set and an Error may contain themselves", () => {
  const map = new Map<unknown, unknown>();
  map.set(map, map).set("list", [map]);
  const gotMap = sent(map);
  assert.equal(gotMap.get(gotMap), gotMap);
  assert.equal((gotMap.get("list") as unknown[])[0], gotMap);

  const set = new Set<unknown>();
  set.add(set).add([set]);
  const gotSet = sent(set);
  assert.ok(gotSet.has(gotSet));

  const error = new TypeError("loop");
  error.cause = { error };
  const gotError = sent(error);
  assert.equal((gotError.cause as { error: unknown }).error, gotError);
  const all = new AggregateError([], "loop");
  all.errors.push(all, new Error("a", { cause: all }));
  const gotAll = sent(all);
  assert.equal(gotAll.errors[0], gotAll);
  assert.equal(gotAll.errors[1].cause, gotAll);
});

Deno.test("a tuple around a Map that has the tuple as a key, and as a value, arrives", () => {
  const map = new Map<unknown, unknown>();
  const around = tuple(map, 1);
  map.set(around, "key").set("value", around);
  const got = sent(around) as unknown as [Map<unknown, unknown>, number];
  assert.equal(got[0].get(got), "key");
  assert.equal(got[0].get("value"), got);
  assert.ok(Object.isFrozen(got));
});

Deno.test("a Map and a Set wait for keys and members that are not there yet, in their order", () => {
  class Made {
    inside: unknown;
  }
  registerCopier(Made, ({ inside }) => ["tests.rich.Made", { inside }]);
  registerRemoteCopyFactory("tests.rich.Made", ({ inside }) => Object.assign(new Made(), { inside }));
  const made = new Made();
  const map = new Map<unknown, unknown>([["a", 1], [made, made], ["b", made], ["c", 3]]);
  const set = new Set<unknown>([0, made, "z"]);
  const error = new Error("waits", { cause: made });
  made.inside = [map, set, error];
  const got = sent(made);
  const [gotMap, gotSet, gotError] = got.inside as [Map<unknown, unknown>, Set<unknown>, Error];
  assert.deepEqual([...gotMap.keys()], ["a", got, "b", "c"]);
  assert.deepEqual([...gotMap.values()], [1, got, got, 3]);
  assert.deepEqual([...gotSet], [0, got, "z"]);
  assert.equal(gotError.cause, got);
});

Deno.test("an Error has no stack of this process, and no properties of its own class", () => {
  const error = Object.assign(new Error("text"), { request: () => {}, code: "ENOENT" });
  const got = sent(error) as Error & { code?: unknown };
  assert.equal(got.stack, "Error: text");
  assert.equal(got.code, undefined);
  assert.deepEqual(Object.keys(got), []);
});

Deno.test("a RegExp arrives with its lastIndex at 0", () => {
  const regexp = /a/g;
  regexp.lastIndex = 3;
  assert.equal(sent(regexp).lastIndex, 0);
});

Deno.test("a typed array has all of its memory for itself", () => {
  const [small, large] = sent([new Int8Array(3), new Float64Array(100_000)]);
  assert.equal(small!.buffer.byteLength, 3);
  assert.equal(large!.buffer.byteLength, 800_000);
});

class Holder extends Copyable {
  static override copytype = "tests.rich.Holder";
  when: unknown;
  table: unknown;
}
registerRemoteCopy(Holder);
Deno.test("a Copyable may have them as attributes", () => {
  const holder = new Holder();
  holder.when = new Date(5);
  holder.table = new Map([[holder.when, undefined]]);
  const got = sent(holder);
  assert.ok(got instanceof Holder);
  assert.deepEqual(got.when, new Date(5));
  assert.deepEqual([...(got.table as Map<unknown, unknown>)], [[got.when, undefined]]);
});

class Timed extends Date {}
class Fault extends Error {}
Deno.test("registerCopier() wins over what is there for the class it derives from", () => {
  registerCopier(Timed, (timed) => ["tests.rich.Timed", { ms: timed.getTime() }]);
  registerRemoteCopyFactory("tests.rich.Timed", ({ ms }) => `timed ${ms}`);
  registerCopier(Fault, ({ message }) => ["tests.rich.Fault", { message }]);
  registerRemoteCopyFactory("tests.rich.Fault", ({ message }) => `fault ${message}`);
  const values: unknown[] = [new Timed(7), new Fault("no"), new Date(7)];
  assert.deepEqual(sent(values), ["timed 7", "fault no", new Date(7)]);
});

const REFUSED: readonly (readonly [name: string, value: unknown, message: RegExp, where: string])[] = [
  ["a SharedArrayBuffer", { a: [new SharedArrayBuffer(1)] }, /SharedArrayBuffer: send a copy/, "a[0]"],
  ["a symbol in a Map", new Map([["k", Symbol("s")]]), /Cannot serialize a symbol/, "k"],
  ["a function in a Set", new Set([0, () => {}]), /wrap it in callable/, "[1]"],
  ["a function in a cause", new Error("a", { cause: { f: () => {} } }), /wrap it in callable/, "cause.f"],
  ["a function in errors", new AggregateError([1, () => {}]), /wrap it in callable/, "errors[1]"],
  ["a number in a box", [new Number(5)], /primitive in a box: send its valueOf/, "[0]"],
  ["a text in a box", [new String("a")], /primitive in a box/, "[0]"],
  ["a bigint in a box", [Object(5n)], /primitive in a box/, "[0]"],
  ["URLSearchParams", [new URLSearchParams("a=b")], /URLSearchParams: send their toString/, "[0]"],
  ["a Promise", [Promise.resolve()], /a Promise: await it first/, "[0]"],
  ["a WeakMap", [new WeakMap()], /a weak collection/, "[0]"],
  [
    "a URL that is too long",
    [new URL(`https://a.b/${"c".repeat(65_536)}`)],
    /URL of 65548 characters/,
    "[0]",
  ],
  ["a RegExp that is too long", [new RegExp("a".repeat(16_385))], /RegExp of more than 16384 bytes/, "[0]"],
  ["a RegExp with a lone surrogate", [new RegExp("\ud800")], /lone surrogate/, "[0]"],
  ["what only looks like a Date", [Object.create(Date.prototype)], /own code failed/, "[0]"],
  ["a Map with a lone surrogate as a key", new Map([["\ud800", 1]]), /lone surrogate/, '["\\ud800"]'],
];
for (const [name, value, message, where] of REFUSED) {
  Deno.test(`${name} is a Violation with its place`, () => {
    assert.throws(() => encodeRich(value), (error) => {
      assert.ok(error instanceof Violation);
      assert.match(error.message, message);
      assert.equal(error.where, where);
      return true;
    });
  });
}

Deno.test("serialize() and unserialize() keep them with the option, and only with it", () => {
  const value = [undefined, new Date(5), new Map([[{}, 5n]]), new RangeError("no", { cause: /a/ })];
  const bytes = serialize(value, { rich: true });
  const [nothing, ...others] = unserialize(bytes, { rich: true }) as typeof value;
  assert.equal(nothing, undefined);
  assert.deepEqual(others[0], new Date(5));
  assert.deepEqual(Array.from((others[1] as Map<object, bigint>).values()), [5n]);
  assert.ok(others[2] instanceof RangeError);
  assert.deepEqual(others[2].cause, /a/);
  assert.throws(() => unserialize(bytes), Violation);
  assert.throws(() => serialize(value), Violation);
  assert.equal(unserialize(serialize(undefined)), null);
});
