/**
 * Constraints and values, as JavaScript and as Python write them.
 *
 * @module
 */

import { Decimal, Dict, float, frozenSet, schema, tuple } from "../../../mod.ts";

const { ListOf, TupleOf, DictOf, SetOf, ChoiceOf } = schema;
const bytes = (text: string) => new TextEncoder().encode(text);

/** One constraint; `python` is an expression over the names of `foolscap.schema`. */
export interface ConstraintRow {
  readonly name: string;
  readonly constraint: schema.Constraint;
  /** Undefined where Python has none like it. */
  readonly python: string | undefined;
}

/** One value. */
export interface ValueRow {
  readonly name: string;
  readonly value: unknown;
  readonly python: string;
}

function row(
  name: string,
  shortcut: schema.Shortcut,
  python: string | undefined,
): ConstraintRow {
  return { name, constraint: schema.makeConstraint(shortcut), python };
}

/** Each constraint with several parameters. */
export const CONSTRAINTS: readonly ConstraintRow[] = [
  row("Any", schema.Any(), "Any()"),
  row("bytes", Uint8Array, "bytes"),
  row("bytes <= 10", schema.ByteStringConstraint({ maxLength: 10 }), "ByteStringConstraint(10)"),
  row("bytes 3..15", schema.StringConstraint({ maxLength: 15, minLength: 3 }), "StringConstraint(15, 3)"),
  row("str", String, "str"),
  row("str <= 3", schema.UnicodeConstraint({ maxLength: 3 }), "UnicodeConstraint(3)"),
  row("str 4..9", schema.UnicodeConstraint({ maxLength: 9, minLength: 4 }), "UnicodeConstraint(9, 4)"),
  row("str /needle/", schema.UnicodeConstraint({ regexp: "needle" }), "UnicodeConstraint(regexp='needle')"),
  row("str /[abc]+/", schema.UnicodeConstraint({ regexp: /[abc]+/g }), "UnicodeConstraint(regexp='[abc]+')"),
  row("any string", schema.AnyStringConstraint({ maxLength: 5 }), "AnyStringConstraint(5)"),
  row("int32", schema.IntegerConstraint(), "IntegerConstraint()"),
  row("int 4 bytes", schema.IntegerConstraint({ maxBytes: 4 }), "IntegerConstraint(4)"),
  row("int 64 bytes", schema.IntegerConstraint({ maxBytes: 64 }), "IntegerConstraint(64)"),
  row("int any", schema.IntegerConstraint({ maxBytes: null }), "IntegerConstraint(None)"),
  row("int", BigInt, "int"),
  row("number 8 bytes", schema.NumberConstraint({ maxBytes: 8 }), "NumberConstraint(8)"),
  row("number", Number, "float"),
  row("bool", Boolean, "bool"),
  row("True", schema.BooleanConstraint(true), "BooleanConstraint(True)"),
  row("False", schema.BooleanConstraint(false), "BooleanConstraint(False)"),
  row("None", null, "None"),
  row("list of int", ListOf(BigInt), "ListOf(int)"),
  row("list of int <= 2", ListOf(BigInt, { maxLength: 2 }), "ListOf(int, 2)"),
  row("list of bytes 1..1", ListOf(Uint8Array, { maxLength: 1, minLength: 1 }), "ListOf(bytes, 1, 1)"),
  row("list of lists", ListOf(ListOf(BigInt)), "ListOf(ListOf(int))"),
  row("tuple", [BigInt, Uint8Array], "(int, bytes)"),
  row("empty tuple", TupleOf(), "TupleOf()"),
  row("nested tuple", [[BigInt], String], "((int,), str)"),
  row("dict", DictOf(String, BigInt), "DictOf(str, int)"),
  row("dict <= 1", DictOf(String, BigInt, { maxKeys: 1 }), "DictOf(str, int, maxKeys=1)"),
  row("dict of ints", DictOf(BigInt, String), "DictOf(int, str)"),
  row("set", SetOf(BigInt), "SetOf(int)"),
  row("set <= 2", SetOf(BigInt, { maxLength: 2 }), "SetOf(int, 2)"),
  row("mutable set", SetOf(BigInt, { mutable: true }), "SetOf(int, None, True)"),
  row("frozen set", SetOf(BigInt, { mutable: false }), "SetOf(int, None, False)"),
  row(
    "bytes or int",
    ChoiceOf(Uint8Array, schema.IntegerConstraint()),
    "ChoiceOf(bytes, IntegerConstraint())",
  ),
  row("None or list", ChoiceOf(null, ListOf(BigInt)), "ChoiceOf(None, ListOf(int))"),
  row("lists of either", ChoiceOf(ListOf(BigInt), ListOf(String)), "ChoiceOf(ListOf(int), ListOf(str))"),
  row("decimal", Decimal, undefined),
  row("decimal <= 4", schema.Decimal({ maxLength: 4 }), undefined),
  row("Float", schema.Float(), undefined),
  row(
    "attributes",
    schema.AttributeDictConstraint(["a", BigInt], ["b", schema.Optional(String)]),
    "AttributeDictConstraint(('a', int), ('b', Optional(str, '')))",
  ),
  row(
    "attributes, ignoring",
    schema.AttributeDictConstraint(["a", BigInt], { ignoreUnknown: true }),
    "AttributeDictConstraint(('a', int), ignoreUnknown=True)",
  ),
];

const value = (python: string, value: unknown): ValueRow => ({ name: python, value, python });

/** Values of every kind. */
export const VALUES: readonly ValueRow[] = [
  value("None", null),
  value("True", true),
  value("False", false),
  value("0", 0),
  value("1", 1),
  value("-1", -1),
  value("2**31-1", 2 ** 31 - 1),
  value("2**31", 2 ** 31),
  value("-2**31", -(2 ** 31)),
  value("-2**31-1", -(2 ** 31) - 1),
  value("2**32-1", 2 ** 32 - 1),
  value("2**32", 2 ** 32),
  value("2**64", 2n ** 64n),
  value("2**512-1", 2n ** 512n - 1n),
  value("2**512", 2n ** 512n),
  value("-2**512+1", -(2n ** 512n) + 1n),
  value("2**8191", 2n ** 8191n),
  value("1.5", 1.5),
  value("3.0", float(3)),
  value("-0.0", -0),
  value("1e300", 1e300),
  value("float('inf')", Infinity),
  value("b''", bytes("")),
  value("b'short'", bytes("short")),
  value("b'I am too long'", bytes("I am too long")),
  value("b'a'*20", bytes("a".repeat(20))),
  value("''", ""),
  value("'abc'", "abc"),
  value("'xyz'", "xyz"),
  value("'\\u00e9\\U0001f600\\u4e2d'", "\u00e9\u{1f600}\u4e2d"),
  value("'needle in a haystack'", "needle in a haystack"),
  value("[]", []),
  value("[1]", [1]),
  value("[1, 2, 3]", [1, 2, 3]),
  value("[1, 'a']", [1, "a"]),
  value("['a']", ["a"]),
  value("[b'one']", [bytes("one")]),
  value("[1, b'a']", [1, bytes("a")]),
  value("[[1], [2, 3]]", [[1], [2, 3]]),
  value("[[1], ['a']]", [[1], ["a"]]),
  value("()", tuple()),
  value("(1, b'a')", tuple(1, bytes("a"))),
  value("(b'a', 1)", tuple(bytes("a"), 1)),
  value("(1, b'a', 2)", tuple(1, bytes("a"), 2)),
  value("((1,), 'x')", tuple(tuple(1), "x")),
  value("{}", {}),
  value("{'a': 1}", { a: 1 }),
  value("{'a': 1, 'b': 2}", { a: 1, b: 2 }),
  value("{'a': 1, 'b': 'x'}", { a: 1, b: "x" }),
  value("{'a': 1, 'zz': 1}", { a: 1, zz: 1 }),
  value("{'b': 'x'}", { b: "x" }),
  value("{1: 'x'}", new Dict([[1, "x"]])),
  value("set()", new Set()),
  value("{1, 2}", new Set([1, 2])),
  value("{1, 2, 3}", new Set([1, 2, 3])),
  value("{'a'}", new Set(["a"])),
  value("frozenset([1])", frozenSet(1)),
  value("frozenset([1, 2, 3])", frozenSet(1, 2, 3)),
  value("decimal.Decimal('1.10')", new Decimal("1.10")),
  value("decimal.Decimal('1.1055')", new Decimal("1.1055")),
];
