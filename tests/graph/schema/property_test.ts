/**
 * What may be sent may also arrive: for constraints and values made by chance.
 *
 * @module
 */

import assert from "node:assert/strict";
import { checkValue } from "../../../lib/graph/schema/constraint.ts";
import { Decimal, Dict, FrozenSet, schema, tuple, ValueSet, Violation } from "../../../mod.ts";
import { fc } from "../../deps.ts";
import { anyValue } from "../../support/any_value.ts";
import { walkTokens } from "../../support/constrained_walk.ts";
import { encodeValues, TestReceiver } from "../../support/graph_receiver.ts";
import { CONSTRAINTS } from "./table.ts";

/** A constraint, and values that mostly keep it. */
interface Case {
  readonly constraint: schema.Constraint;
  readonly value: fc.Arbitrary<unknown>;
}

const max = fc.option(fc.nat(6), { nil: undefined });
const leaf: fc.Arbitrary<Case> = fc.oneof(
  max.map((maxLength) => ({
    constraint: schema.ByteStringConstraint({ maxLength }),
    value: fc.uint8Array({ maxLength: 7 }),
  })),
  max.map((maxLength) => ({
    constraint: schema.UnicodeConstraint({ maxLength }),
    value: fc.oneof(fc.string({ unit: "grapheme", maxLength: 7 }), fc.constantFrom("list", "none")),
  })),
  fc.constantFrom<-1 | 4 | 8>(-1, 4, 8).map((maxBytes) => ({
    constraint: schema.IntegerConstraint({ maxBytes }),
    value: fc.oneof(
      fc.integer(),
      fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
      fc.constantFrom(2 ** 31, -(2 ** 31)),
    ),
  })),
  fc.constant({ constraint: schema.makeConstraint(Number), value: fc.oneof(fc.integer(), fc.double()) }),
  fc.constant({ constraint: schema.Float(), value: fc.oneof(fc.integer(), fc.double()) }),
  fc.constant({ constraint: schema.BooleanConstraint(), value: fc.boolean() }),
  fc.constant({ constraint: schema.Nothing(), value: fc.constantFrom(null, undefined) }),
  fc.constant({
    constraint: schema.Decimal({ maxLength: 4 }),
    value: fc.nat().map((n) => new Decimal(`${n}.5`)),
  }),
  fc.constant({ constraint: schema.Any(), value: anyValue }),
);

const key: fc.Arbitrary<Case> = fc.constantFrom(
  {
    constraint: schema.UnicodeConstraint() as schema.Constraint,
    value: fc.string() as fc.Arbitrary<unknown>,
  },
  { constraint: schema.IntegerConstraint(), value: fc.integer() },
);

const { nested } = fc.letrec<{ nested: Case }>((tie) => ({
  nested: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.tuple(tie("nested"), max).map(([{ constraint, value }, maxLength]) => ({
      constraint: schema.ListOf(constraint, { maxLength }),
      value: fc.array(value, { maxLength: 4 }),
    })),
    fc.array(tie("nested"), { maxLength: 3 }).map((cases) => ({
      constraint: schema.TupleOf(...cases.map(({ constraint }) => constraint)) as schema.Constraint,
      value: fc.tuple(...cases.map(({ value }) => value)).chain((items) =>
        fc.constantFrom<unknown>(items, tuple(...items))
      ),
    })),
    fc.tuple(key, tie("nested"), max).map(([key, { constraint, value }, maxKeys]) => ({
      constraint: schema.DictOf(key.constraint, constraint, { maxKeys }) as schema.Constraint,
      value: fc.array(fc.tuple(key.value, value), { maxLength: 4 }).map((entries) => new Dict(entries)),
    })),
    fc.tuple(key, max).map(([{ constraint, value }, maxLength]) => ({
      constraint: schema.SetOf(constraint, { maxLength }) as schema.Constraint,
      value: fc.array(value, { maxLength: 4 }).chain((all) =>
        fc.constantFrom(new ValueSet(all), new FrozenSet(all))
      ),
    })),
    fc.array(tie("nested"), { minLength: 1, maxLength: 3 }).map((cases) => ({
      constraint: schema.ChoiceOf(...cases.map(({ constraint }) => constraint)),
      value: fc.oneof(...cases.map(({ value }) => value)),
    })),
    tie("nested").map(({ constraint, value }) => ({
      constraint: schema.AttributeDictConstraint(["a", constraint], [
        "b",
        schema.Optional(constraint),
      ]) as schema.Constraint,
      value: fc.record({ a: value, b: value }, { requiredKeys: ["a"] }),
    })),
  ),
}));

const anyCase = nested.chain(({ constraint, value }) => value.map((value) => ({ constraint, value })));

/** Whether a value could be sent; if so, it must arrive. */
function crosses(constraint: schema.Constraint, value: unknown): boolean {
  let sent: unknown;
  let bytes: Uint8Array;
  try {
    sent = checkValue(constraint, value, "outbound");
    bytes = encodeValues([sent]);
  } catch (error) {
    assert.ok(error instanceof Violation, String(error));
    return false;
  }
  walkTokens(bytes, constraint);
  const [arrived] = new TestReceiver().push(bytes).values;
  checkValue(constraint, arrived, "inbound");
  return true;
}

Deno.test("what a constraint lets out, its token stage and its check of what arrives let in", () => {
  let crossed = 0;
  fc.assert(
    fc.property(anyCase, ({ constraint, value }) => {
      if (crosses(constraint, value)) crossed++;
    }),
    { numRuns: 1_000 },
  );
  assert.ok(crossed > 300, `only ${crossed} values crossed`);
});

Deno.test("no value makes a constraint throw anything but a Violation", () => {
  fc.assert(
    fc.property(fc.constantFrom(...CONSTRAINTS), anyValue, ({ constraint }, value) => {
      crosses(constraint, value);
    }),
    { numRuns: 500 },
  );
});
