import assert from "node:assert/strict";
import { checkValue } from "../../../lib/graph/schema/constraint.ts";
import { schema, tuple, Violation } from "../../../mod.ts";
import { arktype, valibot, z } from "../../validator_deps.ts";

/** The same rule in each library: `{ name: text of 2 characters or more, tags: list of text }`. */
const SAME: readonly (readonly [string, schema.Shortcut])[] = [
  ["zod", z.object({ name: z.string().min(2), tags: z.array(z.string()) })],
  [
    "valibot",
    valibot.object({
      name: valibot.pipe(valibot.string(), valibot.minLength(2)),
      tags: valibot.array(valibot.string()),
    }),
  ],
  ["arktype", arktype({ name: "string >= 2", tags: "string[]" })],
];
/** As a dict arrives. */
const dict = (entries: object) => Object.assign(Object.create(null), entries) as object;

for (const [name, validator] of SAME) {
  const constraint = schema.makeConstraint(validator);
  Deno.test(`a validator of ${name} takes what it takes, in both directions`, () => {
    const value = dict({ name: "ab", tags: ["x"] });
    assert.equal(checkValue(constraint, value, "outbound"), value);
    assert.deepEqual({ ...checkValue(constraint, value, "inbound") as object }, { name: "ab", tags: ["x"] });
  });
  Deno.test(`a validator of ${name} says where a value is wrong`, () => {
    assert.throws(
      () => checkValue(constraint, dict({ name: "ab", tags: ["x", 5] }), "inbound", "arguments[0]"),
      (error) => error instanceof Violation && error.where === "arguments[0].tags[1]",
    );
    assert.throws(() => checkValue(constraint, dict({ name: "a", tags: [] }), "outbound"), Violation);
  });
  Deno.test(`a validator of ${name} is a part of other constraints`, () => {
    const list = schema.ListOf(validator);
    assert.throws(() => checkValue(list, [dict({ name: "ab", tags: [] }), 5], "inbound"), Violation);
    assert.doesNotThrow(() => checkValue(list, [dict({ name: "ab", tags: [] })], "inbound"));
  });
}

Deno.test("what a validator makes of a value goes on where it came, and not where it is sent", () => {
  const constraint = schema.makeConstraint(z.string().transform((text) => text.length));
  assert.equal(checkValue(constraint, "abc", "inbound"), 3);
  assert.equal(checkValue(constraint, "abc", "outbound"), "abc");
  const list = schema.ListOf(z.string().transform((text) => text.length));
  assert.deepEqual(checkValue(list, ["a", "bc"], "inbound"), [1, 2]);
  const pairs = checkValue(
    schema.makeConstraint([z.string().transform(Number), String]),
    tuple("7", "x"),
    "inbound",
  );
  assert.deepEqual([...pairs as unknown[]], [7, "x"]);
});

/** A validator by hand. */
function standard(validate: (value: unknown) => unknown): schema.StandardSchema {
  return { "~standard": { version: 1, vendor: "tests", validate: validate as never } };
}

Deno.test("an asynchronous validator is a Violation that says so, and its rejection is nobody's", async () => {
  const constraint = schema.makeConstraint(standard(() => Promise.reject(new TypeError("later"))));
  assert.throws(() => checkValue(constraint, 1, "inbound"), /asynchronous, and a synchronous one is needed/);
  await new Promise((resolve) => setTimeout(resolve, 0));
});

Deno.test("a validator that throws is a Violation with its error as the cause", () => {
  const bug = new TypeError("bug");
  const constraint = schema.makeConstraint(standard(() => {
    throw bug;
  }));
  assert.throws(() => checkValue(constraint, 1, "inbound"), (error: Error) => {
    return error instanceof Violation && error.cause === bug && !error.message.includes("bug");
  });
});

Deno.test("issues of a validator become one Violation: the first, with its place and how many more", () => {
  const constraint = schema.makeConstraint(standard(() => ({
    issues: [
      { message: 'must be "x"\u202e', path: ["a", { key: 3 }, Symbol("s")] },
      { message: "second" },
    ],
  })));
  assert.throws(() => checkValue(constraint, 1, "inbound"), {
    message: 'must be "x"\\u202e (and 1 more) (at a[3][…])',
    where: "a[3][…]",
  });
  const none = schema.makeConstraint(standard(() => ({ issues: [] })));
  assert.throws(() => checkValue(none, 1, "inbound"), /value does not satisfy a schema of tests/);
  const long = schema.makeConstraint(standard(() => ({ issues: [{ message: "x".repeat(5000) }] })));
  assert.throws(() => checkValue(long, 1, "inbound"), (error: Error) => error.message.length < 220);
});
