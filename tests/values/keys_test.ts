import assert from "node:assert/strict";
import { Decimal } from "../../lib/values/decimal.ts";
import { Dict } from "../../lib/values/dict.ts";
import { findDuplicateKey } from "../../lib/values/value_key.ts";
import { float } from "../../lib/values/float.ts";
import { freezeSet, FrozenSet, frozenSet } from "../../lib/values/value_set.ts";
import { sortedKeys } from "../../lib/values/sort_keys.ts";
import { Tuple, tuple } from "../../lib/values/tuple.ts";
import { findUnhashable } from "../../lib/values/unhashable.ts";
import { fc } from "../deps.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

// Each row is in the order in which Python 3's sorted() leaves it.
const SORTED: readonly (readonly [string, readonly unknown[]])[] = [
  ["nothing", []],
  ["short texts", ["", "10", "9", "Z", "a", "b"]],
  ["texts by code point", ["Z", "a", "é", "\ud7ff", "\ufb01", "\uffff", "\u{10000}", "\u{1f600}"]],
  ["texts that differ after a pair", ["\u{1f600}", "\u{1f600}a", "\u{1f600}\uffff", "\u{1f600}\u{1f600}"]],
  ["bytes", [bytes(), bytes(0), bytes(1), bytes(1, 0), bytes(1, 255), bytes(2), bytes(255)]],
  ["numbers of all types", [
    new Decimal("-1E+3"),
    -1,
    false,
    true,
    new Decimal("2.4"),
    2.5,
    float(3),
    4n,
    10n ** 30n,
  ]],
  ["infinities", [-Infinity, new Decimal("-1E+999999999999999999"), 0, 1e300, new Decimal("Infinity")]],
  ["tuples", [tuple(), tuple(0, null), tuple(1), tuple(true, "a"), tuple(1, "b"), tuple(2, 0)]],
  ["tuples that differ before None", [tuple(1, null), tuple(2, null)]],
  ["tuples of tuples", [tuple(tuple(1, 2), 9), tuple(tuple(1, 3), 0)]],
];
for (const [name, order] of SORTED) {
  Deno.test(`sortedKeys() orders ${name} as Python does`, () => {
    for (const given of [order.toReversed(), order, [...order.slice(1), ...order.slice(0, 1)]]) {
      const copy = given.slice();
      const sorted = sortedKeys(given);
      assert.ok(sorted.length === order.length && sorted.every((key, index) => Object.is(key, order[index])));
      assert.deepEqual(given, copy);
    }
  });
}

const UNORDERED: readonly (readonly [string, readonly unknown[]])[] = [
  ["text and number", ["b", 1, "a"]],
  ["text and bytes", ["b", bytes(1), "a"]],
  ["None and number", [2, null, 1]],
  ["tuples that differ at None", [tuple(1, 2), tuple(1, null)]],
  ["tuple and text", [tuple("b"), "a"]],
  ["NaN", [2, NaN, 1]],
  ["a NaN Decimal", [2, new Decimal("NaN"), 1]],
  ["frozen sets", [frozenSet(2), frozenSet(1)]],
  ["objects", [{ b: 1 }, { a: 1 }]],
];
for (const [name, given] of UNORDERED) {
  Deno.test(`sortedKeys() keeps the order given when there is ${name}`, () => {
    assert.deepEqual(sortedKeys(given), given);
  });
}

Deno.test("sortedKeys() orders texts as their UTF-8 bytes when they are random", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"),
  });
  const encoder = new TextEncoder();
  fc.assert(fc.property(fc.uniqueArray(text), (texts) => {
    // UTF-8 was made so that the order of bytes is the order of code points.
    const byBytes = sortedKeys(texts.map((each) => encoder.encode(each)));
    assert.deepEqual(sortedKeys(texts).map((each) => encoder.encode(each)), byBytes);
  }));
});

Deno.test("sortedKeys() costs linear time when equal tuples stand twice in each of many", () => {
  const build = (last: number) => {
    let shared: unknown = tuple(0);
    for (let i = 0; i < 100; i++) shared = tuple(shared, shared);
    return tuple(shared, last);
  };
  const [one, two] = [build(1), build(2)];
  assert.deepEqual(sortedKeys([two, one]).map((key) => key[1]), [1, 2]);
});

Deno.test("findDuplicateKey() names both keys when Python takes them for one", () => {
  assert.deepEqual(findDuplicateKey(new Map<unknown, number>([["a", 1], [1, 2], [true, 3]]).keys()), {
    first: 1,
    second: true,
  });
  assert.deepEqual(findDuplicateKey([bytes(1), bytes(2), bytes(1)]), { first: bytes(1), second: bytes(1) });
  assert.deepEqual(findDuplicateKey([null, undefined]), { first: null, second: undefined });
});

Deno.test("findDuplicateKey() finds none when all keys differ", () => {
  assert.equal(findDuplicateKey([]), undefined);
  assert.equal(findDuplicateKey(["1", 1, bytes(0x31), tuple(1), "__proto__", null, 1.5]), undefined);
});

const list: unknown[] = [];
const UNHASHABLE: readonly (readonly [string, unknown, object | undefined])[] = [
  ["a text", "a", undefined],
  ["None", null, undefined],
  ["bytes", bytes(1), undefined],
  ["a tuple", tuple(1, tuple("a", frozenSet(2))), undefined],
  ["a Decimal", new Decimal("1"), undefined],
  ["an object of a class", new (class Thing {})(), undefined],
  ["a list", list, list],
  ["a list in a tuple", tuple(1, tuple(list)), list],
  ["a list in a frozen set", frozenSet(list), list],
];
for (const [name, key, expected] of UNHASHABLE) {
  Deno.test(`findUnhashable() gives ${expected ? "the list" : "nothing"} when the key is ${name}`, () => {
    assert.equal(findUnhashable(key), expected);
  });
}

Deno.test("findUnhashable() gives dicts and sets of every kind", () => {
  for (const key of [{}, Object.create(null), new Map(), new Dict(), new Set()]) {
    assert.equal(findUnhashable(key), key);
  }
});

Deno.test("findUnhashable() gives a tuple or frozen set when it is not complete", () => {
  for (const incomplete of [new Tuple(), new FrozenSet()]) {
    assert.equal(findUnhashable(tuple(1, incomplete)), incomplete);
  }
  assert.equal(findUnhashable(freezeSet(new FrozenSet())), undefined);
});

Deno.test("findUnhashable() remembers what it looked into only when nothing was found", () => {
  const seen = new Set<unknown>();
  const bad = tuple(1, tuple(2), list);
  assert.equal(findUnhashable(bad, seen), list);
  assert.equal(findUnhashable(bad, seen), list);
  assert.equal(seen.size, 0);
  const good = tuple(1, tuple(2));
  assert.equal(findUnhashable(good, seen), undefined);
  assert.equal(seen.size, 2);
  assert.equal(findUnhashable(tuple(good, list), seen), list);
  assert.deepEqual([...seen], [good, good[1]]);
});

Deno.test("findUnhashable() ends when tuples are deep and shared", () => {
  let shared: unknown = tuple(0);
  for (let i = 0; i < 50_000; i++) shared = tuple(shared, shared);
  assert.equal(findUnhashable(shared), undefined);
});
