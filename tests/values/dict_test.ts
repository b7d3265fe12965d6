import assert from "node:assert/strict";
import { Decimal } from "../../lib/values/decimal.ts";
import { Dict } from "../../lib/values/dict.ts";
import { float } from "../../lib/values/float.ts";
import { frozenSet } from "../../lib/values/value_set.ts";
import { tuple } from "../../lib/values/tuple.ts";
import { fc } from "../deps.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

Deno.test("Dict is a Map that finds equal bytes and tuples", () => {
  const dict = new Dict<unknown, string>([[bytes(1, 2), "bytes"], [tuple(1, "a"), "tuple"]]);
  assert.ok(dict instanceof Map);
  assert.equal(dict.get(bytes(1, 2)), "bytes");
  assert.equal(dict.get(tuple(1n, "a")), "tuple");
  assert.equal(dict.get(bytes(1)), undefined);
  assert.ok(dict.has(tuple(true, "a")) && !dict.has(tuple("a", 1)));
});

Deno.test("Dict keeps the first key and the last value when keys are equal", () => {
  const dict = Dict.from<unknown, string>([[1, "int"], ["1", "text"], [true, "bool"]]);
  assert.deepEqual([...dict], [[1, "bool"], ["1", "text"]]);
  assert.equal(dict.size, 2);
});

Deno.test("Dict gives back the original keys in the order they came", () => {
  const keys = ["9", 5, bytes(1), tuple(1), null, 2n ** 80n, "", -0.5, frozenSet(1), float(7), "a"];
  const dict = new Dict(keys.map((key, index) => [key, index]));
  assert.deepEqual([...dict.keys()], keys);
  assert.ok([...dict.keys()].every((key, index) => key === keys[index]));
  assert.deepEqual([...dict.values()], keys.map((_, index) => index));
  assert.deepEqual([...dict.entries()], keys.map((key, index) => [key, index]));
  const visited: unknown[] = [];
  dict.forEach(function (this: unknown, value, key, map) {
    visited.push([key, value, map === dict, this]);
  }, "this");
  assert.deepEqual(visited, keys.map((key, index) => [key, index, true, "this"]));
});

Deno.test("Dict takes names of Object's own for keys like others", () => {
  const dict = new Dict<string, number>();
  dict.set("__proto__", 1).set("constructor", 2).set("hasOwnProperty", 3);
  assert.deepEqual([...dict], [["__proto__", 1], ["constructor", 2], ["hasOwnProperty", 3]]);
  assert.equal(dict.get("toString"), undefined);
});

Deno.test("Dict#delete() and clear() remove entries when the key is equal", () => {
  const dict = new Dict<unknown, number>([[bytes(1), 1], [2, 2], [3, 3]]);
  assert.equal(dict.delete(bytes(1)), true);
  assert.equal(dict.delete(bytes(1)), false);
  assert.deepEqual([...dict.keys()], [2, 3]);
  dict.clear();
  assert.equal(dict.size, 0);
  assert.deepEqual([...dict], []);
});

Deno.test("Dict#getOrInsert() keeps the value when the key is there, even if it is undefined", () => {
  const dict = new Dict<unknown, unknown>([[tuple(1), undefined]]);
  assert.equal(dict.getOrInsert(tuple(1), 5), undefined);
  assert.equal(dict.getOrInsert(tuple(2), 6), 6);
  assert.equal(dict.getOrInsertComputed(tuple(3), (key) => (key as number[])[0]), 3);
  assert.equal(dict.size, 3);
});

Deno.test("Dict hands out entries that change nothing when changed", () => {
  const dict = new Dict([["a", 1]]);
  for (const entry of dict) entry[1] = 2;
  assert.equal(dict.get("a"), 1);
});

Deno.test("Dict is shown with its entries when inspected", () => {
  assert.equal(Deno.inspect(new Dict([["a", 1]])), 'Dict(1) { "a" => 1 }');
  assert.match(
    Deno.inspect(new Dict(Array.from({ length: 150 }, (_, i) => [i, i]))),
    /^Dict\(150\) .* and 50 more$/s,
  );
});

Deno.test("Dict can be copied by a Map and compared by deepEqual", () => {
  const dict = new Dict([["a", 1], ["b", 2]]);
  assert.deepEqual(new Map(dict), new Map([["a", 1], ["b", 2]]));
  assert.deepEqual(dict, new Dict([["a", 1], ["b", 2]]));
  assert.notDeepEqual(dict, new Dict([["a", 1], ["b", 3]]));
});

/** Python's `==`, written without keys: the model that Dict is held against. */
function pythonEquals(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => pythonEquals(item, b[index]));
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  if (a instanceof Set && b instanceof Set) {
    return a.size === b.size && [...a].every((item) => [...b].some((other) => pythonEquals(item, other)));
  }
  const [numberOfA, numberOfB] = [plainNumber(a), plainNumber(b)];
  if (numberOfA === undefined || numberOfB === undefined) return a === b;
  // deno-lint-ignore eqeqeq -- the one comparison of number and bigint that is exact
  return numberOfA == numberOfB || Object.is(numberOfA, numberOfB);
}

function plainNumber(value: unknown): number | bigint | undefined {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" || typeof value === "bigint" ? value : undefined;
}

const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    "",
    "1",
    "a",
    "ab",
    "\0n1.5",
    "__proto__",
    null,
    true,
    false,
    -0,
    NaN,
    1.5,
    Infinity,
  ),
  fc.integer({ min: -3, max: 3 }),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.constantFrom<unknown>(40_000, 40_000n, 2 ** 70, 2n ** 70n, 2n ** 70n + 1n, -(2n ** 70n)),
  fc.uint8Array({ maxLength: 2, max: 3 }),
);
const key = fc.letrec<{ key: unknown }>((tie) => ({
  key: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("key"), { maxLength: 3 }).map((items) => tuple(...items)),
    fc.array(tie("key"), { maxLength: 3 }).map((items) => frozenSet(...items)),
  ),
})).key;

Deno.test("Dict does what a list of entries searched by Python's == does when driven at random", () => {
  const step = fc.tuple(fc.constantFrom("set", "set", "delete", "has"), key, fc.nat());
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const dict = new Dict<unknown, number>();
    let model: [unknown, number][] = [];
    for (const [action, at, value] of steps) {
      const found = model.find(([other]) => pythonEquals(at, other));
      assert.equal(dict.get(at), found?.[1]);
      if (action === "has") assert.equal(dict.has(at), found !== undefined);
      else if (action === "delete") {
        assert.equal(dict.delete(at), found !== undefined);
        model = model.filter((entry) => entry !== found);
      } else {
        dict.set(at, value);
        if (found === undefined) model.push([at, value]);
        else found[1] = value;
      }
      assert.equal(dict.size, model.length);
    }
    const entries = [...dict];
    assert.ok(
      entries.every(([at, value], index) => Object.is(at, model[index]![0]) && value === model[index]![1]),
    );
  }));
});

Deno.test("Dict finds a decimal when the number is there", () => {
  const dict = new Dict<unknown, string>([[1, "one"], [0.5, "half"]]);
  assert.equal(dict.get(new Decimal("1.00")), "one");
  assert.equal(dict.get(new Decimal("0.50")), "half");
  assert.equal(dict.get(new Decimal("0.1")), undefined);
});

Deno.test("Dict stays fast when a peer chooses integers that a Map hashes alike", () => {
  // In a native Map all of these fall into one bucket: seconds for 20,000, minutes for these.
  const dict = new Dict<bigint, number>();
  for (let i = 1n; i <= 100_000n; i++) dict.set(i << 64n, 1);
  assert.equal(dict.size, 100_000);
});
