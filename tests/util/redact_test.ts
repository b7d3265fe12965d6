import assert from "node:assert/strict";
import { redact } from "../../lib/util/redact.ts";
import { fc } from "../deps.ts";

const F = "pb://w6i2oohuba2eeyts27gkq4etwr4nndeb@tcp:h:1,h:2";
const table = [
  { text: "", result: "" },
  { text: "nothing here", result: "nothing here" },
  { text: `${F}/secret`, result: `${F}/…` },
  { text: `Cannot reach ${F}/secret: refused`, result: `Cannot reach ${F}/…: refused` },
  { text: `(${F}/secret).`, result: `(${F}/…).` },
  { text: `${F}/a/b?c=d&e`, result: `${F}/…` },
  { text: `"${F}/my secret name" and "${F}/other"`, result: `"${F}/…" and "${F}/…"` },
  { text: `'${F}/it\\'s secret'`, result: `'${F}/…'` },
  { text: `<${F}/my secret>`, result: `<${F}/…>` },
  { text: JSON.stringify({ a: `${F}/se"cret x`, b: 1 }), result: `{"a":"${F}/…","b":1}` },
  { text: `${F}/one\n${F}/two\n`, result: `${F}/…\n${F}/…\n` },
  { text: `"${F}/never closed\nnext line`, result: `"${F}/…\nnext line` },
  { text: `${F}/one,${F}/two`, result: `${F}/…` },
  { text: `pb://T@/secret`, result: `pb://T@/…` },
  { text: `pb://${"x".repeat(40)}EXTRA!@h/secret`, result: `pb://${"x".repeat(40)}EXTRA!@h/…` },
  { text: `${F}/`, result: `${F}/` },
  { text: `pb://no-at-sign/text`, result: `pb://no-at-sign/text` },
  { text: `pb://`, result: `pb://` },
  { text: `${F}/…`, result: `${F}/…` },
  { text: `${F}/..`, result: `${F}/….` },
];
for (const { text, result } of table) {
  Deno.test(`redact() turns ${JSON.stringify(text)} into ${JSON.stringify(result)}`, () => {
    assert.equal(redact(text), result);
    assert.equal(redact(result), result, "redacting twice changes nothing");
  });
}

Deno.test("redact() leaves no generated name in any text", () => {
  const name = "q2w3e4r5t6z7u2i3o4p5a6s7d2f3g4h5";
  const around = fc.oneof(
    fc.string(),
    fc.constantFrom('"', "'", "`", "<", "pb://", "@", "/", "\\", " ", "\n"),
  );
  fc.assert(
    fc.property(around, around, fc.boolean(), (before, after, isTwice) => {
      const furl = `${F}/${name}`;
      const text = before + furl + after + (isTwice ? furl : "");
      assert.doesNotMatch(redact(text), new RegExp(name));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("redact() takes linear time for text that is full of beginnings", () => {
  for (
    const text of [
      "pb://".repeat(200_000),
      "pb://@/".repeat(150_000),
      `pb://@/"`.repeat(100_000),
      `pb://@/${")".repeat(500_000)}x`,
    ]
  ) {
    assert.ok(redact(text).length > 0);
  }
});
