import assert from "node:assert/strict";
import type { Limits } from "../../../lib/limits.ts";
import { CLOSE, OPEN } from "../../../lib/wire/tokens.ts";
import { joinBytes } from "../../support/graph_receiver.ts";
import { header, type Piece, tokens } from "../../support/tokens_text.ts";
import { richReceiver } from "./support.ts";
import { collectGarbage } from "../../support/gc.ts";

const double = (value: number): number[] => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return [0x84, ...bytes];
};
const error = (...fields: Piece[]): Piece[] => ["(js-error", ...fields, ")"];

const CASES: readonly {
  name: string;
  pieces: readonly Piece[];
  message: RegExp;
  where?: string;
  limits?: Partial<Limits>;
}[] = [
  {
    name: "a token in an undefined",
    pieces: ["(list", "(undefined", 1, ")", ")"],
    message: /takes no tokens/,
    where: "[0]",
  },
  { name: "a list in an undefined", pieces: ["(undefined", "(list", ")", ")"], message: /takes no tokens/ },
  { name: "an empty bigint", pieces: ["(bigint", ")"], message: /without its number/ },
  { name: "a bigint of text", pieces: ["(bigint", "5", ")"], message: /one integer/ },
  { name: "a bigint of a double", pieces: ["(bigint", double(1.5), ")"], message: /one integer/ },
  { name: "a bigint of two", pieces: ["(bigint", 1, 2, ")"], message: /one integer/ },
  { name: "an empty date", pieces: ["(list", "(date", ")", ")"], message: /without its time/, where: "[0]" },
  { name: "a date of an INT", pieces: ["(date", 5, ")"], message: /one FLOAT/ },
  { name: "a date of two", pieces: ["(date", double(1), double(2), ")"], message: /one FLOAT/ },
  { name: "a date out of range", pieces: ["(date", double(8.64e15 + 1), ")"], message: /out of range/ },
  { name: "an endless date", pieces: ["(date", double(-Infinity), ")"], message: /out of range/ },
  { name: "a date of half a millisecond", pieces: ["(date", double(0.5), ")"], message: /whole number/ },
  { name: "a key twice", pieces: ["(js-map", 1, 2, 1, 3, ")"], message: /Duplicate key \[1\]/ },
  {
    name: "NaN twice as a key",
    pieces: ["(js-map", double(NaN), 2, double(NaN), 3, ")"],
    message: /Duplicate key/,
  },
  { name: "-0 and 0 as keys", pieces: ["(js-map", double(-0), 2, 0, 3, ")"], message: /Duplicate key/ },
  {
    name: "the map itself twice as a key",
    pieces: ["(js-map", "(reference", 0, ")", 1, "(reference", 0, ")", 2, ")"],
    message: /Duplicate key/,
  },
  { name: "a key without a value", pieces: ["(js-map", 1, 2, 3, ")"], message: /ends with a key/ },
  {
    name: "too many entries",
    pieces: ["(js-map", 1, 1, 2, 2, 3, 3, ")"],
    message: /More than 4 children/,
    limits: { maxElements: 2 },
  },
  {
    name: "a bad value in a map",
    pieces: ["(js-map", "(unicode", "k", ")", "(bogus", ")", ")"],
    message: /Unknown OPEN type/,
    where: "k",
  },
  { name: "a member twice", pieces: ["(js-set", 1, 1, ")"], message: /comes twice/ },
  {
    name: "undefined twice in a set",
    pieces: ["(js-set", "(undefined", ")", "(undefined", ")", ")"],
    message: /comes twice/,
  },
  {
    name: "too many members",
    pieces: ["(js-set", 1, 2, 3, ")"],
    message: /More than 2 children/,
    limits: { maxElements: 2 },
  },
  { name: "an empty url", pieces: ["(url", ")"], message: /ended too early/ },
  { name: "a url that is none", pieces: ["(url", "not a url", ")"], message: /is not one/ },
  { name: "a url of a number", pieces: ["(url", 5, ")"], message: /1 STRINGs/ },
  { name: "a url of two texts", pieces: ["(url", "https://a/", "x", ")"], message: /1 STRINGs/ },
  {
    name: "a url of 65,537 bytes",
    pieces: ["(url", `https://a/${"b".repeat(65_527)}`, ")"],
    message: /too long: 65537 > 65536/,
  },
  { name: "a url that is not UTF-8", pieces: ["(url", Uint8Array.of(0xff), ")"], message: /not UTF-8/ },
  { name: "a regexp without flags", pieces: ["(regexp", "a", ")"], message: /ended too early/ },
  {
    name: "a regexp that does not compile",
    pieces: ["(regexp", new TextEncoder().encode("(?<"), "", ")"],
    message: /cannot be compiled/,
  },
  { name: "a regexp with unknown flags", pieces: ["(regexp", "a", "q", ")"], message: /cannot be compiled/ },
  { name: "a regexp with a flag twice", pieces: ["(regexp", "a", "gg", ")"], message: /cannot be compiled/ },
  {
    name: "a regexp with long flags",
    pieces: ["(regexp", "a", "g".repeat(17), ")"],
    message: /too long: 17 > 16/,
  },
  {
    name: "a regexp of 100 KB",
    pieces: ["(regexp", "a".repeat(100_000), "", ")"],
    message: /too long: 100000 > 16384/,
  },
  {
    name: "a typed-array of an unknown kind",
    pieces: ["(typed-array", "Function", "ab", ")"],
    message: /unknown kind: "Function"/,
  },
  {
    name: "a typed-array of a kind of Object's own",
    pieces: ["(typed-array", "__proto__", "ab", ")"],
    message: /unknown kind/,
  },
  {
    name: "a typed-array of a long kind",
    pieces: ["(typed-array", "A".repeat(33), "ab", ")"],
    message: /kind of a typed-array is too long/,
  },
  {
    name: "a typed-array of a kind that is not UTF-8",
    pieces: ["(typed-array", Uint8Array.of(0xff), "ab", ")"],
    message: /unknown kind/,
  },
  {
    name: "a typed-array of three bytes for numbers of two",
    pieces: ["(typed-array", "Int16Array", "abc", ")"],
    message: /3 bytes, not a multiple of 2/,
  },
  {
    name: "a typed-array of a word of the vocabulary",
    pieces: ["(typed-array", "Float64Array", "list", ")"],
    message: /4 bytes, not a multiple of 8/,
  },
  {
    name: "a typed-array without bytes",
    pieces: ["(typed-array", "Int16Array", ")"],
    message: /ended too early/,
  },
  { name: "a typed-array without a kind", pieces: ["(typed-array", ")"], message: /ended too early/ },
  {
    name: "a typed-array of too much",
    pieces: ["(typed-array", "Int8Array", "a", "b", ")"],
    message: /nothing else/,
  },
  {
    name: "a typed-array of a number",
    pieces: ["(typed-array", "Int8Array", 5, ")"],
    message: /nothing else/,
  },
  {
    name: "a typed-array that is too long",
    pieces: ["(typed-array", "Int8Array", new Uint8Array(101), ")"],
    message: /too large: 101 > 100/,
    limits: { maxStringBytes: 100 },
  },
  { name: "a temporal of an unknown kind", pieces: ["(temporal", "Now", "x", ")"], message: /unknown kind/ },
  {
    name: "a temporal of a bad text",
    pieces: ["(temporal", "PlainDate", "2026-13-01", ")"],
    message: /makes no PlainDate/,
  },
  {
    name: "a temporal of a long text",
    pieces: ["(temporal", "PlainDate", "2".repeat(401), ")"],
    message: /too long/,
  },
  {
    name: "a duration of nine numbers",
    pieces: ["(temporal", "Duration", "1,1,1,1,1,1,1,1,1", ")"],
    message: /makes no Duration/,
  },
  {
    name: "a duration of both signs",
    pieces: ["(temporal", "Duration", "1,-1,0,0,0,0,0,0,0,0", ")"],
    message: /makes no Duration/,
  },
  {
    name: "a duration of words",
    pieces: ["(temporal", "Duration", "1,1,1,1,1,1,1,1,1,Infinity", ")"],
    message: /makes no Duration/,
  },
  {
    name: "an error with an unknown field",
    pieces: error("constructor", 1),
    message: /Unknown field "constructor"/,
  },
  {
    name: "an error with the field __proto__",
    pieces: error("__proto__", 1),
    message: /Unknown field "__proto__"/,
  },
  {
    name: "an error with a message twice",
    pieces: error("message", "a", "message", "b"),
    message: /Duplicate field "message"/,
  },
  {
    name: "an error with a cause twice",
    pieces: error("cause", 1, "cause", 2),
    message: /Duplicate field "cause"/,
  },
  {
    name: "an error with nine types",
    pieces: error(...Array.from({ length: 9 }, () => ["type", "a"]).flat()),
    message: /more than 8 types/,
  },
  {
    name: "an error with a message that is a number",
    pieces: error("message", 5),
    message: /takes a STRING for message/,
  },
  {
    name: "an error with a message that is a list",
    pieces: ["(list", ...error("message", "(list", ")"), ")"],
    message: /takes a STRING for message/,
    where: "[0].message",
  },
  {
    name: "an error with a long message",
    pieces: error("message", "a".repeat(32_769)),
    message: /too large: 32769 > 32768/,
  },
  {
    name: "an error with a long type",
    pieces: error("type", "a".repeat(201)),
    message: /too large: 201 > 200/,
  },
  {
    name: "an error whose field is a number",
    pieces: error(5),
    message: /takes a STRING for the name of a field/,
  },
  {
    name: "an error with a name behind its cause",
    pieces: error("cause", 1, "name", "a"),
    message: /behind its cause/,
  },
  { name: "an error with a field and no value", pieces: error("cause"), message: /ends with a field/ },
  {
    name: "an error whose errors are text",
    pieces: error("errors", "(unicode", "a", ")"),
    message: /errors of a js-error are not a list/,
  },
  { name: "an error whose errors are bytes", pieces: error("errors", "abc"), message: /not a list/ },
  {
    name: "an error whose errors are a tuple",
    pieces: error("errors", "(tuple", ")"),
    message: /not a list/,
  },
  {
    name: "an error that is named before it is there",
    pieces: error("name", "(reference", 0, ")"),
    message: /takes a STRING for name/,
  },
  {
    name: "a reference to a date that is not there",
    pieces: ["(list", "(date", double(NaN), ")", "(reference", 2, ")", ")"],
    message: /no object of that number/,
  },
];

for (const { name, pieces, message, where, limits } of CASES) {
  for (const sizes of [[0], [1]]) {
    Deno.test(`Receiver refuses only the value when ${name} comes (in pieces of ${sizes})`, () => {
      const test = richReceiver(limits);
      assert.equal(test.tryPush(tokens(pieces), ...sizes), undefined);
      assert.equal(test.arrivals.length, 1, "one Violation and no value");
      assert.match(test.violations[0]!.message, message);
      assert.ok(test.violations[0]!.message.length < 400);
      if (where !== undefined) assert.equal(test.violations[0]!.where, where);
      assert.equal(test.receiver.inMessage, false);
      const opens = pieces.filter((piece) => typeof piece === "string" && piece.startsWith("(")).length;
      test.push(tokens(["(js-set", "(date", double(5), ")", ")"], opens), ...sizes);
      assert.deepEqual(test.values, [new Set([new Date(5)])]);
    });
  }
}

Deno.test("Receiver refuses a chain of 20,000 causes and goes on", () => {
  const depth = 20_000;
  const one = tokens(["(js-error", "cause"]).slice(1);
  const deep = joinBytes([
    ...Array.from(
      { length: depth },
      (_, i) => joinBytes([header(i, OPEN), one.slice(one.indexOf(OPEN) + 1)]),
    ),
    ...Array.from({ length: depth }, (_, i) => header(depth - 1 - i, CLOSE)),
  ]);
  const test = richReceiver();
  test.push(deep, 0);
  assert.equal(test.violations.length, 1);
  assert.match(test.violations[0]!.message, /deeper than 1000/);
  assert.equal(test.receiver.inMessage, false);
});

Deno.test("Receiver takes a regexp of 8,000 brackets, or refuses it, and goes on", () => {
  const source = new TextEncoder().encode("(".repeat(8_000) + ")".repeat(8_000));
  const test = richReceiver().push(tokens(["(regexp", source, "", ")"]));
  assert.equal(test.arrivals.length, 1);
  assert.ok(test.violations.every(({ message }) => message.length < 400));
  test.push(tokens(["(date", double(5), ")"], 1));
  assert.deepEqual(test.values.at(-1), new Date(5));
});

Deno.test("an Error takes no class from a peer but JavaScript's own", () => {
  for (
    const type of [
      "javascript.Violation",
      "javascript.constructor",
      "javascript.__proto__",
      "foolscap.tokens.Violation",
      "",
    ]
  ) {
    const test = richReceiver();
    test.push(tokens(error("type", type, "name", "Violation", "message", "no")));
    const [got] = test.values as [Error];
    assert.equal(Object.getPrototypeOf(got), Error.prototype);
    assert.deepEqual([got.name, got.message, got.stack], ["Violation", "no", "Violation: no"]);
  }
  const test = richReceiver();
  test.push(tokens(error("type", "example.Unknown", "type", "javascript.RangeError")));
  assert.equal(Object.getPrototypeOf(test.values[0]), RangeError.prototype);
});

const TINY: Record<string, Piece[]> = {
  "dates": ["(date", double(5), ")"],
  "undefineds": ["(undefined", ")"],
  "bigints": ["(bigint", 5, ")"],
  "maps": ["(js-map", ")"],
  "maps of one number": ["(js-map", 1, 1, ")"],
  "sets of one number": ["(js-set", 1, ")"],
  "URLs": ["(url", "https://example.org/path?query", ")"],
  "RegExps": ["(regexp", "[a-z]+", "g", ")"],
  "typed arrays": ["(typed-array", "Int16Array", "ab", ")"],
  "DataViews": ["(typed-array", "DataView", "ab", ")"],
  "errors": error("type", "javascript.Error", "name", "Error", "message", "text"),
  "DOMExceptions": error("type", "javascript.DOMException", "name", "AbortError", "message", "text"),
  "errors of errors": error(
    "type",
    "javascript.AggregateError",
    "name",
    "AggregateError",
    "errors",
    "(list",
    ")",
  ),
  "zoned dates": ["(temporal", "ZonedDateTime", "2026-01-02T03:04:05+01:00[Europe/Berlin]", ")"],
  "durations": ["(temporal", "Duration", "1,1,1,1,1,1,1,1,1,1", ")"],
};
for (const [name, pieces] of Object.entries(TINY)) {
  Deno.test({
    name: `Receiver estimates the memory of many ${name} about right`,
    fn() {
      const limit = 4 * 1024 * 1024;
      const test = richReceiver({ maxMessageBytes: limit });
      const many = joinBytes(new Array(100).fill(tokens(pieces, 1)));
      test.push(Uint8Array.of(0, OPEN, 4, 0x87));
      collectGarbage();
      const used = () => {
        const { heapUsed, external } = Deno.memoryUsage();
        return heapUsed + external;
      };
      const before = used();
      while (test.violations.length === 0 && test.receiver.messageBytes < limit * 0.9) test.push(many);
      collectGarbage();
      const taken = used() - before;
      assert.ok(taken < 1.5 * limit, `${taken} bytes for a limit of ${limit}`);
    },
  });
}
