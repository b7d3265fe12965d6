import assert from "node:assert/strict";
import { Aborted } from "../../lib/graph/receiver.ts";
import { Dict } from "../../lib/values/dict.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { FOOLSCAP_TOKENS as FOOLSCAP } from "../../lib/wire/tokens.ts";
import { copyableClass, describe } from "../support/described.ts";
import { joinBytes, TestReceiver } from "../support/graph_receiver.ts";
import { header, type Piece, tokens } from "../support/tokens_text.ts";
import { collectGarbage } from "../support/gc.ts";

const STRING = 0x82, LONGINT = 0x85, OPEN = 0x88, CLOSE = 0x89;
copyableClass("cp.hostile");

/** One value after the bad one, which must arrive: a list that a `reference` names by its right number. */
function goodMessage(opens: number): Uint8Array {
  return tokens(["(list", "(list", 1, ")", "(reference", opens + 1, ")", ")"], opens);
}

interface Case {
  readonly name: string;
  readonly pieces: readonly Piece[];
  /** OPEN tokens in `pieces`. */
  readonly opens: number;
  readonly message: RegExp;
  readonly where?: string;
  readonly limits?: { [name: string]: number };
}

const long = "x".repeat(65);
const cases: Case[] = [
  {
    name: "an unknown type",
    pieces: ["(list", "(bogus", "(list", ")", ")", ")"],
    opens: 3,
    message: /Unknown OPEN type "bogus"/,
    where: "[0]",
  },
  { name: "an unknown type at the top", pieces: ["(decref", 1, ")"], opens: 1, message: /Unknown top-level/ },
  { name: "a type of 65 bytes", pieces: ["(list", `(${long}`, ")", ")"], opens: 2, message: /too long/ },
  {
    name: "an INT as index token",
    pieces: ["(list", [0x01, 0x88, 0x01, 0x81, 0x01, 0x89], ")"],
    opens: 2,
    message: /is not STRING/,
  },
  {
    name: "an index token that is not UTF-8",
    pieces: ["(list", [0x01, 0x88, 0x01, 0x82, 0xff, 0x01, 0x89], ")"],
    opens: 2,
    message: /not UTF-8/,
  },
  {
    name: "a string that is too long",
    pieces: ["(list", 1, new Uint8Array(101), ")"],
    opens: 1,
    message: /STRING token too large: 101 > 100/,
    where: "[1]",
    limits: { maxStringBytes: 100 },
  },
  {
    name: "an integer that is too long",
    pieces: ["(list", [101, LONGINT, ...new Array(101).fill(1)], ")"],
    opens: 1,
    message: /LONGINT token too large/,
    limits: { maxIntegerBytes: 100 },
  },
  {
    name: "too many elements",
    pieces: ["(list", "(list", ...new Array(11).fill(1), "(list", ")", ")", ")"],
    opens: 3,
    message: /More than 10/,
    where: "[0][10]",
    limits: { maxElements: 10 },
  },
  {
    name: "too many entries",
    pieces: ["(dict", ...Array.from({ length: 22 }, (_, i) => i), ")"],
    opens: 1,
    message: /More than 20/,
    limits: { maxElements: 10 },
  },
  {
    name: "too many attributes",
    pieces: ["(copyable", "cp.hostile", ...Array.from({ length: 11 }, (_, i) => [`a${i}`, i]).flat(), ")"],
    opens: 1,
    message: /More than 20/,
    limits: { maxElements: 10 },
  },
  {
    name: "too deep a nesting",
    pieces: ["(list", "(list", "(list", "(list", ")", ")", ")", ")"],
    opens: 4,
    message: /deeper than 3/,
    where: "[0][0][0]",
    limits: { maxDepth: 3 },
  },
  {
    name: "too much memory",
    pieces: ["(list", ...new Array(80).fill("(list").flatMap((open) => [open, 1, ")"]), ")"],
    opens: 81,
    message: /Message takes more than/,
    limits: { maxMessageBytes: 10_000 },
  },
  {
    name: "a list as a key",
    pieces: ["(dict", "(list", ")", 1, ")"],
    opens: 2,
    message: /a list, dict or set as a key/,
  },
  {
    name: "a list in a tuple as a key",
    pieces: ["(dict", "(tuple", "(list", ")", ")", 1, ")"],
    opens: 3,
    message: /a list, dict or set as a key/,
  },
  {
    name: "a key that is the tuple around it",
    pieces: ["(tuple", "(dict", "(reference", 0, ")", 1, ")", ")"],
    opens: 3,
    message: /incomplete tuple/,
  },
  {
    name: "a list as a member",
    pieces: ["(set", "(list", ")", ")"],
    opens: 2,
    message: /as a member/,
    where: "[0]",
  },
  {
    name: "a dict as a frozen member",
    pieces: ["(immutable-set", 5, "(dict", ")", ")"],
    opens: 2,
    message: /as a member/,
    where: "[1]",
  },
  {
    name: "a signaling NaN as a key",
    pieces: ["(dict", "(decimal", "sNaN", ")", 1, ")"],
    opens: 2,
    message: /signaling NaN/,
  },
  {
    name: "a text key twice",
    pieces: ["(dict", "(unicode", "a", ")", 1, "(unicode", "a", ")", 2, ")"],
    opens: 3,
    message: /Duplicate key .a/,
  },
  {
    name: "__proto__ as a key twice",
    pieces: ["(dict", "(unicode", "__proto__", ")", 1, "(unicode", "__proto__", ")", 2, ")"],
    opens: 3,
    message: /Duplicate key/,
  },
  {
    name: "1 and true as keys",
    pieces: ["(dict", 1, 1, "(boolean", 1, ")", 2, ")"],
    opens: 2,
    message: /Duplicate key \[true\]/,
  },
  {
    name: "1 and 1.0 as keys",
    pieces: ["(dict", 1, 1, [0x84, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], 2, ")"],
    opens: 1,
    message: /Duplicate key/,
  },
  {
    name: "the same bytes as keys",
    pieces: ["(dict", "ab", 1, "ab", 2, ")"],
    opens: 1,
    message: /Duplicate key/,
  },
  {
    name: "a text key, a reference to the dict, and another kind of key",
    pieces: ["(dict", "(unicode", "a", ")", "(reference", 0, ")", 1, 1, ")"],
    opens: 3,
    message: /several kinds/,
  },
  {
    name: "a reference to an unknown number",
    pieces: ["(list", "(reference", 7, ")", ")"],
    opens: 2,
    message: /no object of that number/,
    where: "[0]",
  },
  {
    name: "a reference to a text",
    pieces: ["(list", "(unicode", "a", ")", "(reference", 1, ")", ")"],
    opens: 3,
    message: /no object of that number/,
  },
  {
    name: "a key that refers to its dict",
    pieces: ["(dict", "(tuple", "(reference", 0, ")", ")", 1, ")"],
    opens: 3,
    message: /no object of that number/,
  },
  {
    name: "a text that is not UTF-8",
    pieces: ["(list", "(unicode", Uint8Array.of(0xff), ")", ")"],
    opens: 2,
    message: /not UTF-8/,
    where: "[0]",
  },
  {
    name: "a long text that is not UTF-8",
    pieces: ["(unicode", new Uint8Array(100).fill(0x80), ")"],
    opens: 1,
    message: /not UTF-8/,
  },
  {
    name: "a surrogate in UTF-8",
    pieces: ["(unicode", Uint8Array.of(0xed, 0xa0, 0x80), ")"],
    opens: 1,
    message: /not UTF-8/,
  },
  { name: "a decimal that is none", pieces: ["(decimal", "1,5", ")"], opens: 1, message: /not a decimal/ },
  { name: "a decimal without digits", pieces: ["(decimal", ")"], opens: 1, message: /without digits/ },
  {
    name: "a decimal that is too long",
    pieces: ["(decimal", "1".repeat(101), ")"],
    opens: 1,
    message: /Decimal too long/,
    limits: { maxIntegerBytes: 100 },
  },
  {
    name: "an unknown Copyable",
    pieces: ["(list", "(copyable", "cp.nowhere", "a", "(list", ")", ")", ")"],
    opens: 3,
    message: /Unknown RemoteCopy name "cp.nowhere"/,
    where: "[0]",
  },
  {
    name: "an attribute twice",
    pieces: ["(copyable", "cp.hostile", "a", 1, "a", 2, ")"],
    opens: 1,
    message: /Duplicate attribute name "a"/,
  },
  {
    name: "__proto__ as an attribute twice",
    pieces: ["(copyable", "cp.hostile", "__proto__", 1, "__proto__", 2, ")"],
    opens: 1,
    message: /Duplicate attribute/,
  },
  {
    name: "an attribute name of 1,001 bytes",
    pieces: ["(copyable", "cp.hostile", "a".repeat(1_001), 1, ")"],
    opens: 1,
    message: /Attribute name too long/,
  },
  {
    name: "an attribute name that is not UTF-8",
    pieces: ["(copyable", "cp.hostile", Uint8Array.of(0xc3), 1, ")"],
    opens: 1,
    message: /not UTF-8/,
  },
  {
    name: "ABORT in a list",
    pieces: ["(list", "(list", 1, "!", ")", ")"],
    opens: 2,
    message: /ABORT received/,
  },
  {
    name: "ABORT of all lists, with a PING",
    pieces: ["(list", "(list", "!", "~", ")", "!", ")"],
    opens: 2,
    message: /ABORT received/,
  },
  {
    name: "a PING in what is skipped",
    pieces: ["(list", "(bogus", "~", "(a", "~", ")", ")", ")"],
    opens: 3,
    message: /Unknown/,
  },
];

for (const { name, pieces, opens, message, where, limits } of cases) {
  const bytes = tokens(pieces);
  for (const sizes of [[0], [1], [3, 1, 7]]) {
    Deno.test(`Receiver refuses only the value when ${name} comes (in pieces of ${sizes})`, () => {
      const test = new TestReceiver(limits === undefined ? {} : { limits });
      assert.equal(test.tryPush(bytes, ...sizes), undefined);
      assert.equal(test.arrivals.length, 1, "one Violation and no value");
      assert.match(test.violations[0]!.message, message);
      if (where !== undefined) assert.equal(test.violations[0]!.where, where);
      assert.equal(test.receiver.inMessage, false);
      test.push(goodMessage(opens), ...sizes);
      assert.deepEqual(describe(test.values[0]), { list: [{ id: 1, list: [{ int: "1" }] }, { same: 1 }] });
      const pings = pieces.filter((piece) => piece === "~").length;
      assert.deepEqual(test.pings, new Array(pings).fill(5));
    });
  }
}

const fatal: { name: string; pieces: readonly Piece[]; message: RegExp }[] = [
  {
    name: "CLOSE of another number",
    pieces: [[0x00, OPEN], "list", [0x05, CLOSE]],
    message: /Lost sync, got CLOSE\(5\) but expecting 0/,
  },
  { name: "CLOSE at the top", pieces: [[0x00, CLOSE]], message: /Top-level should never receive CLOSE/ },
  {
    name: "CLOSE in place of a type",
    pieces: ["(list", [0x01, OPEN, 0x01, CLOSE]],
    message: /CLOSE where a type/,
  },
  { name: "OPEN after OPEN", pieces: [[0x00, OPEN, 0x01, OPEN]], message: /OPEN token followed by OPEN/ },
  { name: "vocabulary word 25", pieces: ["(list", [25, 0x87]], message: /no vocabulary word 25/ },
  { name: "a token in a none", pieces: ["(none", 1], message: /none takes no/ },
  { name: "a string in a boolean", pieces: ["(boolean", "a"], message: /only takes an INT/ },
  { name: "a LONGINT in a boolean", pieces: ["(boolean", [1, LONGINT, 1]], message: /only takes an INT/ },
  { name: "two numbers in a boolean", pieces: ["(boolean", 1, 1], message: /one token/ },
  { name: "a number in a unicode", pieces: ["(unicode", 1], message: /only takes strings/ },
  { name: "a list in a unicode", pieces: ["(unicode", "(list"], message: /only takes strings/ },
  { name: "two strings in a unicode", pieces: ["(unicode", "a", "b"], message: /one string/ },
  { name: "a string in a reference", pieces: ["(reference", "a"], message: /one INT/ },
  { name: "an empty reference", pieces: ["(reference", ")"], message: /without a number/ },
  {
    name: "a text as an attribute name",
    pieces: ["(copyable", "cp.hostile", "(unicode"],
    message: /keys must be STRINGs/,
  },
  {
    name: "a string of 2^60 bytes",
    pieces: ["(list", [0, 0, 0, 0, 0, 0, 0, 0, 16, STRING]],
    message: /STRING of/,
  },
  {
    name: "an OPEN with too large a number",
    pieces: [[...new Array(20).fill(0), 1, OPEN]],
    message: /too large a number/,
  },
];
for (const { name, pieces, message } of fatal) {
  for (const size of [0, 1]) {
    Deno.test(`Receiver ends the connection when ${name} comes (in pieces of ${size})`, () => {
      const test = new TestReceiver();
      const error = test.tryPush(tokens(pieces), size);
      assert.ok(error instanceof ProtocolError);
      assert.match(error.message, message);
    });
  }
}

for (
  const [name, pieces] of Object.entries({
    INT: [1],
    STRING: ["a"],
    VOCAB: [[4, 0x87]],
    FLOAT: [[0x84, 0, 0, 0, 0, 0, 0, 0, 0]],
  })
) {
  Deno.test(`Receiver ends the connection when ${name} comes at the top`, () => {
    const error = new TestReceiver({ bareTopLevel: false }).tryPush(tokens(pieces));
    assert.match(error!.message, /Top-level must be OPEN/);
  });
}

Deno.test("Receiver refuses a string of 10 GB at once, and ends the connection after the limit of skipped bytes", () => {
  const test = new TestReceiver({ limits: { maxSkippedBytes: 5_000_000 } });
  test.push(joinBytes([tokens(["(list"]), header(10 * 1024 ** 3, STRING)]));
  assert.equal(test.violations.length, 1);
  const chunk = new Uint8Array(64 * 1024);
  let pushed = 0;
  while (test.tryPush(chunk) === undefined) pushed += chunk.length;
  assert.ok(pushed > 4_000_000 && pushed <= 5_000_000);
});

Deno.test("Receiver counts skipped bytes for each message anew", () => {
  const test = new TestReceiver({ limits: { maxSkippedBytes: 2_000, maxStringBytes: 1_000 } });
  for (let i = 0; i < 5; i++) test.push(tokens(["(list", new Uint8Array(1_500), ")"], i));
  assert.equal(test.violations.length, 5);
});

Deno.test("Receiver refuses 100,000 nested lists and goes on", () => {
  const deep = joinBytes([
    ...Array.from({ length: 100_000 }, (_, i) => joinBytes([header(i, OPEN), Uint8Array.of(4, 0x87)])),
    ...Array.from({ length: 100_000 }, (_, i) => header(99_999 - i, CLOSE)),
  ]);
  const test = new TestReceiver().push(deep, 0);
  assert.match(test.violations[0]!.message, /deeper than 1000/);
  assert.ok(test.violations[0]!.message.length < 400);
  test.push(goodMessage(100_000));
  assert.equal(test.values.length, 1);
});

Deno.test("Receiver takes 1,000,000 elements and refuses one more", () => {
  for (const [count, values] of [[1_000_000, 1], [1_000_001, 0]] as const) {
    const bytes = joinBytes([
      Uint8Array.of(0, OPEN, 4, 0x87),
      new Uint8Array(count).fill(0x81),
      Uint8Array.of(0, CLOSE),
    ]);
    const test = new TestReceiver().push(bytes);
    assert.deepEqual([test.values.length, test.violations.length], [values, 1 - values]);
  }
});

const tiny: Record<string, Piece[]> = {
  "empty sets": ["(set", ")"],
  "empty dicts": ["(dict", ")"],
  "dicts of one number": ["(dict", 1, 1, ")"],
  "lists of one number": ["(list", 1, ")"],
  "tuples": ["(tuple", 1, ")"],
  "byte strings": [Uint8Array.of(0)],
  "doubles": [[0x84, 1, 2, 3, 4, 5, 6, 7, 8]],
  "texts": ["(unicode", "abc", ")"],
  "decimals": ["(decimal", "1.5", ")"],
  "Copyables": ["(copyable", "cp.hostile", ")"],
  "integers of 10 bytes": [[10, LONGINT, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
};
for (const [name, pieces] of Object.entries(tiny)) {
  Deno.test({
    name: `Receiver estimates the memory of many ${name} about right`,
    fn() {
      const limit = 8 * 1024 * 1024;
      const test = new TestReceiver({ limits: { maxMessageBytes: limit } });
      // Numbers of OPENs are repeated, which a receiver does not mind.
      const one = tokens(pieces, 1);
      const many = joinBytes(new Array(1_000).fill(one));
      test.push(Uint8Array.of(0, OPEN, 4, 0x87));
      collectGarbage();
      const before = Deno.memoryUsage().heapUsed;
      let last = before;
      while (test.violations.length === 0 && test.receiver.messageBytes < limit - one.length * 300_000) {
        test.push(many);
        if (test.receiver.messageBytes > limit * 0.9) break;
      }
      collectGarbage();
      last = Deno.memoryUsage().heapUsed;
      assert.ok(last - before < 1.5 * limit, `${last - before} bytes for a limit of ${limit}`);
    },
  });
}

Deno.test("Receiver takes keys of deep tuples in linear time", () => {
  // Each tuple has the one before it twice: 60 of them stand for 2^60 leaves.
  const pieces: Piece[] = ["(list", "(tuple", 1, ")"];
  for (let i = 1; i < 60; i++) {
    const before = i === 1 ? 1 : 2 + (i - 2) * 3;
    pieces.push("(tuple", "(reference", before, ")", "(reference", before, ")", ")");
  }
  const last = 2 + 58 * 3;
  pieces.push("(dict", "(reference", last, ")", 1, ")", "(set", "(reference", last, ")", ")", ")");
  const test = new TestReceiver().push(tokens(pieces));
  assert.deepEqual(test.violations, []);
  const list = test.values[0] as unknown[];
  assert.ok(list.at(-2) instanceof Dict);
  assert.equal((list.at(-2) as Dict).get(list.at(-3)), 1);
});

Deno.test("Receiver makes keys with the names of JavaScript into data", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const pieces = names.flatMap((name, i) => ["(unicode", name, ")", i]);
  const [value] = new TestReceiver().push(tokens(["(dict", ...pieces, ")"])).values as [
    Record<string, unknown>,
  ];
  assert.equal(Object.getPrototypeOf(value), null);
  assert.deepEqual(Object.keys(value), names);
  assert.equal(value["__proto__"], 0);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("Receiver tells an ABORT from other trouble, and ignores one outside", () => {
  const test = new TestReceiver().push(tokens(["(list", "!", ")"]));
  assert.ok(test.violations[0] instanceof Aborted);
  test.push(Uint8Array.of(0x07, 0x8a));
  assert.equal(test.tryPush(goodMessage(1)), undefined);
  assert.equal(test.values.length, 1);
});

Deno.test("Receiver gives PINGs of any size, and ERRORs, anywhere", () => {
  const test = new TestReceiver().push(
    tokens(["(list", [0x8e], [...new Array(10).fill(0), 1, 0x8e], [2, 0x8d, 0x68, 0xff], "~", ")", [0x8f], [
      5,
      0x8f,
    ]]),
    1,
  );
  assert.deepEqual(test.pings, [0, 2n ** 70n, 5]);
  assert.deepEqual(test.errors, ["h\ufffd"]);
  assert.deepEqual(test.values, [[]]);
});

Deno.test("Receiver hands tokens of a negotiated feature to their handlers", () => {
  const seen: unknown[] = [];
  const body = FOOLSCAP.slice();
  body[0x90 - 0x80] = 1;
  body[0x91 - 0x80] = 2;
  const extraTokens = new Map(
    [0x90, 0x91].map((type) => [type, (value: unknown) => seen.push([type, value])] as const),
  );
  const test = new TestReceiver({ tokens: body, extraTokens, limits: { maxStringBytes: 100 } });
  test.push(tokens(["(list", [5, 0x90], [...new Array(10).fill(0), 1, 0x90], [2, 0x91, 7, 8], ")"]), 1);
  assert.deepEqual(seen, [[0x90, 5], [0x90, 2n ** 70n], [0x91, Uint8Array.of(7, 8)]]);
  assert.deepEqual(test.values, [[]]);
  assert.ok(test.tryPush(header(101, 0x91)) instanceof ProtocolError);
});
