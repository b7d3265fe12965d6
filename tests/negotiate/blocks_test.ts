import assert from "node:assert/strict";
import { decodeBlock, encodeBlock, endOfBlock } from "../../lib/negotiate/blocks.ts";
import { BlockReader } from "../../lib/negotiate/block_reader.ts";
import { Refusal } from "../../lib/negotiate/refusal.ts";
import { NegotiationError } from "../../lib/errors.ts";
import { fc } from "../deps.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

function streamOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks.map((chunk) => typeof chunk === "string" ? bytes(chunk) : chunk));
}

Deno.test("encodeBlock() writes sorted, lower-case keys and an empty line", () => {
  assert.equal(text(encodeBlock([["My-Tub-ID", "x"], ["a", "1 2"]])), "a: 1 2\r\nmy-tub-id: x\r\n\r\n");
});

for (
  const [name, entries] of Object.entries<[string, string][]>({
    "a colon in a key": [["a:b", "c"]],
    "an empty key": [["", "c"]],
    "a line break in a key": [["a\nb", "c"]],
    "a line break in a value": [["a", "b\r\nc: d"]],
    "a key twice": [["a", "1"], ["A", "2"]],
    "more than 4,096 bytes": [["a", "x".repeat(4_091)]],
  })
) {
  Deno.test(`encodeBlock() refuses ${name}`, () => assert.throws(() => encodeBlock(entries), TypeError));
}

for (
  const [name, input, output] of [
    ["keys of any case", "My-Tub-ID: x", [["my-tub-id", "x"]]],
    ["no space behind the colon", "a:1", [["a", "1"]]],
    ["much white space before a value, none taken behind it", "a: \t 1 \t", [["a", "1 \t"]]],
    ["a value with colons", "a: pb://x:1", [["a", "pb://x:1"]]],
    ["the last of equal keys", "a: 1\r\nA: 2", [["a", "2"]]],
    ["__proto__ as data", "__proto__: 1", [["__proto__", "1"]]],
    ["an empty value", "a:", [["a", ""]]],
    ["UTF-8", "a: é", [["a", "é"]]],
    ["a bare line feed as part of a value", "a: 1\nb: 2", [["a", "1\nb: 2"]]],
  ] as const
) {
  Deno.test(`decodeBlock() takes ${name}`, () => {
    assert.deepEqual([...decodeBlock(bytes(input))], output);
  });
}

for (
  const [name, input] of [
    ["a line without a colon", bytes("a: 1\r\nb")],
    ["an empty block", bytes("")],
    ["bytes that are not UTF-8", Uint8Array.of(0x61, 0x3a, 0xff)],
  ] as const
) {
  Deno.test(`decodeBlock() refuses ${name}`, () => {
    assert.throws(() => decodeBlock(input), (error) => {
      return error instanceof Refusal && error.peerText === "internal server error, see logs";
    });
  });
}

Deno.test("decodeBlock() reads what encodeBlock() writes", () => {
  const key = fc.stringMatching(/^[a-z_-]{1,20}$/);
  const value = fc.stringMatching(/^([!-~][ -~]{0,40})?$/);
  fc.assert(fc.property(fc.dictionary(key, value), (entries) => {
    if (Object.keys(entries).length === 0) return;
    const encoded = encodeBlock(Object.entries(entries));
    const decoded = decodeBlock(encoded.subarray(0, endOfBlock(encoded)));
    assert.deepEqual(new Map(decoded), new Map(Object.entries(entries)));
  }));
});

Deno.test("decodeBlock() throws nothing but a Refusal for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
    try {
      decodeBlock(input);
    } catch (error) {
      assert(error instanceof Refusal);
    }
  }));
});

Deno.test("BlockReader reads the same blocks however the stream is cut", async () => {
  const whole = bytes("a: 1\r\n\r\nb: 2\r\nc: 3\r\n\r\nrest\r\n");
  for (let size = 1; size <= whole.length; size++) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < whole.length; at += size) chunks.push(whole.slice(at, at + size));
    const reader = new BlockReader(streamOf(...chunks), 100);
    assert.equal(text(await reader.read()), "a: 1");
    assert.equal(text(await reader.read()), "b: 2\r\nc: 3");
    assert("rest\r\n".startsWith(text(reader.release())));
  }
});

Deno.test("BlockReader takes a block of exactly the limit with much behind it", async () => {
  const block = `a: ${"x".repeat(4_089)}`;
  const reader = new BlockReader(streamOf(`${block}\r\n\r\n${"y".repeat(9_000)}`), 4_096);
  assert.equal(text(await reader.read()), block);
  assert.equal(reader.release().length, 9_000);
});

for (
  const [name, chunks] of Object.entries({
    "one byte too long": [`a: ${"x".repeat(4_090)}\r\n\r\n`],
    "never ending": ["x".repeat(4_097)],
    "never ending, in pieces": Array.from({ length: 50 }, () => "x".repeat(100)),
  })
) {
  Deno.test(`BlockReader refuses a block that is ${name}`, async () => {
    await assert.rejects(new BlockReader(streamOf(...chunks), 4_096).read(), Refusal);
  });
}

Deno.test("BlockReader says that the stream ended", async () => {
  await assert.rejects(new BlockReader(streamOf("a: 1\r\n"), 4_096).read(), NegotiationError);
});
