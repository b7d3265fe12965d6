/**
 * What constraints say of tokens before there is a value: {@linkcode Constraint.checkToken} and what is inside.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  Copyable,
  Decimal,
  Referenceable,
  registerRemoteCopy,
  RemoteInterface,
  schema,
  Violation,
} from "../../../mod.ts";
import { Callable } from "../../../mod.ts";
import {
  FLOAT,
  INT,
  LONGINT,
  LONGNEG,
  NEG,
  OPEN,
  STRING,
  tokenName,
  VOCAB,
} from "../../../lib/wire/tokens.ts";

const TYPES = [INT, NEG, LONGINT, LONGNEG, FLOAT, STRING, VOCAB, OPEN];
const { ListOf, TupleOf, DictOf, SetOf, ChoiceOf, Optional, Shared, lazy } = schema;

class Sample extends Copyable {
  static override copytype = "tokens.example.com/Sample";
}
class Derived extends Sample {
  static override copytype = "tokens.example.com/Derived";
}
registerRemoteCopy(Sample);
registerRemoteCopy(Derived);
const RIEmpty = RemoteInterface("RIEmpty.tokens.example.com", {});

const OPENS = "OPEN";
const ALL = "INT NEG LONGINT LONGNEG FLOAT STRING VOCAB OPEN";
const TASTES: readonly (readonly [string, schema.Shortcut, string])[] = [
  ["Any", schema.Any(), ALL],
  ["bytes", Uint8Array, "STRING VOCAB"],
  ["text", String, OPENS],
  ["int32", schema.IntegerConstraint(), "INT NEG"],
  ["int", BigInt, "INT NEG LONGINT LONGNEG"],
  ["number", Number, "INT NEG LONGINT LONGNEG FLOAT"],
  ["Float", schema.Float(), "INT NEG LONGINT LONGNEG FLOAT"],
  ["bool", Boolean, OPENS],
  ["None", null, OPENS],
  ["decimal", Decimal, OPENS],
  ["list", ListOf(Number), OPENS],
  ["tuple", [Number], OPENS],
  ["dict", DictOf(String, Number), OPENS],
  ["set", SetOf(Number), OPENS],
  ["attributes", schema.AttributeDictConstraint(["a", Number]), OPENS],
  ["failure", schema.FailureConstraint(), OPENS],
  ["choice", ChoiceOf(Uint8Array, schema.IntegerConstraint(), ListOf(Number)), "INT NEG STRING VOCAB OPEN"],
  ["optional", Optional(Uint8Array), "STRING VOCAB"],
  ["shared", Shared(Uint8Array), "STRING VOCAB"],
  ["lazy", lazy(() => schema.ByteStringConstraint()), "STRING VOCAB"],
  ["interface", RIEmpty, OPENS],
  ["Referenceable", Referenceable, OPENS],
  ["local interface", schema.LocalInterfaceConstraint(Date), ""],
  ["Copyable", Sample, OPENS],
];
for (const [name, shortcut, allowed] of TASTES) {
  Deno.test(`${name} takes the tokens ${allowed || "(none)"} and no others`, () => {
    const constraint = schema.makeConstraint(shortcut);
    const taken = TYPES.filter((type) => constraint.accepts(type, 1)).map(tokenName);
    assert.equal(taken.join(" "), allowed);
    for (const type of TYPES) {
      if (constraint.accepts(type, 1)) constraint.checkToken(type, 1);
      else assert.throws(() => constraint.checkToken(type, 1), Violation);
    }
  });
}

Deno.test("checkToken() says Foolscap's words for a token that is refused or too large", () => {
  const message = (shortcut: schema.Shortcut, type: number, size: number) => {
    try {
      schema.makeConstraint(shortcut).checkToken(type, size);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  assert.equal(
    message(schema.IntegerConstraint(), LONGINT, 5),
    "LONGINT token rejected by IntegerConstraint",
  );
  assert.equal(
    message(schema.ByteStringConstraint({ maxLength: 10 }), STRING, 11),
    "STRING token too large: 11>10",
  );
  assert.equal(
    message(schema.IntegerConstraint({ maxBytes: 4 }), LONGNEG, 5),
    "LONGNEG token too large: 5>4",
  );
  assert.equal(message(BigInt, LONGINT, 1025), "LONGINT token too large: 1025>1024");
  assert.equal(message(schema.IntegerConstraint({ maxBytes: null }), LONGINT, 1e9), undefined);
  assert.equal(
    message(ChoiceOf(Uint8Array, Number), OPEN, 0),
    "typebyte OPEN does not satisfy any of (ByteStringConstraint, NumberConstraint)",
  );
});

const WORDS =
  "none boolean unicode decimal list tuple dict set immutable-set my-reference your-reference their-reference"
    .split(" ");
const INSIDE: readonly (readonly [string, schema.Shortcut, string])[] = [
  ["Any", schema.Any(), WORDS.join(" ")],
  ["bytes", Uint8Array, ""],
  ["text", String, "unicode"],
  ["bool", Boolean, "boolean"],
  ["None", null, "none"],
  ["decimal", Decimal, "decimal"],
  ["list", ListOf(Number), "list"],
  ["tuple", [Number], "tuple"],
  ["dict", DictOf(String, Number), "dict"],
  ["set", SetOf(Number), "set immutable-set"],
  ["mutable set", SetOf(Number, { mutable: true }), "set"],
  ["frozen set", SetOf(Number, { mutable: false }), "immutable-set"],
  ["attributes", schema.AttributeDictConstraint(["a", Number]), "dict"],
  ["failure", schema.FailureConstraint(), ""],
  ["choice", ChoiceOf(Number, String, ListOf(Number)), "unicode list"],
  ["interface", RIEmpty, "my-reference your-reference their-reference"],
  ["any reference", schema.RemoteInterfaceConstraint(null), "my-reference your-reference their-reference"],
  ["function", Callable, "my-reference your-reference their-reference"],
  ["Copyable", Sample, ""],
];
for (const [name, shortcut, allowed] of INSIDE) {
  Deno.test(`${name} takes the sequences ${allowed || "(none)"} and no others`, () => {
    const constraint = schema.makeConstraint(shortcut);
    const taken = WORDS.filter((word) => {
      try {
        constraint.inside(word, undefined);
        return true;
      } catch (error) {
        assert.ok(error instanceof Violation);
        return false;
      }
    });
    assert.equal(taken.join(" "), allowed);
  });
}

Deno.test("a class takes copyables of its own type and of what derives from it", () => {
  const constraint = schema.makeConstraint(Sample);
  assert.equal(constraint.inside("copyable", "tokens.example.com/Sample"), undefined);
  assert.equal(constraint.inside("copyable", "tokens.example.com/Derived"), undefined);
  assert.throws(() => constraint.inside("copyable", "tokens.example.com/Other"), Violation);
  assert.throws(
    () => schema.makeConstraint(Derived).inside("copyable", "tokens.example.com/Sample"),
    Violation,
  );
});

Deno.test("FailureConstraint takes copyables of type Failure only", () => {
  const constraint = schema.FailureConstraint();
  assert.equal(constraint.inside("copyable", "twisted.python.failure.Failure"), undefined);
  assert.throws(() => constraint.inside("copyable", "tokens.example.com/Sample"), Violation);
});

Deno.test("the bytes of text are bounded by four for each character", () => {
  const contents = schema.UnicodeConstraint({ maxLength: 5 }).inside("unicode", undefined)!;
  assert.equal(contents.maxChildren, 1);
  contents.at(0)!.checkToken(STRING, 20);
  contents.at(0)!.checkToken(VOCAB, 0);
  assert.throws(() => contents.at(0)!.checkToken(STRING, 21), /STRING token too large: 21>20/);
});

const FULL: readonly (readonly [string, schema.Shortcut, string, number, string])[] = [
  ["list", ListOf(Number, { maxLength: 2 }), "list", 2, "the list is full"],
  ["tuple", TupleOf(Number, String), "tuple", 2, "the tuple is full"],
  ["dict", DictOf(String, Number, { maxKeys: 1 }), "dict", 2, "the dict is full"],
  ["set", SetOf(Number, { maxLength: 2 }), "immutable-set", 2, "the set is full"],
  ["attributes", schema.AttributeDictConstraint(["a", Number]), "dict", 2, "the dict is full"],
];
for (const [name, shortcut, word, children, message] of FULL) {
  Deno.test(`${name} has room for as many children as it says`, () => {
    const contents = schema.makeConstraint(shortcut).inside(word, undefined)!;
    assert.equal(contents.maxChildren, children);
    for (let i = 0; i < children; i++) assert.ok(contents.at(i));
    assert.throws(() => contents.at(children), { name: "Violation", message });
  });
}

Deno.test("ChoiceOf lets a child be what any of the alternatives lets it be", () => {
  const choice = ChoiceOf(ListOf(Number, { maxLength: 1 }), ListOf(Uint8Array, { maxLength: 3 }), [String]);
  const contents = choice.inside("list", undefined)!;
  assert.equal(contents.maxChildren, 3);
  assert.ok(contents.at(0)!.accepts(INT, 0));
  assert.ok(contents.at(0)!.accepts(STRING, 5));
  assert.ok(!contents.at(0)!.accepts(OPEN, 0));
  assert.equal(contents.at(0), contents.at(0));
  assert.ok(!contents.at(1)!.accepts(INT, 0));
  assert.ok(contents.at(1)!.accepts(STRING, 5));
  assert.throws(() => contents.at(3), /the list is full/);
  assert.equal(ChoiceOf(ListOf(Number), schema.Any()).inside("list", undefined), undefined);
});

Deno.test("attributes of a dict are text, and each value is one of the declared ones", () => {
  const contents = schema.AttributeDictConstraint(["a", Number], ["b", String]).inside("dict", undefined)!;
  assert.ok(contents.at(0)!.accepts(OPEN, 0) && !contents.at(0)!.accepts(INT, 0));
  assert.ok(contents.at(1)!.accepts(INT, 0) && contents.at(1)!.accepts(OPEN, 0));
  assert.ok(!contents.at(1)!.accepts(STRING, 1));
});
