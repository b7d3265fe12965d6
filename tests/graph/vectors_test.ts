import assert from "node:assert/strict";
import { serialize, unserialize } from "../../lib/graph/storage.ts";
import { build, canonical, copyableClass, describe, type Description } from "../support/described.ts";
import { encodeValues, TestReceiver } from "../support/graph_receiver.ts";
import { decodeHex, encodeHex } from "../support/hex.ts";
import vectors from "../vectors/graph.json" with { type: "json" };

interface Vector {
  readonly name: string;
  readonly dialect: "pb" | "storage";
  readonly hex: string;
  readonly value: Description;
  readonly decoded?: Description;
}

/** JavaScript puts properties that look like array indices first, so these attributes have another order here. */
const REORDERED = "copyable with hostile names";

const rows = (vectors.vectors as unknown as Vector[]).map((row) => ({
  ...row,
  bytes: decodeHex(row.hex),
  expected: canonical(row.decoded ?? row.value),
}));

for (const { value } of rows) registerCopytypes(value);

function registerCopytypes(description: unknown): void {
  JSON.stringify(description, (_, part) => {
    if (Array.isArray(part?.copyable)) copyableClass(part.copyable[0]);
    return part;
  });
}

function decode(dialect: string, bytes: Uint8Array): unknown {
  if (dialect === "storage") return unserialize(bytes, { floats: "wrap" });
  const { values, violations } = new TestReceiver({ wrapFloats: true }).push(bytes);
  assert.deepEqual(violations, []);
  assert.equal(values.length, 1);
  return values[0];
}

for (const { name, dialect, bytes, expected } of rows) {
  Deno.test(`Receiver gives the value of ${name} (${dialect})`, () => {
    assert.deepEqual(describe(decode(dialect, bytes)), expected);
  });
}

for (const { name, dialect, bytes, hex, decoded } of rows) {
  // Identity that the wire does not carry is not there to be sent again.
  if (decoded !== undefined) continue;
  Deno.test(`Slicing writes what came for ${name} (${dialect}) byte for byte`, () => {
    const value = decode(dialect, bytes);
    const again = dialect === "storage" ? serialize(value) : encodeValues([value]);
    if (name !== REORDERED) return assert.equal(encodeHex(again), hex);
    assert.equal(again.length, bytes.length);
    assert.deepEqual(describe(decode(dialect, again)), describe(value));
  });
}

for (const { name, dialect, hex, value, decoded } of rows) {
  if (decoded !== undefined || name === REORDERED) continue;
  Deno.test(`Slicing writes the value described for ${name} (${dialect}) byte for byte`, () => {
    const made = build(value);
    assert.equal(encodeHex(dialect === "storage" ? serialize(made) : encodeValues([made])), hex);
  });
}
