import assert from "node:assert/strict";
import { Violation } from "../../lib/errors.ts";
import { Readiness } from "../../lib/graph/readiness.ts";
import { serialize, unserialize } from "../../lib/graph/storage.ts";
import { Tuple, tuple } from "../../lib/values/tuple.ts";
import { describe } from "../support/described.ts";

Deno.test("Readiness knows an object as incomplete until its sequence and what it waits for have ended", () => {
  const [outer, inner] = [{ name: "outer" }, { name: "inner" }];
  const readiness = new Readiness();
  readiness.begin(outer);
  readiness.begin(inner);
  assert.equal(readiness.end(inner, new Set([outer])), true);
  assert.ok(readiness.isIncomplete(inner));
  assert.deepEqual([...readiness.waitsOf(inner)], [outer]);
  assert.equal(readiness.end(outer), false);
  assert.ok(!readiness.isIncomplete(inner));
  assert.ok(!readiness.isIncomplete(outer));
});

Deno.test("Readiness hands on what an object waits for to those who wait for it", () => {
  const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];
  const readiness = new Readiness();
  for (const object of [a, b, c]) readiness.begin(object);
  readiness.end(c, new Set([b]));
  readiness.end(b, new Set([a]));
  assert.deepEqual([...readiness.waitsOf(c)], [a]);
  readiness.end(a);
  assert.ok(![a, b, c].some((object) => readiness.isIncomplete(object)));
});

Deno.test("Readiness refuses an object that waits for itself", () => {
  const object = {};
  const readiness = new Readiness();
  readiness.begin(object);
  assert.throws(() => readiness.end(object, new Set([object])), Violation);
});

Deno.test("serialize() takes a tuple that waited for another one, when that one is there", () => {
  // A tuple inside a list inside the tuple that it contains; and both in one that has not ended.
  const first = new Tuple();
  const second = tuple(first);
  first.push([second]);
  Object.freeze(first);
  const value = [tuple(first, second)];
  assert.deepEqual(describe(unserialize(serialize(value))), describe(value));
});

Deno.test("serialize() refuses a tuple of which Python would have no more than its place in a dict", () => {
  // Python's dict takes the promise of the second tuple, and the list that it is in gets None.
  const [dict, list]: [Record<string, unknown>, unknown[]] = [{}, []];
  const first = tuple(list);
  const second = tuple(dict, first);
  dict.k = second;
  list.push(second);
  assert.throws(() => serialize(first), Violation);
});
