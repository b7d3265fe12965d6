import assert from "node:assert/strict";
import { Violation } from "../../lib/errors.ts";
import { Decimal } from "../../lib/values/decimal.ts";
import { float } from "../../lib/values/float.ts";
import { freezeSet, FrozenSet, frozenSet } from "../../lib/values/value_set.ts";
import { Tuple, tuple } from "../../lib/values/tuple.ts";
import { sameKey, valueKey } from "../../lib/values/value_key.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const text = (value: string) => new TextEncoder().encode(value);
const object = {};
const symbol = Symbol("s");

const SAME: readonly (readonly [string, unknown, unknown])[] = [
  ["1 and 1n", 1, 1n],
  ["1 and true", 1, true],
  ["0 and false", 0, false],
  ["0 and -0", 0, -0],
  ["0n and -0", 0n, -0],
  ["NaN and NaN", NaN, NaN],
  ["3 and float(3)", 3, float(3)],
  ["2.5 and float(2.5)", 2.5, float(2.5)],
  ["100000 and 100000n", 100_000, 100_000n],
  ["2**60 and the bigint", 2 ** 60, 2n ** 60n],
  ["1e300 and the bigint that it is", 1e300, BigInt(1e300)],
  ["two equal long bigints", 3n ** 5_000n, 3n ** 5_000n],
  ["null and undefined", null, undefined],
  ["equal text", "a\u{1f600}", "a\u{1f600}"],
  ["equal bytes", bytes(1, 2, 3), bytes(1, 2, 3)],
  ["equal bytes of middle length", new Uint8Array(100).fill(200), new Uint8Array(100).fill(200)],
  ["equal long bytes", new Uint8Array(1_000).fill(200), new Uint8Array(1_000).fill(200)],
  ["bytes and a DataView on them", bytes(1, 2), new DataView(bytes(0, 1, 2).buffer, 1)],
  ["equal tuples", tuple(1, "a", bytes(1)), tuple(1n, "a", bytes(1))],
  ["equal tuples with one object", tuple(object, symbol), tuple(object, symbol)],
  ["tuples with a registered symbol", tuple(Symbol.for("x")), tuple(Symbol.for("x"))],
  ["equal long tuples", tuple("x".repeat(1_000)), tuple("x".repeat(1_000))],
  ["a tuple with None", tuple(null), tuple(undefined)],
  ["equal frozen sets in any order", frozenSet(1, "a", object), frozenSet(object, "a", 1n)],
  ["nested frozen sets", frozenSet(frozenSet(1), 2), frozenSet(2, frozenSet(true))],
  ["Decimal 1.0 and 1.00", new Decimal("1.0"), new Decimal("1.00")],
  ["Decimal 1.0 and 1", new Decimal("1.0"), 1],
  ["Decimal 0.5 and 0.5", new Decimal("0.5"), 0.5],
  ["Decimal -0.75 and -0.75", new Decimal("-0.750"), -0.75],
  ["Decimal 1E+30 and the bigint", new Decimal("1E+30"), 10n ** 30n],
  ["Decimal -0 and 0", new Decimal("-0"), 0],
  ["Decimal Infinity and Infinity", new Decimal("-Infinity"), -Infinity],
  ["Decimal 0.1 and 0.10", new Decimal("0.1"), new Decimal("0.10")],
  [
    "Decimal of a double's exact value",
    new Decimal("0.1000000000000000055511151231257827021181583404541015625"),
    0.1,
  ],
  ["long Decimals", new Decimal(`1.${"3".repeat(900)}`), new Decimal(`1.${"3".repeat(900)}0`)],
  ["one object", object, object],
  ["one function", assert, assert],
];

for (const [name, a, b] of SAME) {
  Deno.test(`valueKey() is one for ${name}`, () => {
    assert.equal(valueKey(a), valueKey(b));
    assert.ok(sameKey(a, b));
    assert.ok(sameKey(tuple(a), tuple(b)));
    assert.ok(sameKey(frozenSet(a), frozenSet(b)));
  });
}

const DIFFERENT: readonly (readonly [string, unknown, unknown])[] = [
  ["1 and '1'", 1, "1"],
  ["'a' and b'a'", "a", text("a")],
  ["'' and b''", "", bytes()],
  ["null and 'null'", null, "null"],
  ["0 and None", 0, null],
  ["1 and 1.5", 1, 1.5],
  ["2**53 and 2**53+1", 2n ** 53n, 2n ** 53n + 1n],
  ["1e30 and 10**30", 1e30, 10n ** 30n],
  ["Decimal 0.1 and 0.1", new Decimal("0.1"), 0.1],
  ["Decimal NaN and NaN", new Decimal("NaN"), NaN],
  ["Decimal 1E+400 and 1E+401", new Decimal("1E+400"), new Decimal("1E+401")],
  ["Decimal and its text", new Decimal("1.1"), "1.1"],
  ["a text like the inside of another key", "\0n1.5", 1.5],
  ["a text like a bytes key", "\0ba", text("a")],
  ["a text like a tuple key", "\0t#1;", tuple(1)],
  ["a text with the prefix and one that gets it", "\0s1", "1"],
  ["(1, 2) and (12,)", tuple(1, 2), tuple(12)],
  ["('a', 'b') and ('ab',)", tuple("a", "b"), tuple("ab")],
  ["('1:a',) and ('a',)", tuple("1:a"), tuple("a")],
  ["((1,), 2) and ((1, 2),)", tuple(tuple(1), 2), tuple(tuple(1, 2))],
  ["() and None", tuple(), null],
  ["() and frozenset()", tuple(), frozenSet()],
  ["(1,) and frozenset((1,))", tuple(1), frozenSet(1)],
  ["(1, 2) and (2, 1)", tuple(1, 2), tuple(2, 1)],
  ["tuples of two objects", tuple({}), tuple({})],
  ["tuples of two symbols of one name", tuple(Symbol("s")), tuple(Symbol("s"))],
  ["a symbol and its registered name", tuple(Symbol.for("1")), tuple(Symbol("1"))],
  ["long texts with different lone surrogates", tuple("\ud800".repeat(200)), tuple("\ud801".repeat(200))],
  ["long bytes of different length", new Uint8Array(1_000), new Uint8Array(1_001)],
  ["two arrays", [], []],
  ["two objects", {}, {}],
];

for (const [name, a, b] of DIFFERENT) {
  Deno.test(`valueKey() differs for ${name}`, () => {
    assert.notEqual(valueKey(a), valueKey(b));
    assert.ok(!sameKey(a, b));
    assert.ok(!sameKey(tuple(a), tuple(b)));
    assert.ok(!sameKey(frozenSet(a), frozenSet(b)));
  });
}

Deno.test("valueKey() is short when a key is long", () => {
  for (
    const long of [3n ** 50_000n, new Uint8Array(100_000), tuple("x".repeat(100_000)), new Decimal("1E+399")]
  ) {
    assert.ok(String(valueKey(long)).length < 200);
  }
});

Deno.test("valueKey() costs linear time when a tuple stands twice in each of many", () => {
  // Written out, this tuple has 2**200 leaves.
  const build = () => {
    let shared: unknown = tuple("leaf");
    for (let i = 0; i < 200; i++) shared = tuple(shared, shared);
    return shared;
  };
  assert.ok(sameKey(build(), build()));
});

Deno.test("valueKey() costs linear time when a frozen set stands in many tuples", () => {
  let shared: unknown = frozenSet("leaf");
  for (let i = 0; i < 200; i++) shared = frozenSet(tuple(shared, 1), tuple(shared, 2));
  assert.equal(typeof valueKey(shared), "string");
});

for (const [name, make] of [["tuple", tuple], ["frozen set", frozenSet]] as const) {
  Deno.test(`valueKey() hashes what is long in a ${name} once, though that has few members`, () => {
    const long = new Uint8Array(1_000);
    const shared = make(long);
    const outer = make(shared);
    const keys = [shared, outer].map((value) => valueKey(value));
    // The containers have kept their keys, or they would have others now.
    long[0] = 1;
    assert.deepEqual([shared, outer].map((value) => valueKey(value)), keys);
  });
}

Deno.test("valueKey() refuses tuples when they are too deep", () => {
  let deep: unknown = tuple();
  for (let i = 0; i < 100_000; i++) deep = tuple(deep);
  assert.throws(() => valueKey(deep), Violation);
});

Deno.test("valueKey() refuses a tuple when it contains itself", () => {
  const loop = new Tuple();
  loop.push(loop);
  assert.throws(() => valueKey(loop), Violation);
});

Deno.test("valueKey() follows a container when it is not frozen yet", () => {
  const growing = new Tuple();
  growing.push("x".repeat(500));
  const before = valueKey(growing);
  growing.push(1);
  assert.notEqual(valueKey(growing), before);
  assert.ok(sameKey(Object.freeze(growing), tuple("x".repeat(500), 1)));

  const set = new FrozenSet<string>();
  set.add("x".repeat(500));
  const early = valueKey(set);
  set.add("y");
  assert.notEqual(valueKey(set), early);
  assert.ok(sameKey(freezeSet(set), frozenSet("y", "x".repeat(500))));
});
