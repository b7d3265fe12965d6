import assert from "node:assert/strict";
import { inspect } from "node:util";
import { FurlError } from "../../lib/errors.ts";
import { Dict } from "../../lib/values/dict.ts";
import { ValueSet } from "../../lib/values/value_set.ts";
import { SturdyRef } from "../../lib/names/sturdy_ref.ts";

const T = "w6i2oohuba2eeyts27gkq4etwr4nndeb";
const U = "x6i2oohuba2eeyts27gkq4etwr4nndeb";

Deno.test("SturdyRef gives the parts of its FURL", () => {
  const url = `pb://${T}@h:1,h:2/secret`;
  for (const ref of [new SturdyRef(url), new SturdyRef(new TextEncoder().encode(url))]) {
    assert.equal(ref.url, url);
    assert.equal(ref.getURL(), url);
    assert.equal(ref.tubId, T);
    assert.deepEqual(ref.locationHints, ["h:1", "h:2"]);
    assert.equal(ref.name, "secret");
  }
});

Deno.test("SturdyRef.from() puts a FURL together", () => {
  assert.equal(SturdyRef.from({ tubId: T, hints: ["h:1"], name: "n" }).url, `pb://${T}@h:1/n`);
});

Deno.test("SturdyRef without a FURL points nowhere", () => {
  for (const ref of [new SturdyRef(), new SturdyRef("")]) {
    assert.deepEqual([ref.url, ref.tubId, ref.name, ref.locationHints], [
      undefined,
      undefined,
      undefined,
      [],
    ]);
    assert.equal(String(ref), "");
    assert.ok(ref.equals(new SturdyRef()));
  }
});

Deno.test("SturdyRef refuses what is not a FURL", () => {
  assert.throws(() => new SturdyRef("http://example.org/"), FurlError);
});

Deno.test("SturdyRef equals another one with the same Tub and name, whatever the hints", () => {
  const ref = new SturdyRef(`pb://${T}@h:1/n`);
  assert.ok(ref.equals(new SturdyRef(`pb://${T}@elsewhere:2/n`)));
  assert.ok(!ref.equals(new SturdyRef(`pb://${T}@h:1/m`)));
  assert.ok(!ref.equals(new SturdyRef(`pb://${U}@h:1/n`)));
  assert.ok(!ref.equals(new SturdyRef(`pb://${T.toUpperCase()}@h:1/n`)));
  assert.ok(!ref.equals({ tubId: T, name: "n" }));
  assert.ok(!ref.equals(undefined));
});

Deno.test("SturdyRef sorts by TubID, then by name in order of code points", () => {
  const sorted = [
    "",
    `pb://${T}@z:1/a`,
    `pb://${T}@h:1/ab`,
    `pb://${T}@h:1/\uffee`,
    `pb://${T}@h:1/😀`,
    `pb://${U}@a:1/a`,
  ];
  const refs = sorted.map((url) => new SturdyRef(url));
  const shuffled = [4, 2, 0, 5, 1, 3].map((i) => refs[i]!);
  assert.deepEqual(shuffled.sort((a, b) => a.compare(b)).map((ref) => ref.url ?? ""), sorted);
  assert.equal(refs[1]!.compare(new SturdyRef(`pb://${T}@other:1/a`)), 0);
});

const printers: Record<string, (ref: SturdyRef) => string> = {
  "String()": (ref) => String(ref),
  "a template": (ref) => `${ref}`,
  "JSON.stringify()": (ref) => JSON.stringify({ ref }),
  "Deno.inspect()": (ref) => Deno.inspect({ ref }, { showHidden: true, depth: 9 }),
  "util.inspect()": (ref) => inspect({ ref }, { showHidden: true, depth: 9 }),
  "Object.entries()": (ref) => JSON.stringify([Object.entries(ref), { ...ref }, Reflect.ownKeys(ref)]),
};
for (const [name, print] of Object.entries(printers)) {
  Deno.test(`SturdyRef does not show its name in ${name}`, () => {
    const text = print(new SturdyRef(`pb://${T}@h:1/sekret`));
    assert.doesNotMatch(text, /sekret/);
    if (name !== "Object.entries()") assert.match(text, new RegExp(`pb://${T}@h:1/…`));
  });
}

Deno.test("SturdyRef is one key of a Dict and one member of a ValueSet for one Tub and name", () => {
  const T = "w6i2oohuba2eeyts27gkq4etwr4nndeb";
  const [here, there] = [new SturdyRef(`pb://${T}@tcp:h:1/a`), new SturdyRef(`pb://${T}@tcp:h:2/a`)];
  const other = new SturdyRef(`pb://${T}@tcp:h:1/b`);
  const dict = new Dict<SturdyRef, number>([[here, 1], [other, 2], [new SturdyRef(), 3]]);
  assert.equal(dict.get(there), 1);
  assert.equal(dict.get(new SturdyRef("")), 3);
  assert.deepEqual([...new ValueSet([here, there, other])], [here, other]);
  assert.equal(new Dict<unknown, number>([[here, 1]]).get(`\0r${T}@a`), undefined);
  const sorted = [other, here, new SturdyRef()].sort(SturdyRef.compare);
  assert.deepEqual(sorted.map(({ name }) => name), [undefined, "a", "b"]);
});
