import assert from "node:assert/strict";
import { ProtocolError, tuple, unserialize, Violation } from "../../mod.ts";
import { describe, type Description } from "../support/described.ts";
import { decodeHex } from "../support/hex.ts";
import { interopTest, startPython } from "../support/python.ts";
import { header, type Piece, tokens } from "../support/tokens_text.ts";
import { INT, OPEN, VOCAB } from "../../lib/wire/tokens.ts";

const word = (index: number): Piece => [...header(index, VOCAB)];
const open = (number: number): Piece => [...header(number, OPEN)];
const close = (number: number): Piece => [...header(number, 0x89)];
const SET: Piece[] = ["(set-vocab", 1, "list", 7, "tuple", ")"];

const READ: readonly [name: string, pieces: Piece[], value: unknown][] = [
  ["words of a set-vocab", [...SET, open(1), word(1), 5, open(2), word(7), 6, close(2), close(1)], [
    5,
    tuple(6),
  ]],
  ["words of an add-vocab", ["(add-vocab", 3, "list", ")", open(1), word(3), 5, close(1)], [5]],
  ["words added to others", [
    ...SET,
    "(add-vocab",
    3,
    "none",
    ")",
    open(2),
    word(1),
    open(3),
    word(3),
    close(3),
    close(2),
  ], [null]],
  ["a word that takes the place of another", [
    ...SET,
    "(add-vocab",
    7,
    "list",
    ")",
    open(2),
    word(7),
    1,
    close(2),
  ], [1]],
  ["a table that takes the place of another", [
    ...SET,
    "(set-vocab",
    0,
    "list",
    ")",
    open(2),
    word(0),
    1,
    close(2),
  ], [1]],
  ["words as data", [
    "(set-vocab",
    1,
    "list",
    2,
    Uint8Array.of(0xff, 0),
    ")",
    open(1),
    word(1),
    word(1),
    word(2),
    close(1),
  ], [
    Uint8Array.from([108, 105, 115, 116]),
    Uint8Array.of(0xff, 0),
  ]],
  ["a table without words", ["(set-vocab", ")", 5], 5],
  ["a vocabulary after the value", [5, ...SET], 5],
  ["the greatest index", ["(add-vocab", 0x7fffffff, "list", ")", open(1), word(0x7fffffff), close(1)], []],
];
for (const [name, pieces, value] of READ) {
  Deno.test(`unserialize() reads ${name}`, () => {
    assert.deepEqual(unserialize(tokens(pieces)), value);
  });
}

Deno.test("unserialize() counts vocabulary sequences in the numbers of references", () => {
  const value = unserialize(
    tokens([...SET, open(1), word(1), "(reference", 1, ")", close(1)], 0),
  ) as unknown[];
  assert.equal(value[0], value);
});

type ErrorType = typeof Violation | typeof ProtocolError;
const many = (count: number) => Array.from({ length: count }, (_, i): Piece[] => [i, "w"]).flat();
const REFUSED: readonly [name: string, pieces: Piece[], type: ErrorType, message: RegExp][] = [
  ["an unknown type at the top", ["(bogus", 5, ")"], Violation, /Unknown top-level OPEN type "bogus"|bogus/],
  ["an unknown type inside", ["(list", "(bogus", ")", ")"], Violation, /Unknown OPEN type "bogus"/],
  ["a set-vocab inside a value", ["(list", ...SET, ")"], Violation, /Unknown OPEN type "set-vocab"/],
  ["an add-vocab inside a value", ["(list", "(add-vocab", 1, "x", ")", ")"], Violation, /"add-vocab"/],
  ["a my-reference", ["(my-reference", 1, ")"], Violation, /"my-reference"/],
  ["a vocabulary alone", SET, ProtocolError, /end too early/],
  ["a word that is gone", [...SET, "(set-vocab", 0, "list", ")", open(2), word(7)], ProtocolError, /word 7/],
  ["a key that is no INT", ["(set-vocab", "x"], ProtocolError, /must be an INT/],
  ["a negative key", ["(set-vocab", -1], ProtocolError, /must be an INT/],
  ["a key that is too large", ["(add-vocab", 2 ** 31], ProtocolError, /too large/],
  ["a huge key", ["(add-vocab", [...Array(9).fill(0x7f), INT]], ProtocolError, /too large/],
  ["a word that is a number", ["(set-vocab", 1, 2], ProtocolError, /must be a STRING/],
  ["a key twice", ["(set-vocab", 1, "a", 1, "b"], ProtocolError, /Duplicate vocab key 1/],
  ["a key without a word", ["(set-vocab", 1, ")"], ProtocolError, /ended early/],
  ["an add-vocab of nothing", ["(add-vocab", ")"], ProtocolError, /ended early/],
  ["an add-vocab of two words", ["(add-vocab", 1, "a", 2, "b", ")"], Violation, /only accepts two values/],
  ["a word that is too long", ["(add-vocab", 1, "w".repeat(101), ")"], Violation, /101 > 100/],
  ["too many words", ["(set-vocab", ...many(10_001), ")"], Violation, /more than 10000 words/],
  ["two values", [5, 6], ProtocolError, /more than one value/],
  ["no value", [], ProtocolError, /end too early/],
];
for (const [name, pieces, type, message] of REFUSED) {
  Deno.test(`unserialize() refuses ${name}`, () => {
    assert.throws(() => unserialize(tokens(pieces)), (error) => {
      assert.ok(error instanceof type, Deno.inspect(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("unserialize() refuses a table that grows too large word by word", () => {
  const pieces = Array.from({ length: 10_001 }, (_, i): Piece[] => ["(add-vocab", i, "w", ")"]).flat();
  assert.throws(() => unserialize(tokens([...pieces, 5])), /more than 10000 words/);
});

const VALUE: Description = {
  list: [
    { int: "5" },
    { tuple: [{ str: "list" }, { bytes: "6c697374" }] },
    { dict: [[{ str: "tuple" }, { none: true }]] },
  ],
};
interopTest("unserialize() reads what Python writes with a vocabulary of its own", async () => {
  await using peer = await startPython("../graph/storage_peer.py");
  const plain = (await peer.command("write", { value: VALUE })).hex as string;
  for (const vocab of [[["list", "tuple"]], [["none", "unicode", "dict"], ["tuple", "list"]], [[]]]) {
    const hex = (await peer.command("write", { value: VALUE, vocab })).hex as string;
    assert.notEqual(hex, plain);
    assert.ok(hex.includes("7365742d766f636162"));
    assert.deepEqual(describe(unserialize(decodeHex(hex))), describe(unserialize(decodeHex(plain))));
  }
});
