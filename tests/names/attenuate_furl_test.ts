import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FurlError } from "../../lib/errors.ts";
import { MAX_CAVEAT_BYTES, MAX_CAVEATS, MAX_FURL_BYTES } from "../../lib/limits.ts";
import { attenuateFurl, type FurlCaveats } from "../../lib/names/attenuate_furl.ts";
import {
  type Caveat,
  caveatId,
  caveatRoot,
  decodeCaveats,
  encodeCaveat,
  firstLink,
  markOf,
  MAX_UNTIL,
  MAX_USES,
  nextLink,
} from "../../lib/names/caveat.ts";
import { deriveName, isReservedName, parseDerivedName, verifyName } from "../../lib/names/derived_name.ts";
import { describeFurl } from "../../lib/names/describe_furl.ts";
import { parseFurl } from "../../lib/names/furl.ts";
import { SturdyRef } from "../../lib/names/sturdy_ref.ts";
import { fc } from "../deps.ts";

const TUB = "w6i2oohuba2eeyts27gkq4etwr4nndeb";
const OTHER_TUB = "abcdefghijklmnopqrstuvwxyz234567";
const NAME = "nayr47ezh6bxqdnn3gwj6n5tqqfhgbtr";
const FURL = `pb://${TUB}@tcp:localhost:4501/${NAME}`;

const words = fc.array(fc.constantFrom("list", "read", "write", "a", "ü", "__proto__"), { maxLength: 4 });
const caveats: fc.Arbitrary<FurlCaveats> = fc.record({
  label: fc.constantFrom("for Bob", "…", "x"),
  forTub: fc.constantFrom(TUB, OTHER_TUB),
  methods: words,
  until: fc.integer({ min: 0, max: MAX_UNTIL }),
  uses: fc.integer({ min: 0, max: MAX_USES }),
}, { requiredKeys: [] }).filter((given) => Object.keys(given).length > 0);
const steps = fc.array(caveats, { minLength: 1, maxLength: 5 });

const attenuated = (all: readonly FurlCaveats[], furl = FURL) =>
  all.reduce<string>((derived, one) => attenuateFurl(derived, one), furl);
const nameOf = (furl: string) => parseFurl(furl).name;
const bytesOf = (name: string) => new Uint8Array(Buffer.from(name.slice(5), "base64url"));
const textOf = (bytes: Uint8Array) => `cav1-${Buffer.from(bytes).toString("base64url")}`;

/** What a Tub says to a name that has one object, of the name NAME. */
function accepts(name: string): boolean {
  const derived = parseDerivedName(name);
  const root = caveatRoot(NAME);
  return derived !== undefined && Buffer.compare(derived.id, caveatId(root)) === 0 &&
    verifyName(derived, root) !== undefined;
}

Deno.test("attenuateFurl() gives what the Tub verifies, whatever was attenuated how often", () => {
  fc.assert(fc.property(steps, (all) => {
    assert.ok(accepts(nameOf(attenuated(all))));
  }));
});

Deno.test("attenuateFurl() keeps Tub and hints, and shows nothing of the name it comes of", () => {
  fc.assert(fc.property(steps, (all) => {
    const furl = attenuated(all);
    const { tubId, hints, name } = parseFurl(furl);
    assert.deepEqual([tubId, hints], [TUB, ["tcp:localhost:4501"]]);
    assert.match(name, /^cav1-[\w-]+$/);
    assert.ok(!furl.includes(NAME) && !bytesText(name).includes(NAME));
  }));
});

const bytesText = (name: string) => Buffer.from(bytesOf(name)).toString("latin1");

Deno.test("attenuateFurl() gives the same text for the same, and another one for a label", () => {
  assert.equal(attenuateFurl(FURL, { uses: 1 }), attenuateFurl(new SturdyRef(FURL), { uses: 1 }));
  assert.notEqual(attenuateFurl(FURL, { uses: 1 }), attenuateFurl(FURL, { uses: 1, label: "Bob" }));
  assert.equal(
    attenuateFurl(FURL, { methods: ["b", "a", "b"] }),
    attenuateFurl(FURL, { methods: ["a", "b"] }),
  );
});

Deno.test("attenuateFurl() puts the number of uses behind what else was said with it", () => {
  const furl = attenuateFurl(FURL, { uses: 3, until: 5, methods: [], label: "x", forTub: TUB });
  assert.deepEqual(describeFurl(furl).caveats.map(({ type }) => type), [
    "label",
    "forTub",
    "methods",
    "until",
    "uses",
  ]);
});

// ---- what is forged

Deno.test("verifyName() refuses a name with any one bit changed", () => {
  const good = bytesOf(nameOf(attenuateFurl(FURL, { methods: ["read"], until: 1e12, uses: 2, forTub: TUB })));
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = good.slice();
    bad[bit >> 3]! ^= 1 << (bit & 7);
    assert.ok(!accepts(textOf(bad)), `bit ${bit}`);
  }
});

Deno.test("verifyName() refuses caveats reordered, left out, repeated, added or widened", () => {
  fc.assert(fc.property(steps, fc.nat(), fc.nat(), caveats, (all, from, to, more) => {
    const name = nameOf(attenuated(all));
    const { id, caveats: read, link } = parseDerivedName(name)!;
    const parts = read.map(({ bytes }) => bytes);
    const written = (changed: readonly Uint8Array[]) =>
      textOf(new Uint8Array(Buffer.concat([id, ...changed, link])));
    assert.equal(written(parts), name);
    const [i, j] = [from % parts.length, to % parts.length];
    const added = parseDerivedName(nameOf(attenuateFurl(FURL, more)))!.caveats.map(({ bytes }) => bytes);
    const changes = [
      parts.toSpliced(i, 1),
      parts.slice(0, i),
      parts.toSpliced(i, 0, parts[i]!),
      [...parts, ...added],
      [...added, ...parts],
      parts.with(i, parts[j]!).with(j, parts[i]!),
      ...parts.flatMap((_, k) =>
        widened(read[k]!.caveat).map((caveat) => parts.with(k, encodeCaveat(caveat)))
      ),
    ];
    for (const changed of changes) {
      const text = written(changed);
      if (text !== name) assert.ok(!accepts(text));
    }
  }));
});

function widened(caveat: Caveat): Caveat[] {
  switch (caveat.type) {
    case "methods":
      return [{ ...caveat, methods: [...caveat.methods, "more"] }, { type: "uses", uses: MAX_USES }];
    case "until":
      return [{ ...caveat, until: Math.min(MAX_UNTIL, caveat.until + 1) }];
    case "uses":
      return [{ ...caveat, uses: Math.min(MAX_USES, caveat.uses + 1) }];
    case "forTub":
      return [{ ...caveat, tubId: caveat.tubId === TUB ? OTHER_TUB : TUB }];
    case "label":
      return [{ ...caveat, label: "another" }];
  }
}

Deno.test("verifyName() refuses the link, the caveats or the id of another chain", () => {
  const one = bytesOf(nameOf(attenuateFurl(FURL, { uses: 1 })));
  const shorter = bytesOf(nameOf(attenuateFurl(FURL, { methods: ["a"] })));
  const other = bytesOf(nameOf(attenuateFurl(FURL.replace(NAME, "another"), { uses: 1 })));
  const mix = (a: Uint8Array, b: Uint8Array, at: number) =>
    textOf(new Uint8Array([...a.slice(0, at), ...b.slice(at)]));
  assert.ok(!accepts(mix(one, shorter, one.length - 32)));
  assert.ok(!accepts(mix(one, other, one.length - 32)));
  assert.ok(!accepts(mix(one, other, 16)));
  assert.ok(!accepts(mix(other, one, 16)));
  assert.ok(!accepts(textOf(other)));
});

Deno.test("parseDerivedName() takes one text for each sequence of bytes", () => {
  const name = nameOf(attenuateFurl(FURL, { uses: 1 }));
  assert.ok(accepts(name));
  const last = name.at(-1)!;
  const texts = [
    `${name}=`,
    `${name}==`,
    `${name}\n`,
    ` ${name}`,
    name.replace("cav1-", "CAV1-"),
    name.toUpperCase(),
    name.replace("cav1-", "cav1- "),
    `${name.slice(0, 20)}\n${name.slice(20)}`,
    name.replaceAll("-", "+"),
    `${name.slice(0, -1)}${String.fromCharCode(last.charCodeAt(0) + 1)}`,
    `${name.slice(0, -1)}${String.fromCharCode(last.charCodeAt(0) - 1)}`,
    name.slice(0, -1),
    name.replace("cav1-", "cav2-"),
  ];
  for (const text of texts) if (text !== name) assert.ok(!accepts(text), JSON.stringify(text));
});

Deno.test("parseDerivedName() never throws, and what it takes it writes again", () => {
  const junk = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string().map((text) => `cav1-${text}`),
    fc.uint8Array({ maxLength: 200 }).map(textOf),
    // Mostly well-formed caveats, of which some say too much or too little.
    fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 0, max: 24 }),
        fc.uint8Array({ maxLength: 24 }),
      ),
    )
      .map((parts) =>
        textOf(
          new Uint8Array([
            ...new Uint8Array(16),
            ...parts.flatMap(([t, n, b]) => [t, 0, n, ...b]),
            ...new Uint8Array(32),
          ]),
        )
      ),
  );
  fc.assert(fc.property(junk, (text) => {
    const read = parseDerivedName(text);
    if (read === undefined) return;
    const parts = read.caveats.map(({ caveat }) => encodeCaveat(caveat));
    assert.equal(textOf(new Uint8Array(Buffer.concat([read.id, ...parts, read.link]))), text);
    assert.ok(!accepts(text));
  }));
});

Deno.test("decodeCaveats() reads back what encodeCaveat() writes", () => {
  fc.assert(fc.property(steps, (all) => {
    const { caveats: read } = parseDerivedName(nameOf(attenuated(all)))!;
    const bytes = new Uint8Array(Buffer.concat(read.map(({ caveat }) => encodeCaveat(caveat))));
    assert.deepEqual(decodeCaveats(bytes, MAX_CAVEATS), read);
  }));
});

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
const BAD_CAVEATS: readonly [what: string, bytes: Uint8Array][] = [
  ["a type that is not known", hex("06 0000")],
  ["type 0", hex("00 0000")],
  ["a header that is cut", hex("05 00")],
  ["a body that is cut", hex("05 0004 000000")],
  ["a number of uses with a byte too many", hex("05 0005 0000000001")],
  ["a time with a byte too few", hex("04 0005 0000000001")],
  ["an empty label", hex("01 0000")],
  ["a label that is not UTF-8", hex("01 0001 ff")],
  ["a label that is too long", new Uint8Array([1, 0, 101, ...new Uint8Array(101).fill(97)])],
  ["a TubID of another length", new Uint8Array([2, 0, 19, ...new Uint8Array(19)])],
  ["methods in another order", hex("03 0006 0001 62 0001 61")],
  ["a method twice", hex("03 0006 0001 61 0001 61")],
  ["a method without a name", hex("03 0002 0000")],
  ["a method that is cut", hex("03 0003 0002 61")],
];
for (const [what, bytes] of BAD_CAVEATS) {
  Deno.test(`decodeCaveats() refuses ${what}`, () => {
    assert.equal(decodeCaveats(bytes, MAX_CAVEATS), undefined);
  });
}

// ---- what is too much, or wrong

Deno.test("attenuateFurl() adds no more caveats than a Tub takes", () => {
  let furl = FURL;
  for (let i = 0; i < MAX_CAVEATS; i++) furl = attenuateFurl(furl, { uses: 1 });
  assert.ok(accepts(nameOf(furl)));
  assert.throws(() => attenuateFurl(furl, { uses: 1 }), /64/);
  const { id, caveats: read, link } = parseDerivedName(nameOf(furl))!;
  const last = read.at(-1)!.bytes;
  const one = [id, ...read.map(({ bytes }) => bytes), last, nextLink(link, last)];
  assert.equal(parseDerivedName(textOf(new Uint8Array(Buffer.concat(one)))), undefined);
});

Deno.test("attenuateFurl() takes caveats of so many bytes as fit into a FURL, and no more", () => {
  const methods = (count: number) => Array.from({ length: count }, (_, i) => `${i}`.padStart(98, "x"));
  const furl = attenuateFurl(FURL, { methods: methods(40) });
  assert.ok(accepts(nameOf(furl)) && furl.length < MAX_FURL_BYTES);
  assert.throws(() => attenuateFurl(FURL, { methods: methods(41) }), FurlError);
  assert.throws(() => attenuateFurl(FURL, { methods: Array(1e6).fill("a") }), FurlError);
  assert.throws(() => attenuateFurl(furl, { methods: methods(1), label: "x".repeat(100) }), FurlError);
  assert.equal(parseDerivedName(`cav1-${"A".repeat(MAX_CAVEAT_BYTES * 2)}`), undefined);
});

const WRONG: readonly [
  what: string,
  given: unknown,
  type: abstract new (...args: never[]) => Error,
  about: RegExp,
][] = [
  ["no caveats", {}, TypeError, /no caveat/],
  ["null", null, TypeError, /not an object/],
  ["an unknown caveat", { method: ["a"] }, TypeError, /"method"; it is one of methods, until/],
  ["methods that are a text", { methods: "read" }, TypeError, /not a list/],
  ["a method that is no text", { methods: [1] }, TypeError, /not a text/],
  ["a method with a lone surrogate", { methods: ["\ud800"] }, TypeError, /not a text/],
  ["a method without a name", { methods: [""] }, RangeError, /empty/],
  ["a method that is too long", { methods: ["é".repeat(501)] }, RangeError, /1000 bytes/],
  ["an until that is a text", { until: "PT1H" }, TypeError, /Temporal.Instant/],
  ["an until that is null", { until: null }, TypeError, /Temporal.Instant/],
  ["an until that is no time", { until: new Date(NaN) }, RangeError, /1970/],
  ["an until before 1970", { until: -1 }, RangeError, /1970/],
  ["an until that is infinite", { until: Infinity }, RangeError, /1970/],
  ["half a use", { uses: 1.5 }, RangeError, /whole/],
  ["less than no use", { uses: -1 }, RangeError, /whole/],
  ["too many uses", { uses: 2 ** 32 }, RangeError, /whole/],
  ["a text of uses", { uses: "1" }, TypeError, /number/],
  ["a TubID that is none", { forTub: "abc" }, TypeError, /TubID/],
  ["a TubID in upper case", { forTub: TUB.toUpperCase() }, TypeError, /TubID/],
  ["an empty label", { label: "" }, RangeError, /label/],
  ["a label that is too long", { label: "x".repeat(101) }, RangeError, /100 bytes/],
];
for (const [what, given, type, about] of WRONG) {
  Deno.test(`attenuateFurl() refuses ${what}`, () => {
    assert.throws(() => attenuateFurl(FURL, given as FurlCaveats), (error) => {
      assert.ok(error instanceof type);
      assert.match(error.message, about);
      assert.ok(!error.message.includes(NAME));
      return true;
    });
  });
}

Deno.test("attenuateFurl() takes a Date, a Temporal.Instant and a number, never later than said", () => {
  for (const until of [new Date(1000), Temporal.Instant.fromEpochMilliseconds(1000), 1000.9]) {
    assert.equal(describeFurl(attenuateFurl(FURL, { until })).until, 1000);
  }
});

Deno.test("attenuateFurl() refuses a FURL that only looks attenuated, and what is no FURL", () => {
  for (const name of ["cav1-", "cav1-AAAA", "cav2-abc", "cav10-"]) {
    const furl = FURL.replace(NAME, name);
    assert.throws(() => attenuateFurl(furl, { uses: 1 }), FurlError);
    assert.throws(() => describeFurl(furl), FurlError);
  }
  assert.throws(() => attenuateFurl("http://x", { uses: 1 }), FurlError);
  assert.throws(() => attenuateFurl(new SturdyRef(), { uses: 1 }), FurlError);
  assert.throws(() => attenuateFurl(5 as unknown as string, { uses: 1 }), TypeError);
});

Deno.test("isReservedName() takes names of this form and later ones, and no swissnum", () => {
  for (const name of ["cav1-", "cav1-x", "cav23-x"]) assert.ok(isReservedName(name), name);
  for (const name of [NAME, "cav", "cav-", "cavx-", "Cav1-", "cav1", "a/cav1-"]) {
    assert.ok(!isReservedName(name), name);
  }
});

// ---- describing

Deno.test("describeFurl() tells what is left where all caveats hold, and no secret", () => {
  const furl = attenuated([
    { methods: ["a", "b", "c"], uses: 5, until: 2000, label: "one" },
    { methods: ["b", "c", "d"], uses: 9, until: 1000, label: "two", forTub: TUB },
  ]);
  const { methods, until, uses, forTub, labels, caveats: all } = describeFurl(furl);
  assert.deepEqual({ methods, until, uses, forTub, labels }, {
    methods: ["b", "c"],
    until: 1000,
    uses: 5,
    forTub: [TUB],
    labels: ["one", "two"],
  });
  assert.equal(all.length, 9);
  const link = Buffer.from(bytesOf(nameOf(furl)).slice(-32)).toString("base64url");
  assert.ok(!Deno.inspect(describeFurl(furl), { depth: 9 }).includes(link.slice(0, 12)));
});

Deno.test("describeFurl() of an object's own FURL has no caveats and no name", () => {
  const described = describeFurl(FURL);
  assert.deepEqual(described, {
    tubId: TUB,
    hints: ["tcp:localhost:4501"],
    caveats: [],
    methods: undefined,
    until: undefined,
    uses: undefined,
    forTub: [],
    labels: [],
  });
});

Deno.test("describeFurl() never says that a FURL allows more than the one it comes of", () => {
  fc.assert(fc.property(steps, caveats, (all, more) => {
    const [parent, child] = [attenuated(all), attenuated([...all, more])].map(describeFurl);
    for (const method of child!.methods ?? []) assert.ok(parent!.methods?.includes(method) ?? true);
    assert.ok((child!.until ?? Infinity) <= (parent!.until ?? Infinity));
    assert.ok((child!.uses ?? Infinity) <= (parent!.uses ?? Infinity));
    for (const tubId of parent!.forTub) assert.ok(child!.forTub.includes(tubId));
  }));
});

// ---- the format, which is a contract

Deno.test("caveatRoot() has one root for each name", () => {
  const roots = ["a", "a\0", "a\0\0", "", "b", "x".repeat(65)].map((name) =>
    Buffer.from(caveatRoot(name)).toString("hex")
  );
  assert.equal(new Set(roots).size, roots.length);
});

Deno.test("markOf() leads to no link", () => {
  const link = firstLink(caveatRoot(NAME));
  assert.ok(!Buffer.from(link).toString("base64").startsWith(markOf(link).slice(0, 8)));
});

// Made by Python's hmac and base64 from the construction that docs/security.md describes, not by this code.
const GOLDEN: readonly [what: string, given: FurlCaveats, name: string][] = [
  [
    "methods",
    { methods: ["read", "list"] },
    "cav1-4a-OGDdwbEdq-1Z9oMrndwMADAAEbGlzdAAEcmVhZMCcuUiIrLDlvZWvDiJKhP8ozPNlqVi5fbf-mpZEl7Hi",
  ],
  ["no method", { methods: [] }, "cav1-4a-OGDdwbEdq-1Z9oMrndwMAAMs3Gf4M88BfFWBD_pIuoxCwk1PMpGl0Cuq5ztAq1TNC"],
  [
    "until",
    { until: 1_700_000_000_000 },
    "cav1-4a-OGDdwbEdq-1Z9oMrndwQABgGLz-VoADgU79x8OnptBtYB5zdPcvg_dkX60KPNDSgFlna0T5WO",
  ],
  ["uses", { uses: 3 }, "cav1-4a-OGDdwbEdq-1Z9oMrndwUABAAAAAPO2JtnDmWYLGSJNz_rNefvlEWdZ-0Bp_JycZ84rSy5mA"],
  [
    "forTub",
    { forTub: TUB },
    "cav1-4a-OGDdwbEdq-1Z9oMrndwIAFLeRpzj0CDRCYnLXzKhwk7R41oyBHpIGF3_CuBCofOUrqOY_E7ukPy1u8ISByS7N-K1gcO8",
  ],
  [
    "label",
    { label: "für Bob" },
    "cav1-4a-OGDdwbEdq-1Z9oMrndwEACGbDvHIgQm9iplSg7COB7Q74KoEcbMpVl-nq6F88dqUaiwQC2nzQ4KQ",
  ],
  [
    "all of them",
    { label: "für Bob", forTub: TUB, methods: ["list", "read"], until: 1_700_000_000_000, uses: 3 },
    "cav1-4a-OGDdwbEdq-1Z9oMrndwEACGbDvHIgQm9iAgAUt5GnOPQINEJictfMqHCTtHjWjIEDAAwABGxpc3QABHJlYWQEAAYBi8_laAAFAAQAAAADAOf14QLzludRsigWAIuoi4ra_55I94TD74c_Sl6bDIg",
  ],
];
for (const [what, given, name] of GOLDEN) {
  Deno.test(`attenuateFurl() writes ${what} in the one form that every Tub reads`, () => {
    assert.equal(nameOf(attenuateFurl(FURL, given)), name);
    assert.ok(accepts(name));
  });
}

Deno.test("deriveName() gives one chain, in one step or in many", () => {
  const [a, b]: Caveat[] = [{ type: "uses", uses: 2 }, { type: "until", until: 9 }];
  assert.equal(deriveName(deriveName(NAME, [a!]), [b!]), deriveName(NAME, [a!, b!]));
});
