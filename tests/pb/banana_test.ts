import assert from "node:assert/strict";
import { float, pb, Violation } from "../../mod.ts";
import { BananaDecoder } from "../../lib/pb/banana/decoder.ts";
import { BananaEncoder } from "../../lib/pb/banana/encoder.ts";
import type { Expression } from "../../lib/pb/banana/expression.ts";
import { DEFAULT_PB_LIMITS, type PbLimits, resolvePbLimits } from "../../lib/pb/limits.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
const ascii = (text: string) => new TextEncoder().encode(text);

function decodeAll(bytes: Uint8Array, vocabulary = true, limits: Partial<PbLimits> = {}): Expression[] {
  const expressions: Expression[] = [];
  new BananaDecoder((expression) => expressions.push(expression), vocabulary, resolvePbLimits(limits)).push(
    bytes,
  );
  return expressions;
}

const MESSAGES: readonly (readonly [name: string, expression: Expression, bytes: string])[] = [
  ["version", [ascii("version"), 6], "02 80 13 87 06 81"],
  [
    "message",
    [ascii("message"), 1, ascii("root"), ascii("echo"), 1, [ascii("tuple")], [ascii("dictionary")]],
    "07 80 1a 87 01 81 04 82 72 6f 6f 74 04 82 65 63 68 6f 01 81 01 80 0b 87 01 80 05 87",
  ],
  ["answer", [ascii("answer"), 4, [ascii("None")]], "03 80 1b 87 04 81 01 80 01 87"],
  ["remote", [ascii("answer"), 5, [ascii("remote"), 1]], "03 80 1b 87 05 81 02 80 10 87 01 81"],
  ["decref", [ascii("decref"), 1], "02 80 1d 87 01 81"],
  ["decache", [ascii("decache"), 1], "02 80 1e 87 01 81"],
  ["uncache", [ascii("uncache"), 1], "02 80 1f 87 01 81"],
  [
    "large request id",
    [ascii("message"), 2 ** 31, ascii("root"), ascii("r"), 1, [ascii("tuple")], [ascii("dictionary")]],
    "07 80 1a 87 00 00 00 00 08 85 04 82 72 6f 6f 74 01 82 72 01 81 01 80 0b 87 01 80 05 87",
  ],
  ["empty list", [], "00 80"],
  ["list", [1, 23], "02 80 01 81 17 81"],
];
for (const [name, expression, bytes] of MESSAGES) {
  Deno.test(`BananaEncoder writes the specification's ${name}, and BananaDecoder reads it`, () => {
    const encoder = new BananaEncoder(true);
    encoder.expression(expression);
    assert.deepEqual(encoder.take(), hex(bytes));
    const again = new BananaEncoder(true);
    again.expression(decodeAll(hex(bytes))[0]!);
    assert.deepEqual(again.take(), hex(bytes));
  });
}

const TOLERATED: readonly (readonly [name: string, bytes: string, expression: Expression])[] = [
  ["no digits as 0", "81", 0],
  ["redundant digits", "05 00 00 85", 5],
  ["a small LONGNEG", "05 86", -5],
  ["a large INT", "00 00 00 00 08 81", 2 ** 31],
  ["digits in front of FLOAT", "05 84 40 04 00 00 00 00 00 00", 2.5],
  ["NEG 0 as 0", "00 83", 0],
  ["an empty string without digits", "82", new Uint8Array()],
];
for (const [name, bytes, expression] of TOLERATED) {
  Deno.test(`BananaDecoder takes ${name}, at once and byte by byte`, () => {
    assert.deepEqual(decodeAll(hex(bytes)), [expression]);
    const expressions: Expression[] = [];
    const decoder = new BananaDecoder((got) => expressions.push(got), true);
    for (const byte of hex(bytes)) decoder.push(Uint8Array.of(byte));
    assert.deepEqual(expressions, [expression]);
  });
}

const REFUSED:
  readonly (readonly [name: string, bytes: Uint8Array, vocabulary?: boolean, limits?: Partial<PbLimits>])[] =
    [
      ["a type byte of Foolscap", hex("00 88")],
      ["a type byte without meaning", hex("ff")],
      ["word 0", hex("00 87")],
      ["an unknown word", hex("20 87")],
      ["a word of a huge number", hex("7f".repeat(40) + "87")],
      ["a word without vocabulary", hex("01 87"), false],
      ["65 digits before their type byte has come", new Uint8Array(65)],
      ["65 digits and a type byte", hex("01".repeat(65) + "81")],
      ["a string of 655,361 bytes, announced", hex("01 00 28 82")],
      ["a string of 2^448 - 1 bytes, announced", hex("7f".repeat(64) + "82")],
      ["a list of 655,361 elements, announced", hex("01 00 28 80")],
      ["a list of 2^448 - 1 elements, announced", hex("7f".repeat(64) + "80")],
      ["lists 1,001 deep", hex("01 80".repeat(1001))],
      ["lists whose announced elements are too many together", hex("00 00 28 80".repeat(13))],
      ["strings that are too many bytes together", hex("7f 80" + "01 82 61".repeat(120)), true, {
        maxExpressionBytes: 8000,
      }],
    ];
for (const [name, bytes, vocabulary = true, limits = {}] of REFUSED) {
  Deno.test(`BananaDecoder refuses ${name}`, () => {
    assert.throws(() => decodeAll(bytes, vocabulary, limits), pb.BananaError);
  });
}

Deno.test("BananaDecoder takes strings and lists of exactly the limits", () => {
  const encoder = new BananaEncoder(true);
  encoder.bytes(new Uint8Array(655_360));
  encoder.expression(new Array(655_360).fill(0));
  const [text, list] = decodeAll(encoder.take());
  assert.equal((text as Uint8Array).length, 655_360);
  assert.equal((list as Expression[]).length, 655_360);
});

Deno.test("BananaDecoder keeps no memory for what a list announces", () => {
  const decoders = Array.from({ length: 200 }, () => new BananaDecoder(() => {}, true));
  const before = Deno.memoryUsage().heapUsed;
  for (const decoder of decoders) decoder.push(hex("00 00 28 80"));
  assert.ok(Deno.memoryUsage().heapUsed - before < 5_000_000);
});

Deno.test("BananaDecoder keeps strings of its own, not parts of what the network delivered", () => {
  const chunk = hex("02 82 68 69");
  const [text] = decodeAll(chunk);
  chunk.fill(0);
  assert.deepEqual(text, ascii("hi"));
  assert.equal((text as Uint8Array).buffer.byteLength, 2);
});

Deno.test("BananaDecoder reads a long string in many chunks in linear time", () => {
  const encoder = new BananaEncoder(true);
  encoder.list(2);
  encoder.bytes(new Uint8Array(600_000).fill(7));
  encoder.bytes(new Uint8Array(600_000).fill(8));
  const bytes = encoder.take();
  const expressions: Expression[] = [];
  const decoder = new BananaDecoder((expression) => expressions.push(expression), true);
  for (let at = 0; at < bytes.length; at += 10) decoder.push(bytes.subarray(at, at + 10));
  assert.deepEqual(expressions, [[new Uint8Array(600_000).fill(7), new Uint8Array(600_000).fill(8)]]);
});

Deno.test("BananaDecoder takes the vocabulary on in the middle of a chunk when its receiver says so", () => {
  const expressions: Expression[] = [];
  const decoder: BananaDecoder = new BananaDecoder((expression) => {
    decoder.vocabulary = true;
    expressions.push(expression);
  });
  decoder.push(hex("02 82 70 62 02 80 13 87 06 81"));
  assert.deepEqual(expressions.length, 2);
});

const UNSENDABLE: readonly (readonly [name: string, expression: unknown, message: RegExp])[] = [
  ["2^448", 2n ** 448n, /2\^448/],
  ["-(2^448)", -(2n ** 448n), /2\^448/],
  ["a string of 655,361 bytes", new Uint8Array(655_361), /655361 bytes/],
  ["a list of 655,361 elements", new Array(655_361).fill(0), /655361 elements/],
  ["text", "text", /a string by Banana/],
  ["null", null, /null by Banana/],
  ["a Map", new Map(), /class Map by Banana/],
  ["a function", () => {}, /a function by Banana/],
];
for (const [name, expression, message] of UNSENDABLE) {
  Deno.test(`encode() refuses ${name} and names it`, () => {
    assert.throws(() => pb.encode(expression as Expression), (error: Error) => {
      assert.ok(error instanceof Violation);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("encode() refuses a list that contains itself", () => {
  const list: Expression[] = [];
  list.push(list);
  assert.throws(() => pb.encode(list), Violation);
});

Deno.test("decode() gives one expression, and is not disturbed by bytes that failed before", () => {
  assert.throws(() => pb.decode(hex("7f".repeat(65))), pb.BananaError);
  assert.throws(() => pb.decode(hex("02 80 01 81")), pb.BananaError);
  assert.throws(() => pb.decode(hex("01 81 01 81")), pb.BananaError);
  assert.throws(() => pb.decode(new Uint8Array()), pb.BananaError);
  assert.deepEqual(pb.decode(hex("02 80 01 81 84 3f f0 00 00 00 00 00 00")), [1, float(1)]);
});

Deno.test("BananaEncoder.rollback() takes back what was begun, and take() gives a buffer to its taker for good", () => {
  const encoder = new BananaEncoder(true);
  encoder.integer(1);
  const { position } = encoder;
  encoder.bytes(new Uint8Array(100_000));
  encoder.rollback(position);
  encoder.integer(2);
  const first = encoder.take();
  encoder.bytes(new Uint8Array(50_000).fill(9));
  const second = encoder.take();
  encoder.bytes(new Uint8Array(50_000).fill(5));
  assert.deepEqual(first, hex("01 81 02 81"));
  assert.equal(second.at(-1), 9);
});

Deno.test("resolvePbLimits() refuses unknown names, and numbers that make no sense", () => {
  assert.deepEqual(resolvePbLimits(), DEFAULT_PB_LIMITS);
  assert.equal(resolvePbLimits({ maxDepth: 5 }).maxDepth, 5);
  assert.throws(() => resolvePbLimits({ maxdepth: 5 } as Partial<PbLimits>), TypeError);
  for (const maxDepth of [0, -1, 1.5, NaN, 1001]) {
    assert.throws(() => resolvePbLimits({ maxDepth }), RangeError);
  }
});

for (const count of [1, 15, 16, 17, 20, 33]) {
  Deno.test(`BananaDecoder reads a list of ${count} elements, byte by byte and at once`, () => {
    const elements: Expression[] = Array.from({ length: count }, (_, i) => i % 5 === 4 ? [i, [i]] : i);
    const encoder = new BananaEncoder();
    encoder.expression(elements);
    const bytes = encoder.take();
    const got: Expression[] = [];
    const decoder = new BananaDecoder((expression) => got.push(expression));
    decoder.push(bytes);
    for (const byte of bytes) decoder.push(Uint8Array.of(byte));
    assert.deepEqual(got, [elements, elements]);
  });
}

for (const value of [Infinity, -Infinity, NaN, 1.5, 2 ** 53]) {
  Deno.test(`BananaEncoder refuses ${value} as an integer, and does not write digits for ever`, () => {
    const encoder = new BananaEncoder(true);
    assert.throws(() => encoder.integer(value), Violation);
    assert.equal(encoder.position, 0);
  });
}
