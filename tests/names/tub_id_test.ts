import assert from "node:assert/strict";
import { isTubId, shortTubId, tubIdOf } from "../../lib/names/tub_id.ts";

Deno.test("tubIdOf() gives the base32 of the SHA-1 of the bytes", async () => {
  // SHA-1 of "abc" is a9993e364706816aba3e25717850c26c9cd0d89d (RFC 3174).
  assert.equal(await tubIdOf(new TextEncoder().encode("abc")), "vgmt4nsha2awvor6evyxqugcnsonbwe5");
});

Deno.test("tubIdOf() takes a window on a larger buffer", async () => {
  const bytes = new TextEncoder().encode("xabcx").subarray(1, 4);
  assert.equal(await tubIdOf(bytes), "vgmt4nsha2awvor6evyxqugcnsonbwe5");
});

const T = "w6i2oohuba2eeyts27gkq4etwr4nndeb";
for (const text of [T.toUpperCase(), T.slice(1), T + "a", T + "\n", "", T.slice(1) + "0"]) {
  Deno.test(`isTubId() refuses ${JSON.stringify(text)}`, () => assert.equal(isTubId(text), false));
}
Deno.test("isTubId() takes 32 characters of base32", () => assert.equal(isTubId(T), true));

Deno.test("shortTubId() gives 4 characters", () => {
  assert.equal(shortTubId(T), "w6i2");
  assert.equal(shortTubId("ab"), "ab");
});
