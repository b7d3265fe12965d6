import assert from "node:assert/strict";
import { describeTokens, float, serialize } from "../../mod.ts";
import { decodeHex } from "../support/hex.ts";

const ROWS: readonly [name: string, bytes: Uint8Array, vocabTable: number, lines: string[]][] = [
  ["nothing", new Uint8Array(), 1, []],
  ["numbers", serialize([-5, 2 ** 40, -(2n ** 40n), float(3), -0]), 0, [
    'OPEN 0 "list"',
    "  NEG -5",
    "  LONGINT 0x010000000000",
    "  LONGNEG 0x010000000000",
    "  FLOAT 3",
    "  FLOAT -0",
    "CLOSE 0",
  ]],
  // The answer of section 5.2 of the protocol's description.
  ["an answer", decodeHex("02880d870281028268690289"), 1, [
    'OPEN 2 "answer"',
    "  INT 2",
    '  STRING "hi"',
    "CLOSE 2",
  ]],
  ["control tokens", decodeHex("008e008f008a"), 1, ["PING 0", "PONG 0", "ABORT 0"]],
  ["bytes that are no text", decodeHex("0282ff00"), 1, ["STRING 0xff00"]],
  ["a long text", serialize("x".repeat(70)), 0, [
    'OPEN 0 "unicode"',
    `  STRING "${"x".repeat(60)}…"`,
    "CLOSE 0",
  ]],
  ["long bytes", serialize(new Uint8Array(100).fill(255)), 0, [`STRING 0x${"ff".repeat(30)}… (100 bytes)`]],
  ["an ERROR", decodeHex("038d616263"), 1, ['ERROR "abc"']],
  ["a token that is cut off", decodeHex("0282aa"), 1, ["(a token is cut off)"]],
  ["a large number", decodeHex("7f7f7f7f7f7f7f7f7f81"), 1, [`INT ${2n ** 63n - 1n}`]],
];
for (const [name, bytes, vocabTable, lines] of ROWS) {
  Deno.test(`describeTokens() shows ${name}`, () => {
    assert.deepEqual(describeTokens(bytes, { vocabTable }), lines);
  });
}

Deno.test("describeTokens() says what it cannot understand, and throws only for a table that is not there", () => {
  assert.match(describeTokens(decodeHex("0580")).at(-1)!, /^\(.+\)$/);
  assert.deepEqual(describeTokens(decodeHex("6387")), ["VOCAB 99 (no such word)"]);
  assert.deepEqual(describeTokens(decodeHex("0487")), ['VOCAB 4 "list"']);
  assert.throws(() => describeTokens(new Uint8Array(), { vocabTable: 9 }), RangeError);
});
