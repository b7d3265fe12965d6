import assert from "node:assert/strict";
import { TestName, testNames } from "./test_names.ts";

const NAME = "f() takes ${name} as ${kinds[`a${1}`]}, byte by byte";
const TEXTS = 'const rows = ["an INT", "a list"]; const kinds = "text"';

const NAMED = [
  "f() takes",
  ", byte by byte",
  "f() takes an INT as text, byte by byte",
  "f() takes an INT as text, byte",
  "f() takes an INT",
];
for (const name of NAMED) {
  Deno.test(`TestName.isNamed() knows ${JSON.stringify(name)}`, () => {
    assert.ok(new TestName(NAME).isNamed(name, TEXTS));
  });
}

const OTHERS = [
  "g() takes",
  "f() takes a FLOAT as text, byte by byte",
  "f() takes an INT as bytes, byte by byte",
  "f() takes an INT as text, byte by byte and more",
  "f() takes an INT by text",
];
for (const name of OTHERS) {
  Deno.test(`TestName.isNamed() refuses ${JSON.stringify(name)}`, () => {
    assert.ok(!new TestName(NAME).isNamed(name, TEXTS));
  });
}

Deno.test("testNames() finds tests, steps and rows, and no other text", () => {
  const code = `
    Deno.test("one", () => other("no"));
    interopTest(\`two \${x}\`, async (t) => {
      await stepEachWay(t, peer, "three", run);
      await t.step("four", run);
    });
    Deno.test({
      name: "five \\"quoted\\"",
      fn() {},
    });
    const rows = [{ name: 'six', value: "no" }];
  `;
  const names = testNames(code);
  for (const name of ["one", "two ", "three", "four", 'five "quoted"', "six"]) {
    assert.ok(names.some((each) => each.isNamed(name, "")), name);
  }
  assert.ok(!names.some((each) => each.isNamed("no", "")));
});
