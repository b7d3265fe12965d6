/** Values that are short to send and long to make. */
import assert from "node:assert/strict";
import { RICH_SLICERS, RICH_UNSLICERS } from "../../../lib/graph/rich/tables.ts";
import { serializeBy, unserializeAtOnce } from "../../../lib/graph/storage.ts";
import { type Limits, resolveLimits } from "../../../lib/limits.ts";

/** So that little is enough to be too much. */
const SMALL = { maxMessageBytes: 4 * 1024 * 1024 };

function crossed(value: unknown, given: Partial<Limits> = {}): unknown {
  const limits = resolveLimits(given);
  return unserializeAtOnce(RICH_UNSLICERS, serializeBy(RICH_SLICERS, value), { limits }).value;
}

/** V8 looks at the lowest 64 bits of a bigint: all of these have one hash. */
const collidingKeys = (count: number) => Array.from({ length: count }, (_, i) => 5n + (BigInt(i + 1) << 64n));

const MAKERS: Record<string, (keys: Iterable<unknown>) => unknown> = {
  "a Map": (keys) => new Map(Array.from(keys, (key) => [key, 1])),
  "a Set": (keys) => new Set(keys),
};

for (const [name, make] of Object.entries(MAKERS)) {
  Deno.test(`${name} with 2,000 bigints of one hash arrives`, () => {
    const value = make(collidingKeys(2_000));
    assert.deepEqual(crossed(value), value);
  });

  Deno.test(`a message is refused with more keys of one hash in ${name} than it has bytes for`, () => {
    const refusal = {
      name: "Violation",
      message: /numbers as keys of a Map or in a Set: send a Dict, a ValueSet/,
    };
    assert.throws(() => crossed(make(collidingKeys(3_000)), SMALL), refusal);
    const several = Array.from({ length: 4 }, () => make(collidingKeys(1_800)));
    assert.throws(() => crossed(several, SMALL), refusal);
  });

  Deno.test(`${name} with 10,000 large numbers, or 100,000 texts, arrives`, () => {
    const numbers = make(Array.from({ length: 10_000 }, (_, i) => 1_700_000_000_000 + i * 1_001));
    assert.deepEqual(crossed(numbers), numbers);
    const texts = make(Array.from({ length: 100_000 }, (_, i) => `k${i}`));
    assert.equal((crossed(texts) as Set<unknown>).size, 100_000);
    const small = make(Array.from({ length: 60_000 }, (_, i) => i - 30_000));
    assert.equal((crossed(small) as Set<unknown>).size, 60_000);
  });
}

Deno.test("a RegExp of hundreds of properties of emojis is refused, and one of a few arrives", () => {
  // Not made here: to make it is what takes so long.
  const long = { source: "\\p{RGI_Emoji}".repeat(200), flags: "v" };
  const regexp = Object.defineProperties(/a/, {
    source: { value: long.source },
    flags: { value: long.flags },
  });
  assert.throws(() => crossed(regexp), { name: "Violation", message: /Message takes more than/ });
  const short = /\p{RGI_Emoji}[\p{L}--\p{Lu}]\P{N}/v;
  assert.deepEqual(crossed(short), short);
  const many = Array.from({ length: 500 }, () => /^\p{Lu}\p{L}+$/u);
  assert.equal((crossed(many) as RegExp[]).length, 500);
  const plain = /\\p\{L\}/;
  assert.deepEqual(crossed(plain), plain);
});
