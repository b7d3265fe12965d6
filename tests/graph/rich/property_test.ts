import assert from "node:assert/strict";
import { fc } from "../../deps.ts";
import { anyRichValue } from "./any_rich_value.ts";
import { pictureOf } from "./picture.ts";
import { encodeRich, richReceiver } from "./support.ts";

Deno.test("Receiver gives back random graphs of rich values, with shared parts and cycles", () => {
  fc.assert(
    fc.property(anyRichValue, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (value, sizes) => {
      const { values, violations } = richReceiver().push(encodeRich(value), ...sizes);
      assert.deepEqual(violations, []);
      assert.deepEqual(pictureOf(values[0]), pictureOf(value));
    }),
    { numRuns: 1_500 },
  );
});

Deno.test("Slicing writes the same bytes again for random graphs of rich values", () => {
  fc.assert(
    fc.property(anyRichValue, (value) => {
      const once = encodeRich(value);
      assert.deepEqual(encodeRich(richReceiver().push(once).values[0]), once);
    }),
    { numRuns: 500 },
  );
});

Deno.test("Receiver takes no proper prefix of a rich value for one", () => {
  fc.assert(
    fc.property(anyRichValue, (value) => {
      const bytes = encodeRich(value);
      for (let length = 1; length < bytes.length; length++) {
        const test = richReceiver().push(bytes.subarray(0, length));
        assert.deepEqual(test.arrivals, []);
        assert.ok(test.receiver.inMessage);
      }
    }),
    { numRuns: 50 },
  );
});
