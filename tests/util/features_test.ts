import assert from "node:assert/strict";
import { agreeFeatures, formatFeatures, OWN_FEATURES } from "../../lib/util/features.ts";

const OWN = new Map([["a", 2], ["b", 1], ["long-name", 3]]);

const OFFERS: readonly (readonly [offered: string | undefined, agreed: Record<string, number>])[] = [
  [undefined, {}],
  ["", {}],
  ["a=2 b=1 long-name=3", { a: 2, b: 1, "long-name": 3 }],
  ["a=1", { a: 1 }],
  ["a=9999", { a: 2 }],
  ["a=2 from-the-future=1", { a: 2 }],
  ["a=0 b=x =1 long-name", {}],
  ["a=-1 b=1.5 A=1", {}],
  ["a=10000", {}],
  ["  a=2   b=1 ", { a: 2, b: 1 }],
  ["__proto__=1 constructor=1", {}],
  [`${"x=1 ".repeat(64)}a=2`, {}],
];
for (const [offered, agreed] of OFFERS) {
  Deno.test(`agreeFeatures() takes ${JSON.stringify(offered)?.slice(0, 40)} as ${JSON.stringify(agreed)}`, () => {
    assert.deepEqual(agreeFeatures(offered, OWN), new Map(Object.entries(agreed)));
  });
}

Deno.test("formatFeatures() says what agreeFeatures() understands, in one short line", () => {
  assert.deepEqual(agreeFeatures(formatFeatures()), OWN_FEATURES);
  assert.match(formatFeatures(), /^[a-z0-9= -]{1,500}$/);
});
