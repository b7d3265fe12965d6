import assert from "node:assert/strict";
import { Backoff } from "../../lib/util/backoff.ts";

/** 32 random bits, as bytes. */
const bits = (value: number) => new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
/** What makes the normal number 0: a cosine of a quarter of a turn. */
function middling() {
  let turn = 0;
  return () => bits(turn++ % 2 === 0 ? 0x7fffffff : 0x3fffffff);
}

Deno.test("Backoff grows by e from 1 second, in Foolscap's steps, to an hour", () => {
  const backoff = new Backoff({}, middling());
  const waits: number[] = [];
  for (let i = 0; i < 11; i++) {
    waits.push(backoff.delayMs);
    backoff.grow();
  }
  assert.deepEqual(waits, [
    1_000,
    2_718,
    7_389,
    20_086,
    54_598,
    148_413,
    403_429,
    1_096_633,
    2_980_958,
    3_600_000,
    3_600_000,
  ]);
  backoff.reset();
  assert.equal(backoff.delayMs, 1_000);
});

Deno.test("Backoff varies each wait by a normal distribution, and goes on from there", () => {
  let seed = 1;
  const randomBytes = () => bits(seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
  const count = 20_000;
  const ratios: number[] = [];
  const backoff = new Backoff({ maxDelayMs: 1_000 }, randomBytes);
  for (let i = 0; i < count; i++) {
    const base = Math.min(backoff.delayMs * Math.E, 1_000);
    backoff.grow();
    ratios.push(backoff.delayMs / base - 1);
  }
  const mean = ratios.reduce((sum, x) => sum + x, 0) / count;
  const deviation = Math.sqrt(ratios.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count);
  assert.ok(Math.abs(mean) < 0.005, `mean ${mean}`);
  assert.ok(Math.abs(deviation / 0.11962656492 - 1) < 0.03, `deviation ${deviation}`);
  assert.ok(ratios.every((ratio) => ratio > -1));
});

const EXTREMES: readonly [name: string, randomBytes: () => Uint8Array][] = [
  ["zeros", () => bits(0)],
  ["ones", () => bits(0xffffffff)],
  [
    "zeros and a half turn",
    (() => {
      let turn = 0;
      return () => bits(turn++ % 2 === 0 ? 0 : 0x7fffffff);
    })(),
  ],
];
for (const [name, randomBytes] of EXTREMES) {
  Deno.test(`Backoff gives a wait that a timer can have when chance is all ${name}`, () => {
    const backoff = new Backoff({ initialDelayMs: 1_000, maxDelayMs: 0x7fffffff, jitter: 1 }, randomBytes);
    for (let i = 0; i < 40; i++) {
      backoff.grow();
      assert.ok(backoff.delayMs >= 0 && backoff.delayMs <= 0x7fffffff, String(backoff.delayMs));
    }
  });
}

Deno.test("Backoff takes no random numbers without jitter", () => {
  const backoff = new Backoff(
    { initialDelayMs: 10, factor: 2, jitter: 0, maxDelayMs: 50 },
    () => assert.fail(),
  );
  const waits = [1, 2, 3, 4].map(() => (backoff.grow(), backoff.delayMs));
  assert.deepEqual(waits, [20, 40, 50, 50]);
});

const WRONG = { initialDelayMs: -1, maxDelayMs: NaN, factor: 0.5, jitter: 2 };
for (const [name, value] of Object.entries(WRONG)) {
  Deno.test(`Backoff refuses ${name} ${value}`, () => {
    assert.throws(() => new Backoff({ [name]: value }, () => new Uint8Array(4)), {
      name: "RangeError",
      message: new RegExp(`^Cannot connect: ${name} is not`),
    });
  });
}
