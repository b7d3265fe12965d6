import assert from "node:assert/strict";
import { Violation } from "../../lib/errors.ts";
import { fc } from "../deps.ts";
import { anyValue } from "../support/any_value.ts";
import { RICH_UNSLICERS } from "../../lib/graph/rich/tables.ts";
import { anyRichValue } from "./rich/any_rich_value.ts";
import { SAMPLES } from "./rich/samples.ts";
import { encodeRich } from "./rich/support.ts";
import { encodeValues, TestReceiver } from "../support/graph_receiver.ts";
import { collectGarbage } from "../support/gc.ts";

/** `FOOLSCAP_FUZZ_RUNS=1000000` makes a longer run. */
const RUNS = Number(readEnv("FOOLSCAP_FUZZ_RUNS") ?? 100_000);
/** Memory that the inputs of one test may leave behind, in bytes. */
const MAX_LEFT = 64 * 1024 * 1024;

function readEnv(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

/** Feeds bytes, in two pieces, to a receiver: all that may happen is a ProtocolError or a Violation. */
function feed(bytes: Uint8Array, cut: number): void {
  const test = new TestReceiver({
    limits: { maxMessageBytes: 100_000, maxElements: 500, maxDepth: 100, maxSkippedBytes: 10_000 },
    bareTopLevel: bytes.length % 2 === 0,
    ...(cut % 2 === 0 ? { unslicers: RICH_UNSLICERS } : {}),
  });
  if (test.tryPush(bytes.subarray(0, cut)) === undefined) test.tryPush(bytes.subarray(cut));
  for (const violation of test.violations) {
    assert.ok(violation instanceof Violation);
    assert.ok(violation.message.length < 1_000, violation.message);
  }
}

function within(memory: number, run: () => void): void {
  collectGarbage();
  const before = Deno.memoryUsage().heapUsed;
  run();
  collectGarbage();
  assert.ok(Deno.memoryUsage().heapUsed - before < memory);
}

Deno.test(`Receiver throws nothing but its own errors when ${RUNS} random inputs come`, () => {
  // Bytes that mean something come more often than chance would bring them.
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: 12 }),
    fc.constantFrom(0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8d, 0x8e, 0x8f),
  );
  within(MAX_LEFT, () =>
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 80 }), fc.nat(80), (bytes, cut) => {
        feed(Uint8Array.from(bytes), cut);
      }),
      { numRuns: RUNS },
    ));
});

Deno.test(`Receiver throws nothing but its own errors when ${RUNS} mutated messages come`, () => {
  const mutation = fc.record({
    at: fc.nat(10_000),
    byte: fc.integer({ min: 0, max: 255 }),
    kind: fc.constantFrom("set", "insert", "delete", "double", "swap"),
    length: fc.integer({ min: 1, max: 12 }),
  });
  // Few messages and many mutations of each: to make a value costs more than to read it.
  const plain = fc.sample(fc.array(anyValue, { minLength: 1, maxLength: 2 }), { numRuns: 300, seed: 7 })
    .map((values) => [...encodeValues(values)]);
  const rich = fc.sample(anyRichValue, { numRuns: 200, seed: 7 }).map((value) => [...encodeRich(value)]);
  const samples = Array.from(SAMPLES.values(), (make) => [...encodeRich(make())]);
  const messages = [...plain, ...rich, ...samples];
  within(MAX_LEFT, () =>
    fc.assert(
      fc.property(
        fc.nat(messages.length - 1),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        fc.nat(300),
        (which, mutations, cut) => {
          const bytes = messages[which]!.slice();
          for (const { at, byte, kind, length } of mutations) {
            const place = at % (bytes.length + 1);
            if (kind === "set") bytes[place] = byte;
            else if (kind === "insert") bytes.splice(place, 0, byte);
            else if (kind === "delete") bytes.splice(place, length);
            else if (kind === "double") bytes.splice(place, 0, ...bytes.slice(place, place + length));
            else bytes.splice(at % 97, 0, ...bytes.splice(place, length));
          }
          feed(Uint8Array.from(bytes), cut);
        },
      ),
      { numRuns: RUNS },
    ));
});
