import assert from "node:assert/strict";
import { Checking } from "../../../lib/graph/schema/checking.ts";
import { checkValue } from "../../../lib/graph/schema/constraint.ts";
import { schema, tuple, Violation } from "../../../mod.ts";

type Tree = number | readonly Tree[];
const tree: schema.Constraint<Tree, Tree> = schema.ChoiceOf(
  BigInt,
  schema.ListOf(schema.lazy(() => tree)),
) as schema.Constraint<
  Tree,
  Tree
>;

Deno.test("lazy() makes recursive constraints, which say where a deep value breaks them", () => {
  assert.doesNotThrow(() => checkValue(tree, [1, [2, [3]]], "inbound"));
  assert.throws(() => checkValue(tree, [1, [2, ["x"]]], "inbound", "args[0]"), {
    name: "Violation",
    where: "args[0][1][1][0]",
  });
});

Deno.test("a value that contains itself keeps a constraint that contains itself, and breaks it for another reason", () => {
  const loop: unknown[] = [1];
  loop.push(loop, [loop]);
  assert.equal(checkValue(tree, loop, "inbound"), loop);
  loop.push("x");
  assert.throws(() => checkValue(tree, loop, "inbound"), Violation);
});

Deno.test("a value with more paths than there is time for is checked once for each part", () => {
  let value: unknown = [1];
  for (let i = 0; i < 200; i++) value = [value, value];
  assert.equal(checkValue(tree, value, "inbound"), value);
  let bad: unknown = ["x"];
  for (let i = 0; i < 200; i++) bad = [bad, bad];
  const choices: schema.Constraint = schema.lazy(() =>
    schema.ChoiceOf(schema.ListOf(choices), schema.ListOf(schema.ChoiceOf(choices, BigInt)))
  );
  assert.throws(() => checkValue(choices, bad, "inbound"), Violation);
});

Deno.test("what was found while a value was assumed to keep its rule is forgotten when it does not", () => {
  // x keeps neither alternative: as a list of `inner` because of the text, so nothing that leant on it may stay.
  const inner: schema.Constraint = schema.ListOf(schema.lazy(() => outer));
  const outer: schema.Constraint = schema.ChoiceOf(
    schema.ListOf(inner, { maxLength: 1 }),
    schema.ListOf(inner),
  );
  const x: unknown[] = [];
  const y: unknown[] = [x];
  x.push(y, "text");
  assert.throws(() => checkValue(outer, x, "inbound"), Violation);
  assert.throws(() => checkValue(inner, y, "inbound"), Violation);
});

Deno.test("a value nested deeper than 1,000 is a Violation and no overflow", () => {
  let value: unknown = 1;
  for (let i = 0; i < 100_000; i++) value = [value];
  assert.throws(() => checkValue(tree, value, "inbound"), /nested (deeper than 1000|too deep)/);
});

Deno.test("a value that contains itself and would have to be changed is a Violation", () => {
  const loop: unknown[] = [1];
  loop.push(loop);
  const floats: schema.Constraint = schema.lazy(() => schema.ListOf(schema.ChoiceOf(schema.Float(), floats)));
  assert.throws(() => checkValue(floats, loop, "outbound"), /Cannot convert a value that contains itself/);
  assert.equal(checkValue(floats, loop, "inbound"), loop);
});

Deno.test("an object that occurs twice is converted once, so that it stays one object", () => {
  const shared = [1];
  const sent = checkValue(
    schema.ListOf(schema.ListOf(schema.Float())),
    [shared, shared],
    "outbound",
  ) as unknown[];
  assert.equal(sent[0], sent[1]);
  assert.notEqual(sent[0], shared);
});

Deno.test("lazy() that is nothing but itself is a TypeError", () => {
  const self: schema.Constraint = schema.lazy(() => self);
  assert.throws(() => checkValue(self, 1, "inbound"), TypeError);
});

Deno.test("ChoiceOf() that is a part of itself asks each alternative once", () => {
  const choice: schema.Constraint = schema.ChoiceOf(String, schema.lazy(() => choice), [
    schema.lazy(() => choice),
  ]);
  assert.doesNotThrow(() => checkValue(choice, tuple(tuple("x")), "inbound"));
  assert.throws(() => checkValue(choice, tuple(tuple(1)), "inbound"), Violation);
  assert.throws(() => choice.checkToken(0x81, 0), /typebyte INT does not satisfy any of/);
});

Deno.test("Checking.under() puts the place in front, and leaves other errors alone", () => {
  const checking = new Checking("inbound");
  assert.throws(() =>
    checking.under(".a", () =>
      checking.under("[2]", () => {
        throw new Violation("bad");
      })), {
    where: "a[2]",
  });
  const other = new TypeError("x");
  assert.throws(() =>
    checking.under(".a", () => {
      throw other;
    }), (error) => error === other);
});
