import assert from "node:assert/strict";
import { Dict } from "../../lib/values/dict.ts";
import { freezeSet, FrozenSet, frozenSet, ValueSet } from "../../lib/values/value_set.ts";
import { tuple } from "../../lib/values/tuple.ts";
import { fc } from "../deps.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

Deno.test("ValueSet is a Set that keeps the first of equal members", () => {
  const set = new ValueSet<unknown>([1, true, 1n, "1", bytes(1), bytes(1), tuple(1), tuple(1n)]);
  assert.ok(set instanceof Set);
  assert.deepEqual([...set], [1, "1", bytes(1), tuple(1)]);
  assert.ok(set.has(bytes(1)) && !set.has(bytes(2)));
  assert.equal(set.add(bytes(2)).size, 5);
  assert.equal(set.delete(tuple(true)), true);
  assert.equal(set.delete(tuple(true)), false);
  set.clear();
  assert.equal(set.size, 0);
});

Deno.test("ValueSet gives its members by every iteration that a Set has", () => {
  const set = new ValueSet(["b", "a"]);
  assert.deepEqual([...set.keys()], ["b", "a"]);
  assert.deepEqual([...set.values()], ["b", "a"]);
  assert.deepEqual([...set.entries()], [["b", "b"], ["a", "a"]]);
  const visited: unknown[] = [];
  set.forEach((member, again, all) => visited.push([member, again, all === set]));
  assert.deepEqual(visited, [["b", "b", true], ["a", "a", true]]);
  assert.equal(Deno.inspect(set), 'ValueSet(2) { "b", "a" }');
  assert.equal(Deno.inspect(frozenSet(1)), "FrozenSet(1) { 1 }");
});

const ALGEBRA: readonly (readonly [string, (a: ValueSet, b: Set<unknown>) => unknown, unknown])[] = [
  ["union", (a, b) => [...a.union(b)], [1, bytes(1), bytes(2), "x"]],
  ["intersection", (a, b) => [...a.intersection(b)], [1, bytes(1)]],
  ["difference", (a, b) => [...a.difference(b)], [bytes(2)]],
  ["symmetricDifference", (a, b) => [...a.symmetricDifference(b)], [bytes(2), "x"]],
  ["isSubsetOf", (a, b) => [a.isSubsetOf(b), new ValueSet([bytes(1)]).isSubsetOf(b)], [false, true]],
  ["isSupersetOf", (a, b) => [a.isSupersetOf(b), a.isSupersetOf(new Set([bytes(2), 1n]))], [false, true]],
  ["isDisjointFrom", (a, b) => [a.isDisjointFrom(b), a.isDisjointFrom(new Set([bytes(3)]))], [false, true]],
];

for (const [name, run, expected] of ALGEBRA) {
  Deno.test(`ValueSet#${name}() compares by value when the other is a plain Set`, () => {
    assert.deepEqual(
      run(new ValueSet([1, bytes(1), bytes(2)]), new Set<unknown>([true, bytes(1), "x"])),
      expected,
    );
  });
  Deno.test(`FrozenSet#${name}() does the same when the other is a ValueSet`, () => {
    const frozen = FrozenSet.from<unknown>([1, bytes(1), bytes(2)]);
    assert.deepEqual(run(frozen, new ValueSet<unknown>([true, bytes(1), "x"])), expected);
    assert.equal(frozen.size, 3);
  });
}

Deno.test("Set#union() takes a ValueSet when it is the other", () => {
  assert.deepEqual([...new Set<unknown>([1, 2]).union(new ValueSet<unknown>([2, 3]))], [1, 2, 3]);
});

Deno.test("FrozenSet refuses to change when it is frozen", () => {
  for (const set of [frozenSet(1, 2), FrozenSet.from([1, 2]), new FrozenSet(new Set([1, 2]))]) {
    assert.ok(set.isFrozen);
    assert.throws(() => set.add(3), TypeError);
    assert.throws(() => set.add(1), TypeError);
    assert.throws(() => set.delete(1), TypeError);
    assert.throws(() => set.clear(), TypeError);
    assert.deepEqual([...set], [1, 2]);
  }
  assert.ok(frozenSet().isFrozen);
});

Deno.test("FrozenSet can be filled when it was made empty, until freezeSet()", () => {
  const set = new FrozenSet<number>();
  assert.equal(set.isFrozen, false);
  set.add(1).add(2);
  assert.equal(set.delete(2), true);
  assert.equal(freezeSet(set), set);
  assert.throws(() => set.add(3), TypeError);
  assert.ok(set instanceof ValueSet && set instanceof Set);
});

Deno.test("FrozenSet is found by value when it is a key, and ValueSet by identity", () => {
  const mutable = new ValueSet([1]);
  const dict = new Dict<unknown, string>([[frozenSet(1, 2), "frozen"], [mutable, "mutable"]]);
  assert.equal(dict.get(frozenSet(2, 1)), "frozen");
  assert.equal(dict.get(new ValueSet([1])), undefined);
  assert.equal(dict.get(mutable), "mutable");
});

Deno.test("ValueSet agrees with Set when all members are texts", () => {
  const texts = fc.array(fc.string({ maxLength: 2 }));
  fc.assert(fc.property(texts, texts, (a, b) => {
    const [ours, native, other] = [new ValueSet(a), new Set(a), new Set(b)];
    assert.deepEqual([...ours], [...native]);
    assert.deepEqual([...ours.union(other)], [...native.union(other)]);
    assert.deepEqual([...ours.intersection(other)].sort(), [...native.intersection(other)].sort());
    assert.deepEqual([...ours.difference(other)], [...native.difference(other)]);
    assert.deepEqual([...ours.symmetricDifference(other)], [...native.symmetricDifference(other)]);
    assert.equal(ours.isSubsetOf(other), native.isSubsetOf(other));
    assert.equal(ours.isSupersetOf(other), native.isSupersetOf(other));
    assert.equal(ours.isDisjointFrom(other), native.isDisjointFrom(other));
  }));
});
