import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { hmac, HmacKey, sha256 } from "../../lib/util/sha256.ts";
import { fc } from "../deps.ts";

const hex = (bytes: Uint8Array) => bytes.toHex();
const text = (words: string) => new TextEncoder().encode(words);

/** Of RFC 4231. */
const ROWS: readonly (readonly [name: string, key: Uint8Array, message: Uint8Array, mac: string])[] = [
  [
    "a short message",
    text("Jefe"),
    text("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [
    "a key that is longer than a block",
    new Uint8Array(131).fill(0xaa),
    text("Test Using Larger Than Block-Size Key - Hash Key First"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
];

for (const [name, key, message, mac] of ROWS) {
  Deno.test(`HmacKey.digest() gives what RFC 4231 says of ${name}`, () => {
    assert.equal(hex(new HmacKey(key).digest(message)), mac);
  });
}

Deno.test("HmacKey.digest() is the platform's HMAC for every length around the blocks' borders", () => {
  for (let length = 0; length <= 200; length++) {
    const message = crypto.getRandomValues(new Uint8Array(length));
    const key = crypto.getRandomValues(new Uint8Array((length * 7) % 150));
    const expected = createHmac("sha256", key).update(message).digest("hex");
    assert.equal(hex(new HmacKey(key).digest(message)), expected);
  }
});

Deno.test("HmacKey.digest() is the platform's HMAC for any key and message, however often it is used", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.uint8Array({ maxLength: 5_000 })),
      (key, all) => {
        const hmac = new HmacKey(key);
        for (const message of all) {
          assert.equal(hex(hmac.digest(message)), createHmac("sha256", key).update(message).digest("hex"));
        }
      },
    ),
  );
});

Deno.test("hmac() gives the beginning of what HmacKey.digest() does, also under a key that is longer than a block", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 150 }), (key, message) => {
      const whole = new HmacKey(key).digest(message);
      assert.deepEqual(hmac(key, message), whole);
      assert.deepEqual(hmac(key, message, 16), whole.slice(0, 16));
    }),
  );
});

Deno.test("sha256() is the platform's for every length around the blocks' borders", () => {
  for (let length = 0; length < 200; length++) {
    const message = new Uint8Array(length).map((_, i) => i * 7 + length);
    assert.equal(hex(sha256(message)), createHash("sha256").update(message).digest("hex"));
  }
});
