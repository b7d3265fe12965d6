import assert from "node:assert/strict";
import { decodeHex, encodeHex } from "../../support/hex.ts";
import { SAMPLES } from "./samples.ts";
import { encodeRich, richReceiver } from "./support.ts";

const text = await Deno.readTextFile(new URL("../../../docs/wire.md", import.meta.url));
const rows = Array.from(
  text.matchAll(/^([0-9a-f]{10,}) {2}(\S.*)$/gm),
  ([, hex, name]) => [name!, hex!] as const,
);

Deno.test("docs/wire.md has the bytes of every sample, and no others", () => {
  assert.deepEqual(rows.map(([name]) => name), [...SAMPLES.keys()]);
});

for (const [name, hex] of rows) {
  Deno.test(`Slicing writes ${name} as docs/wire.md says, and Receiver gives it back`, () => {
    const make = SAMPLES.get(name)!;
    assert.equal(encodeHex(encodeRich(make())), hex);
    const { values, violations } = richReceiver().push(decodeHex(hex), 1);
    assert.deepEqual(violations, []);
    assert.deepEqual(values, [make()]);
    assert.equal(encodeHex(encodeRich(values[0])), hex);
  });
}
