/**
 * What values cost on their way to bytes and back, without a connection: a call with two arguments, and the loads that
 * programs send most.
 */
import { Receiver } from "../lib/graph/receiver.ts";
import { Slicing } from "../lib/graph/slicing.ts";
import { BASE_SLICERS, BASE_UNSLICERS } from "../lib/graph/tables.ts";
import { Unslicer } from "../lib/graph/unslicer.ts";
import { DEFAULT_LIMITS } from "../lib/limits.ts";
import { TokenEncoder } from "../lib/wire/encoder.ts";
import { FOOLSCAP_TOKENS } from "../lib/wire/tokens.ts";
import { VOCABULARIES } from "../lib/wire/vocabulary.ts";

/** Counts the values that arrive. */
class CountingRoot extends Unslicer {
  arrived = 0;
  override receive(): void {
    this.arrived++;
  }
  override close(): void {}
}

export const LOADS: Record<string, unknown> = {
  "a small call": [1, "add", [1, 2]],
  "1,000 records": Array.from({ length: 1_000 }, (_, id) => ({
    id,
    name: `record number ${id}`,
    tags: ["alpha", "beta", "gamma"],
    score: id / 7,
    active: id % 2 === 0,
  })),
  "10,000 ints": Array.from({ length: 10_000 }, (_, i) => i),
  "1 MiB of bytes": [new Uint8Array(1024 * 1024).map((_, i) => i)],
  "a text of 64 KiB": ["text ".repeat(13_108)],
};

for (const [name, value] of Object.entries(LOADS)) {
  const encoder = new TokenEncoder(VOCABULARIES[1]);
  const encode = (): Uint8Array[] => {
    new Slicing(encoder, BASE_SLICERS, DEFAULT_LIMITS.maxDepth).slice(value);
    return encoder.take();
  };
  Deno.bench(`encode ${name}`, { group: name }, () => void encode());
  // OPEN numbers need not rise for a receiver, so the same bytes can come again and again.
  const parts = encode();
  const receiver = new Receiver((receiver) => new CountingRoot(receiver), {
    limits: DEFAULT_LIMITS,
    tokens: FOOLSCAP_TOKENS,
    vocabulary: VOCABULARIES[1]!,
    unslicers: BASE_UNSLICERS,
  });
  Deno.bench(`decode ${name}`, { group: name }, () => {
    for (const part of parts) receiver.push(part);
  });
}
