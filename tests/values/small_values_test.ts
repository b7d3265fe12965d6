import assert from "node:assert/strict";
import { Float, float } from "../../lib/values/float.ts";
import { Kwargs, kwargs } from "../../lib/values/kwargs.ts";
import { tuple } from "../../lib/values/tuple.ts";

Deno.test("float() wraps a number and behaves as one in arithmetic", () => {
  const three = float(3);
  assert.ok(three instanceof Float && Object.isFrozen(three));
  assert.equal(three.value, 3);
  assert.equal((three as unknown as number) + 1, 4);
  assert.equal(`${three}`, "3");
  for (const value of [NaN, -0, Infinity]) assert.ok(Object.is(float(value).value, value));
});

Deno.test("float() refuses what is not a number", () => {
  assert.throws(() => float(3n as unknown as number), TypeError);
  assert.throws(() => float("3" as unknown as number), TypeError);
});

Deno.test("kwargs() keeps arguments by name, typed and frozen", () => {
  const given = kwargs({ b: 2, c: "x" });
  const b: number = given.values.b;
  assert.ok(given instanceof Kwargs && Object.isFrozen(given) && Object.isFrozen(given.values));
  assert.deepEqual([b, Object.entries(given.values)], [2, [["b", 2], ["c", "x"]]]);
  assert.equal(Deno.inspect(given), 'Kwargs { b: 2, c: "x" }');
});

Deno.test("kwargs() takes a copy, so that later changes of the object change nothing", () => {
  const source = { b: 2 };
  const given = kwargs(source);
  source.b = 3;
  assert.equal(given.values.b, 2);
});

Deno.test("kwargs() takes __proto__ for a name like others", () => {
  const given = new Kwargs(JSON.parse('{"__proto__": {"polluted": 1}, "toString": 2}'));
  assert.deepEqual(Object.keys(given.values), ["__proto__", "toString"]);
  assert.equal(Object.getPrototypeOf(given.values), null);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.equal("polluted" in given.values, false);
});

for (
  const [name, value] of [
    ["an empty name", { "": 1 }],
    ["a lone surrogate", { "\ud800": 1 }],
    ["null", null],
    ["an empty array", []],
    ["an array", [1, 2]],
    ["a tuple", tuple(1)],
    ["a Map", new Map([["b", 2]])],
    ["a Set", new Set()],
  ] as const
) {
  Deno.test(`kwargs() refuses ${name}`, () => {
    assert.throws(() => kwargs(value as object), TypeError);
  });
}
