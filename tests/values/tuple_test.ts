import assert from "node:assert/strict";
import { Tuple, tuple, type TupleOf } from "../../lib/values/tuple.ts";

Deno.test("tuple() makes a frozen array of its arguments", () => {
  const made = tuple(1, "a", null);
  assert.ok(made instanceof Tuple && Array.isArray(made) && Object.isFrozen(made));
  assert.deepEqual([...made], [1, "a", null]);
  assert.throws(() => made.push(1), TypeError);
  assert.throws(() => made.sort(), TypeError);
  assert.throws(() => Object.assign(made, { 0: 2 }), TypeError);
});

Deno.test("tuple() gives each element its type", () => {
  const [number, text] = tuple(1, "a");
  // Assignments that only check if destructuring knows the types.
  const sum: number = number + 1;
  const upper: string = text.toUpperCase();
  const declared: TupleOf<[number, string]> = tuple(1, "a");
  assert.deepEqual([sum, upper, declared.length], [2, "A", 2]);
});

Deno.test("tuple() keeps a single number as an element, not a length", () => {
  assert.deepEqual([...tuple(3)], [3]);
  assert.deepEqual([...Tuple.of(3)], [3]);
  assert.deepEqual([...Tuple.from([3])], [3]);
  assert.equal(tuple().length, 0);
});

Deno.test("Tuple can be filled when it was made empty, until it is frozen", () => {
  const made = new Tuple<[number, number]>();
  made.push(1);
  made.push(2);
  Object.freeze(made);
  assert.deepEqual([...made], [1, 2]);
  assert.throws(() => made.push(3), TypeError);
});

Deno.test("Tuple's methods give plain arrays", () => {
  const made = tuple(1, 2, 3);
  const derived = [
    made.map((n) => n * 2),
    made.filter((n) => n > 1),
    made.slice(1),
    made.concat([4]),
    made.flatMap((n) => [n]),
    made.toSorted(),
    made.with(0, 5),
  ];
  for (const array of derived) {
    assert.ok(!(array instanceof Tuple) && !Object.isFrozen(array));
  }
  assert.deepEqual(derived[0], [2, 4, 6]);
});

Deno.test("Tuple.from() and of() make frozen tuples of anything that can be iterated", () => {
  assert.deepEqual([...Tuple.from(new Set(["a", "b"]))], ["a", "b"]);
  assert.deepEqual([...Tuple.from("ab", (letter, index) => letter + index)], ["a0", "b1"]);
  assert.ok(Object.isFrozen(Tuple.from([])) && Object.isFrozen(Tuple.of(1)));
});

Deno.test("Tuple is shown as one when inspected, and equal ones are deepEqual", () => {
  assert.equal(Deno.inspect(tuple(1, "a")), 'Tuple(2) [ 1, "a" ]');
  assert.deepEqual(tuple(1, tuple(2)), tuple(1, tuple(2)));
});
