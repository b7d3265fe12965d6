import assert from "node:assert/strict";
import { ProtocolError } from "../../lib/errors.ts";
import { serialize, unserialize } from "../../lib/graph/storage.ts";
import { fc } from "../deps.ts";
import { anyValue } from "../support/any_value.ts";
import { describe } from "../support/described.ts";
import { encodeValues, TestReceiver } from "../support/graph_receiver.ts";

const newReceiver = () => new TestReceiver({ wrapFloats: true });

Deno.test("Receiver gives back what Slicing wrote, with shared parts and cycles", () => {
  fc.assert(
    fc.property(fc.array(anyValue, { minLength: 1, maxLength: 3 }), (values) => {
      const { values: arrived, violations } = newReceiver().push(encodeValues(values));
      assert.deepEqual(violations, []);
      assert.deepEqual(arrived.map((value) => describe(value)), values.map((value) => describe(value)));
    }),
    { numRuns: 1_500 },
  );
});

Deno.test("unserialize() gives back what serialize() wrote", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const again = unserialize(serialize(value), { floats: "wrap" });
      assert.deepEqual(describe(again), describe(value));
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("serialize() writes the same bytes again for what unserialize() gave", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const once = serialize(value);
      assert.deepEqual(serialize(unserialize(once, { floats: "wrap" })), once);
    }),
    { numRuns: 500 },
  );
});

Deno.test("Receiver gives the same for one piece, single bytes and any chunks", () => {
  fc.assert(
    fc.property(
      fc.array(anyValue, { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (values, sizes) => {
        const bytes = encodeValues(values);
        const whole = newReceiver().push(bytes).values.map((value) => describe(value));
        assert.deepEqual(newReceiver().push(bytes, 1).values.map((value) => describe(value)), whole);
        assert.deepEqual(newReceiver().push(bytes, ...sizes).values.map((value) => describe(value)), whole);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("Receiver takes no proper prefix of a message for a message", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = encodeValues([value]);
      for (let length = 1; length < bytes.length; length++) {
        const test = newReceiver().push(bytes.subarray(0, length));
        assert.deepEqual(test.arrivals, []);
        assert.ok(test.receiver.inMessage);
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("unserialize() throws a ProtocolError when the bytes are cut off, or more follow", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = serialize(value);
      for (let length = 0; length < bytes.length; length++) {
        assert.throws(() => unserialize(bytes.subarray(0, length)), ProtocolError);
      }
      assert.throws(() => unserialize(Uint8Array.from([...bytes, 0x81])), ProtocolError);
    }),
    { numRuns: 60 },
  );
});
