import assert from "node:assert/strict";
import { createSwissnum } from "../../lib/names/tub_id.ts";

Deno.test("createSwissnum() writes 20 bytes of its source as 32 characters", () => {
  const asked: number[] = [];
  const name = createSwissnum((length) => {
    asked.push(length);
    return Uint8Array.fromHex("b791a738f40834426272d7cca87093b478d68c81");
  });
  assert.equal(name, "w6i2oohuba2eeyts27gkq4etwr4nndeb");
  assert.deepEqual(asked, [20]);
});

Deno.test("createSwissnum() never gives the same name twice with the system's source", () => {
  const names = new Set(Array.from({ length: 100 }, () => createSwissnum()));
  assert.equal(names.size, 100);
  for (const name of names) assert.match(name, /^[a-z2-7]{32}$/);
});

Deno.test("createSwissnum() refuses a source that gives too little", () => {
  assert.throws(() => createSwissnum(() => new Uint8Array(4)), RangeError);
});
