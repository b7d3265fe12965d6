import assert from "node:assert/strict";
import { FurlError } from "../../lib/errors.ts";
import { MAX_FURL_BYTES } from "../../lib/limits.ts";
import { checkName, formatFurl, parseFurl } from "../../lib/names/furl.ts";
import { fc } from "../deps.ts";

const T = "w6i2oohuba2eeyts27gkq4etwr4nndeb";

// What Foolscap's decode_furl gives for the same texts.
const accepted = [
  { text: `pb://${T}@tcp:h:1/name`, tubId: T, hints: ["tcp:h:1"], name: "name" },
  {
    text: `pb://${T}@h:1,tcp:[::1]:2,tor:x.onion:3/name`,
    tubId: T,
    hints: ["h:1", "tcp:[::1]:2", "tor:x.onion:3"],
    name: "name",
  },
  { text: `pb://${T}@/name`, tubId: T, hints: [], name: "name" },
  { text: `pb://${T}EXTRA!@h:1/name`, tubId: T, hints: ["h:1"], name: "name" },
  { text: "pb://short@h:1/n", tubId: "short", hints: ["h:1"], name: "n" },
  { text: `pb://${T.toUpperCase()}@h:1/n`, tubId: T.toUpperCase(), hints: ["h:1"], name: "n" },
  { text: `pb://${T}@h:1/a/b/c`, tubId: T, hints: ["h:1"], name: "a/b/c" },
  { text: `pb://${T}@h:1/n?x=1&y@z`, tubId: T, hints: ["h:1"], name: "n?x=1&y@z" },
  { text: `xpb://${T}@h:1/n`, tubId: T, hints: ["h:1"], name: "n" },
  { text: `  pb://${T}@h:1/n`, tubId: T, hints: ["h:1"], name: "n" },
  { text: `pb://${T}@h:1/n\n`, tubId: T, hints: ["h:1"], name: "n" },
  { text: `pb://@pb://${T}@h:1/n`, tubId: T, hints: ["h:1"], name: "n" },
  { text: `pb://${T}@h:1/a\npb://${T}@h:2/b`, tubId: T, hints: ["h:2"], name: "b" },
  { text: `pb://${T}@h:1/näme ✓`, tubId: T, hints: ["h:1"], name: "näme ✓" },
  { text: `pb://${T}@a\nb:1/n`, tubId: T, hints: ["a\nb:1"], name: "n" },
  { text: `pb://${T}@h:1/__proto__`, tubId: T, hints: ["h:1"], name: "__proto__" },
];
for (const { text, ...parts } of accepted) {
  Deno.test(`parseFurl() reads ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseFurl(text), parts);
    assert.deepEqual(parseFurl(new TextEncoder().encode(text)), parts);
  });
}

const S = "sekret2222222222222222222222222";
const refused = [
  { text: `pb://${T}@h:1,/${S}`, message: /no connection hint may be empty/ },
  { text: `pb://${T}@,h:1/${S}`, message: /no connection hint may be empty/ },
  { text: `pb://bad0189@h:1/${S}`, message: /the character "0", which is not base32/ },
  { text: `pb://h:1/${S}@h:1/n`, message: /the character ":"/ },
  { text: `pb://\u212aelvin@h:1/${S}`, message: /which is not base32/ },
  { text: `pb://pb://${T}@h:1/${S}`, message: /the character ":"/ },
  { text: `pb://${T}@h:1/`, message: /does not have the form/ },
  { text: `pb://${T}@h:1/\n`, message: /does not have the form/ },
  { text: `pb://${T}@h:1`, message: /does not have the form/ },
  { text: `pb://h:1/${S}`, message: /does not have the form/ },
  { text: `pbu://${T}@h:1/${S}`, message: /does not have the form/ },
  { text: `http://example.org/${S}`, message: /does not have the form/ },
  { text: `PB://${T}@h:1/${S}`, message: /does not have the form/ },
  { text: "", message: /does not have the form/ },
  { text: `pb://${T}@h:1/${S}\n\n`, message: /does not have the form/ },
  { text: `pb://${T}@h:1/${S}\nx`, message: /does not have the form/ },
  { text: `pb://${T}@h:1/${S}\ud800`, message: /lone surrogate/ },
  { text: `pb://${T}@h:1/${S}${"é".repeat(MAX_FURL_BYTES / 2)}`, message: /more than 8192 bytes/ },
];
for (const { text, message } of refused) {
  Deno.test(`parseFurl() refuses ${JSON.stringify(text.slice(0, 60))} and hides its name`, () => {
    assert.throws(() => parseFurl(text), (error) => {
      assert.ok(error instanceof FurlError);
      assert.match(error.message, message);
      assert.doesNotMatch(Deno.inspect(error), new RegExp(S));
      return true;
    });
  });
}

Deno.test("parseFurl() refuses bytes that are not UTF-8", () => {
  assert.throws(() => parseFurl(Uint8Array.of(0x70, 0xff)), { name: "FurlError", message: /not UTF-8/ });
});

Deno.test("parseFurl() takes 8,192 bytes", () => {
  const text = `pb://${T}@h:1/`.padEnd(MAX_FURL_BYTES, "n");
  assert.equal(formatFurl(parseFurl(text)), text);
});

/** Foolscap's own expression, where Python's `$` is written out. */
const PYTHON = /pb:\/\/([^@]+)@([^/]*)\/([^\n]+)\n?$/;

Deno.test("parseFurl() finds what Python's regular expression finds", () => {
  const piece = fc.constantFrom("pb://", "@", "/", "\n", ",", "a", T, "h:1", "pb:/", " ");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join("");
      const match = PYTHON.exec(text);
      const tubId = match?.[1]?.slice(0, 32) ?? "";
      const hints = match?.[2] === "" ? [] : match?.[2]?.split(",") ?? [""];
      if (!/^[a-z2-7]+$/.test(tubId) || hints.includes("")) {
        assert.throws(() => parseFurl(text), FurlError);
      } else {
        assert.deepEqual(parseFurl(text), { tubId, hints, name: match?.[3] });
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseFurl() undoes formatFurl()", () => {
  const parts = fc.record({
    tubId: fc.stringMatching(/^[a-zA-Z2-7]{1,32}$/),
    hints: fc.array(fc.stringMatching(/^[^,/\r\n\ud800-\udfff]{1,20}$/), { maxLength: 4 }),
    name: fc.string({ unit: "binary", minLength: 1 }).filter((name) =>
      name.isWellFormed() && !name.includes("\n")
    ),
  });
  fc.assert(fc.property(parts, (parts) => {
    assert.deepEqual({ ...parseFurl(formatFurl(parts)) }, { ...parts });
  }));
});

const unwritable = [
  { name: "no TubID", parts: { tubId: "", hints: [], name: "n" } },
  { name: "a TubID of 33 characters", parts: { tubId: T + "a", hints: [], name: "n" } },
  { name: "a TubID with an @", parts: { tubId: "a@b", hints: [], name: "n" } },
  { name: "an empty hint", parts: { tubId: T, hints: [""], name: "n" } },
  { name: "a hint with a slash", parts: { tubId: T, hints: ["unix:/x"], name: "n" } },
  { name: "a hint with a comma", parts: { tubId: T, hints: ["h:1,h:2"], name: "n" } },
  { name: "a hint with a newline", parts: { tubId: T, hints: ["h:1\r\n"], name: "n" } },
  { name: "no name", parts: { tubId: T, hints: [], name: "" } },
  { name: "a name with a newline", parts: { tubId: T, hints: [], name: `${S}\nb` } },
  { name: "a name with a lone surrogate", parts: { tubId: T, hints: [], name: `${S}\udc00` } },
  { name: "a name that is too long", parts: { tubId: T, hints: [], name: S.repeat(300) } },
];
for (const { name, parts } of unwritable) {
  Deno.test(`formatFurl() refuses ${name}`, () => {
    assert.throws(() => formatFurl(parts), (error) => {
      assert.ok(error instanceof FurlError);
      assert.doesNotMatch(Deno.inspect(error), new RegExp(S));
      return true;
    });
  });
}

Deno.test("checkName() takes any text in one line", () => {
  for (const name of ["calc", "a/b", "ä b", "__proto__"]) checkName(name);
  for (const name of ["", "a\nb", "\ud800"]) assert.throws(() => checkName(name), FurlError);
});
