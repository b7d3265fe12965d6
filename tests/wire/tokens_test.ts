import assert from "node:assert/strict";
import { TokenDecoder, type TokenSink } from "../../lib/wire/decoder.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { FOOLSCAP_TOKENS, tokenName } from "../../lib/wire/tokens.ts";
import { vocabularyHash, vocabularyWords } from "../../lib/wire/vocabulary.ts";
import { ProtocolError } from "../../lib/errors.ts";
import { takeAll } from "../support/graph_receiver.ts";
import { decodeHex, encodeHex } from "../support/hex.ts";
import { header } from "../support/tokens_text.ts";
import vectors from "../vectors/tokens.json" with { type: "json" };

/** Writes down what it is told. */
class Recorder implements TokenSink {
  readonly seen: { type: string; value?: string; hex?: string }[] = [];
  accepts = true;
  header(type: number, value: number): void {
    this.seen.push({ type: tokenName(type), value: String(value) });
  }
  bigHeader(type: number, value: bigint): void {
    this.seen.push({ type: tokenName(type), value: String(value) });
  }
  double(type: number, value: number): void {
    const text = Number.isNaN(value) ? "nan" : Number.isInteger(value) ? value.toFixed(1) : String(value);
    this.seen.push({ type: tokenName(type), value: text });
  }
  acceptBody(): boolean {
    return this.accepts;
  }
  body(type: number, bytes: Uint8Array, start: number, end: number): void {
    const body = bytes.slice(start, end);
    const isInteger = tokenName(type).startsWith("LONG");
    const value = isInteger ? { value: String(BigInt(`0x0${body.toHex()}`)) } : { hex: encodeHex(body) };
    this.seen.push({ type: tokenName(type), ...value });
  }
}

function record(bytes: Uint8Array, size = bytes.length): Recorder["seen"] {
  const sink = new Recorder();
  const decoder = new TokenDecoder(sink, { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: 1_000 });
  for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.slice(at, at + size));
  assert.ok(decoder.betweenTokens);
  return sink.seen;
}

for (const row of vectors.vectors) {
  if (row.dialect !== "token") continue;
  const bytes = decodeHex(row.hex);
  Deno.test(`TokenDecoder reads ${row.name} as Foolscap does`, () => {
    assert.deepEqual(record(bytes), [row.token]);
  });
  Deno.test(`TokenDecoder reads ${row.name} byte by byte`, () => {
    assert.deepEqual(record(bytes, 1), [row.token]);
  });
  Deno.test(`TokenDecoder waits for the rest of ${row.name}`, () => {
    for (let length = 1; length < bytes.length; length++) {
      const sink = new Recorder();
      const decoder = new TokenDecoder(sink, { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: 1 });
      decoder.push(bytes.subarray(0, length));
      assert.deepEqual(sink.seen, []);
      assert.equal(decoder.betweenTokens, false);
    }
  });
}

const broken: { name: string; hex: string }[] = [
  { name: "a header of 65 bytes", hex: `${"01".repeat(65)}81` },
  { name: "65 bytes without a type", hex: "01".repeat(65) },
  { name: "type byte 0x80", hex: "0080" },
  { name: "type byte 0x8b", hex: "008b" },
  { name: "type byte 0x8c", hex: "8c" },
  { name: "type byte 0xff", hex: "ff" },
  { name: "an ERROR of 1,001 bytes", hex: `6907${"8d"}` },
];
for (const { name, hex } of broken) {
  for (const size of [1, 7, 100]) {
    Deno.test(`TokenDecoder throws a ProtocolError when ${name} comes in pieces of ${size}`, () => {
      assert.throws(() => record(decodeHex(hex), size), ProtocolError);
    });
  }
}

Deno.test("TokenDecoder keeps no more than a piece when a huge body is announced", () => {
  const sink = new Recorder();
  const decoder = new TokenDecoder(sink, { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: 1_000 });
  const before = Deno.memoryUsage().external;
  decoder.push(header(10 * 1024 ** 3, 0x82));
  assert.ok(Deno.memoryUsage().external - before < 1024 * 1024);
  assert.deepEqual(sink.seen, []);
});

Deno.test("TokenDecoder skips a refused body as it comes, and then goes on", () => {
  const sink = new Recorder();
  sink.accepts = false;
  const decoder = new TokenDecoder(sink, { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: 1_000 });
  decoder.push(header(500, 0x82));
  for (let i = 0; i < 5; i++) decoder.push(new Uint8Array(100).fill(0x88));
  decoder.push(Uint8Array.of(0x07, 0x81));
  assert.deepEqual(sink.seen, [{ type: "INT", value: "7" }]);
});

Deno.test("TokenDecoder throws a ProtocolError when more is skipped than the limit", () => {
  const sink = new Recorder();
  sink.accepts = false;
  const decoder = new TokenDecoder(sink, { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: 1_000 });
  decoder.push(header(5_000, 0x82));
  decoder.push(new Uint8Array(900));
  assert.throws(() => decoder.push(new Uint8Array(200)), ProtocolError);
});

Deno.test("TokenDecoder counts OPENs in sequences that it skips", () => {
  const sink = new Recorder();
  const decoder = new TokenDecoder(sink, { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: 1_000 });
  decoder.skipDepth = 1;
  decoder.push(decodeHex("0188 0287 0288 058e 0289 8a 84 0000000000000000 0189 0089"));
  assert.equal(decoder.opens, 2);
  assert.equal(decoder.skipDepth, 0);
  assert.deepEqual(sink.seen.map((token) => token.type), ["PING"]);
});

Deno.test("TokenDecoder hands over the body of a large token as memory of its own", () => {
  const chunk = header(200_000, 0x82);
  let kept: Uint8Array | undefined;
  const sink = new Recorder();
  sink.body = (_type, bytes, start, end, ...[owned]: [boolean?]) => {
    assert.deepEqual([start, end, owned], [0, 200_000, true]);
    kept = bytes;
  };
  const decoder = new TokenDecoder(sink, { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: 1 });
  decoder.push(chunk);
  for (let i = 0; i < 40; i++) decoder.push(new Uint8Array(5_000).fill(i));
  assert.equal(kept!.length, 200_000);
  assert.equal(kept!.buffer.byteLength, 200_000);
  assert.equal(kept![199_999], 39);
});

const integers: [number | bigint, string][] = [
  [0, "0081"],
  [127, "7f81"],
  [128, "000181"],
  [2 ** 31 - 1, "7f7f7f7f0781"],
  [2 ** 31, "048580000000"],
  [2 ** 32 - 1, "0485ffffffff"],
  [2 ** 32, "05850100000000"],
  [2 ** 40 + 5, "0685010000000005"],
  [2 ** 53 - 1, "07851fffffffffffff"],
  [-1, "0183"],
  [-(2 ** 31), "000000000883"],
  [-(2 ** 31) - 1, "048680000001"],
  [-(2 ** 53 - 1), "07861fffffffffffff"],
  [2n ** 64n, "0985010000000000000000"],
  [-(2n ** 64n), "0986010000000000000000"],
  [5n, "0581"],
];
for (const [value, hex] of integers) {
  Deno.test(`TokenEncoder writes ${value} in its one form`, () => {
    const encoder = new TokenEncoder();
    if (typeof value === "bigint") encoder.bigInteger(value);
    else encoder.integer(value);
    assert.equal(encodeHex(takeAll(encoder)), hex);
  });
}

Deno.test("TokenEncoder writes words of the vocabulary by number, also as bytes and in text", () => {
  const encoder = new TokenEncoder(vocabularyWords(1));
  for (const word of vocabularyWords(1)) {
    encoder.word(word);
    encoder.bytes(new TextEncoder().encode(word));
    encoder.text(word);
  }
  const seen = record(takeAll(encoder));
  vocabularyWords(1).forEach((_, i) => {
    const types = seen.slice(i * 6, i * 6 + 6).map(({ type, value }) =>
      type === "VOCAB" ? `VOCAB ${value}` : type
    );
    assert.deepEqual(types, [`VOCAB ${i}`, `VOCAB ${i}`, "OPEN", "VOCAB 8", `VOCAB ${i}`, "CLOSE"]);
  });
  assert.deepEqual([vocabularyHash(0), vocabularyHash(1)], ["da39", "bb33"]);
  assert.throws(() => vocabularyWords(2), RangeError);
  assert.throws(() => vocabularyHash(2), RangeError);
});

for (const length of [0, 1, 15, 63, 64, 65, 127, 128, 16_000, 32_768, 100_000]) {
  for (const letter of ["a", "\u00e9", "\u{1f600}"]) {
    Deno.test(`TokenEncoder writes ${length} times ${letter} as UTF-8`, () => {
      const text = letter.repeat(length);
      const utf8 = new TextEncoder().encode(text);
      const encoder = new TokenEncoder();
      encoder.word(text);
      encoder.bytes(utf8);
      assert.ok(encoder.text(text));
      const hexes = record(takeAll(encoder)).flatMap(({ type, hex }) => type === "STRING" ? [hex] : []);
      assert.ok([hexes[0], hexes[1], hexes[3]].every((hex) => hex === encodeHex(utf8)));
    });
  }
}

Deno.test("TokenEncoder writes nothing when text has a lone surrogate", () => {
  for (const text of ["\ud800", `${"a".repeat(100)}\udc00`]) {
    const encoder = new TokenEncoder();
    assert.equal(encoder.text(text), false);
    assert.deepEqual([encoder.pendingBytes, encoder.opens], [0, 0]);
  }
});

Deno.test("TokenEncoder copies bytes, so that they can be changed right after", () => {
  for (const size of [10, 100_000]) {
    const encoder = new TokenEncoder();
    const bytes = new Uint8Array(size).fill(1);
    encoder.bytes(bytes);
    bytes.fill(2);
    assert.ok(!takeAll(encoder).subarray(-size).includes(2));
  }
});

Deno.test("TokenEncoder rolls back to a mark, over small and large bodies", () => {
  for (const prefix of [0, 1, 9_000, 40_000]) {
    for (const bodies of [[10], [40_000], [10, 40_000, 10, 50_000, 10], [20_000, 20_000, 20_000]]) {
      const encoder = new TokenEncoder();
      const expected = new TokenEncoder();
      for (const one of [encoder, expected]) {
        one.close(one.open("list"));
        one.bytes(new Uint8Array(prefix).fill(7));
        one.integer(5);
      }
      const pending = encoder.pendingBytes;
      const mark = encoder.mark();
      encoder.open("tuple");
      for (const size of bodies) encoder.bytes(new Uint8Array(size).fill(9));
      encoder.rollback(mark);
      assert.deepEqual([encoder.pendingBytes, encoder.opens], [pending, 1]);
      for (const one of [encoder, expected]) one.close(one.open("dict"));
      assert.deepEqual(takeAll(encoder), takeAll(expected));
      assert.equal(encoder.pendingBytes, 0);
    }
  }
});

Deno.test("TokenEncoder writes PING and PONG of 0 without a header, and a PONG of any size", () => {
  const encoder = new TokenEncoder();
  encoder.bare(0x8e, 0);
  encoder.pong(0);
  encoder.pong(5);
  encoder.pong(2n ** 100n);
  assert.equal(encodeHex(takeAll(encoder)), `8e8f058f${"00".repeat(14)}048f`);
});
