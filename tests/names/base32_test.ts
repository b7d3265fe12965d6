import assert from "node:assert/strict";
import { decodeBase32, encodeBase32 } from "../../lib/names/tub_id.ts";
import { decodeBase32 as decodePadded } from "../../lib/deps.ts";
import { fc } from "../deps.ts";

const vectors = [
  { text: "", hex: "" },
  { text: "my", hex: "66" },
  { text: "mzxq", hex: "666f" },
  { text: "mzxw6", hex: "666f6f" },
  { text: "mzxw6yq", hex: "666f6f62" },
  { text: "mzxw6ytb", hex: "666f6f6261" },
  { text: "b7tcguky5jtkc2kseeyadst5g3qo63cg", hex: "0fe6235158ea66a16952213001ca7d36e0ef6c46" },
  { text: "w6i2oohuba2eeyts27gkq4etwr4nndeb", hex: "b791a738f40834426272d7cca87093b478d68c81" },
];
for (const { text, hex } of vectors) {
  Deno.test(`encodeBase32() and decodeBase32() turn ${hex || "nothing"} into "${text}" and back`, () => {
    assert.equal(encodeBase32(Uint8Array.fromHex(hex)), text);
    assert.equal(decodeBase32(text).toHex(), hex);
  });
}

for (
  const text of ["M", "MY", "my======", "m", "mzx", "mzxw6y", "0189", "mz xq", "mz", "mzxw6ytbmzxw6yt1", "Ķ"]
) {
  Deno.test(`decodeBase32() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => decodeBase32(text), { name: "SyntaxError", message: /^Cannot decode base32: / });
  });
}

Deno.test("decodeBase32() undoes encodeBase32() for all bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    const text = encodeBase32(bytes);
    assert.match(text, /^[a-z2-7]*$/);
    assert.deepEqual(decodeBase32(text), bytes);
  }));
});

Deno.test("encodeBase32() writes what is long as it does what is short", () => {
  const bytes = new Uint8Array(50_000).map((_, i) => i * 7);
  assert.deepEqual(decodeBase32(encodeBase32(bytes)), bytes);
});

Deno.test("decodeBase32() throws nothing but SyntaxError, and accepts one text for each value", () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[a-z2-7]{0,20}$/),
    fc.stringMatching(/^[a-zA-Z0-9=]{0,20}$/),
  );
  fc.assert(fc.property(text, (text) => {
    try {
      assert.equal(encodeBase32(decodeBase32(text)), text);
    } catch (error) {
      assert.ok(error instanceof SyntaxError, String(error));
    }
  }));
});

Deno.test("the declarations of deps.ts refuse wrong uses", () => {
  // Never called: `deno check` is the test, which fails when one of these is no error.
  const uses = () => {
    // @ts-expect-error A number is no text.
    decodePadded(5);
    // @ts-expect-error Bytes are no text.
    decodePadded(new Uint8Array());
    // @ts-expect-error The result is bytes.
    const bytes: string = decodePadded("");
    return bytes;
  };
  assert.equal(typeof uses, "function");
});
