import assert from "node:assert/strict";
import vectors from "../vectors/graph.json" with { type: "json" };
import { Float, float } from "../../lib/values/float.ts";
import { tuple } from "../../lib/values/tuple.ts";
import { arrived, build, canonical, describe, type Description } from "./described.ts";
import { floatOf, floatText } from "./float_text.ts";

for (const { name, dialect, value } of vectors.vectors) {
  if (dialect !== "pb") continue;
  const description = value as unknown as Description;
  Deno.test(`canonical() keeps the meaning of the description of ${name}`, () => {
    const once = canonical(description);
    assert.deepEqual(canonical(once), once);
    assert.equal(flat(once), flat(description));
  });
}

/** A text that is the same for two descriptions of one value, whatever their order and ids. */
function flat(description: unknown): string {
  return [...JSON.stringify(description).replaceAll(/"(id|same)":\d+,?/g, "")].sort().join("");
}

const FLOATS: readonly (readonly [number, string])[] = [
  [0, "0.0"],
  [-0, "-0.0"],
  [1, "1.0"],
  [-1.5, "-1.5"],
  [100, "100.0"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [1e-7, "1e-07"],
  [1e15, "1000000000000000.0"],
  [1e16, "1e+16"],
  [1.5e300, "1.5e+300"],
  [5e-324, "5e-324"],
  [NaN, "nan"],
  [-Infinity, "-inf"],
];
for (const [value, text] of FLOATS) {
  Deno.test(`floatText() writes ${text} as Python does`, () => {
    assert.equal(floatText(value), text);
    assert.ok(Object.is(floatOf(text), value));
  });
}

Deno.test("floatText() agrees with Python on every float of the vectors", () => {
  for (const { value } of vectors.vectors) {
    if ("float" in value) assert.equal(floatText(floatOf(value.float as string)), value.float);
  }
});

Deno.test("describe() tells shared objects from equal ones", () => {
  const one = [1];
  assert.deepEqual(describe([one, one]), { list: [{ id: 1, list: [{ int: "1" }] }, { same: 1 }] });
  assert.deepEqual(describe([[1], [1]]), { list: [{ list: [{ int: "1" }] }, { list: [{ int: "1" }] }] });
});

Deno.test("describe() numbers objects alike when entries are in another order", () => {
  const x: unknown[] = [], y: unknown[] = [];
  assert.deepEqual(describe({ a: [x, x], b: [y, y] }), describe({ b: [y, y], a: [x, x] }));
});

Deno.test("describe() tells a tuple, a float and a key named constructor", () => {
  assert.deepEqual(describe(tuple(float(3), 3)), { tuple: [{ float: "3.0" }, { int: "3" }] });
  assert.deepEqual(describe({ constructor: 1 }), { dict: [[{ str: "constructor" }, { int: "1" }]] });
});

Deno.test("describe() throws a TypeError when the kind is unknown", () => {
  assert.throws(() => describe([Symbol("x")]), TypeError);
  assert.throws(() => describe(new URL("http://localhost/")), TypeError);
});

Deno.test("build() makes a tuple that contains itself through a list", () => {
  const made = build({ id: 1, tuple: [{ list: [{ same: 1 }] }] }) as [unknown[]];
  assert.equal(made[0][0], made);
  assert.ok(Object.isFrozen(made));
});

Deno.test("build() keeps floats and ints apart", () => {
  assert.ok(build({ float: "1.0" }) instanceof Float);
  assert.equal(build({ int: "1" }), 1);
  assert.equal(build({ int: "9007199254740992" }), 9007199254740992n);
  assert.ok(Object.is(build({ float: "-0.0" }), -0));
});

Deno.test("arrived() takes integral floats for ints, as a receiver does", () => {
  assert.deepEqual(arrived({ list: [{ float: "3.0" }, { float: "-0.0" }, { float: "1e+300" }] }), {
    list: [{ int: "3" }, { float: "-0.0" }, { float: "1e+300" }],
  });
});
