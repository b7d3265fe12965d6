import assert from "node:assert/strict";
import { Decimal, parseDecimal } from "../../lib/values/decimal.ts";
import { fc } from "../deps.ts";

const GOOD: readonly (readonly [string, number])[] = [
  ["1.10", 1.1],
  ["0", 0],
  ["-0", -0],
  ["+1", 1],
  [".5", 0.5],
  ["1.", 1],
  ["007", 7],
  ["1E+10", 1e10],
  ["1e5", 1e5],
  ["1E-10", 1e-10],
  ["-1.5E+0003", -1500],
  ["1E+999999999999999999", Infinity],
  ["1E-1999999999999999997", 0],
  ["0E+999999999999999999", 0],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["+inf", Infinity],
  ["NaN", NaN],
  ["-NaN", NaN],
  ["sNaN", NaN],
  ["NaN123", NaN],
  ["snan0", NaN],
];
for (const [text, number] of GOOD) {
  Deno.test(`Decimal keeps the text ${text}`, () => {
    const decimal = new Decimal(text);
    assert.equal(decimal.toString(), text);
    assert.equal(`${decimal}`, text);
    assert.equal(JSON.stringify({ decimal }), `{"decimal":"${text}"}`);
    assert.ok(Object.is(decimal.toNumber(), number));
    assert.ok(decimal.equals(new Decimal(text)));
  });
}

// All but the last six are refused by Python too; those are what its constructor takes and its str() never writes.
const BAD = [
  [
    "",
    "abc",
    ".",
    "+",
    "-",
    "--1",
    "1E",
    "1E+",
    "1E+-1",
    "1.2.3",
    "0x10",
    "1e1.5",
    "1 2",
    "e5",
    "in",
    "infinit",
  ],
  [
    "infinityx",
    "na",
    "nanx",
    "ssnan",
    "NaN-1",
    "1E+1000000000000000000",
    "12E+999999999999999999",
    "\0",
    "1\0",
  ],
  ["1E-1999999999999999998", "1E+99999999999999999999999", "0E+9999999999999999999", "١x"],
  [" 1", "1\n", "1_000", "١", "１", "\u00a01"],
].flat();
for (const text of BAD) {
  Deno.test(`Decimal refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => new Decimal(text), RangeError);
  });
}

Deno.test("Decimal refuses what is not text, or too long", () => {
  assert.throws(() => new Decimal(1 as unknown as string), TypeError);
  assert.throws(() => new Decimal("12345", 4), RangeError);
  assert.equal(new Decimal("1234", 4).toString(), "1234");
});

Deno.test("Decimal does not repeat a long wrong text in its error", () => {
  assert.throws(() => new Decimal("x".repeat(10_000)), (error: Error) => error.message.length < 400);
  assert.throws(() => new Decimal("\u001b[31m"), (error: Error) => !error.message.includes("\u001b"));
});

Deno.test("Decimal never becomes a number by itself", () => {
  const decimal = new Decimal("1.10") as unknown as number;
  assert.throws(() => decimal + 1, TypeError);
  assert.throws(() => decimal * 2, TypeError);
  assert.throws(() => decimal < 2, TypeError);
});

Deno.test("Decimal is immutable and is shown with its text", () => {
  const decimal = new Decimal("1.10");
  assert.ok(Object.isFrozen(decimal));
  assert.equal(Deno.inspect(decimal), 'Decimal("1.10")');
});

Deno.test("Decimal#equals() compares text, compare() numbers", () => {
  const [short, long] = [new Decimal("1.0"), new Decimal("1.00")];
  assert.equal(short.equals(long), false);
  assert.equal(short.compare(long), 0);
});

const ORDERED = [
  ["-Infinity", "-1E+400", "-1E+30", "-2", "-1.5", "-1E-400", "0", "1E-1999999999999999997", "1E-400", "0.1"],
  [
    "0.1000000000000000055511151231257827021181583404541015625",
    "0.5",
    "1",
    "1.01",
    "1.1",
    "2",
    "10",
    "1E+30",
  ],
  ["1000000000000000000000000000001", "1E+400", "1E+999999999999999999", "Infinity"],
].flat().map((text) => new Decimal(text));
Deno.test("Decimal#compare() puts numbers in order when they are of all sizes", () => {
  for (const [i, a] of ORDERED.entries()) {
    for (const [j, b] of ORDERED.entries()) {
      assert.equal(Math.sign(a.compare(b)), Math.sign(i - j), `${a} ${b}`);
    }
  }
});

Deno.test("Decimal#compare() is exact when the other is a number or bigint", () => {
  assert.equal(new Decimal("0.1").compare(0.1), -1);
  assert.equal(new Decimal("0.1000000000000000055511151231257827021181583404541015625").compare(0.1), 0);
  assert.equal(new Decimal("9007199254740993").compare(9007199254740992n), 1);
  assert.equal(new Decimal("-0").compare(0), 0);
  assert.equal(new Decimal("Infinity").compare(Infinity), 0);
  assert.ok(Number.isNaN(new Decimal("NaN").compare(1)) && Number.isNaN(new Decimal("1").compare(NaN)));
});

Deno.test("Decimal#compare() agrees with numbers when they are doubles", () => {
  const double = fc.double({ noNaN: true });
  fc.assert(fc.property(double, double, (a, b) => {
    const order = a < b ? -1 : a > b ? 1 : 0;
    assert.equal(
      Math.sign(new Decimal(String(a)).compare(a)) === 0,
      isExact(a),
    );
    if (a !== b) assert.equal(Math.sign(new Decimal(String(a)).compare(new Decimal(String(b)))), order);
  }));
});

/** Whether the shortest text of a double is exactly its value. */
function isExact(double: number): boolean {
  if (!Number.isFinite(double) || double === 0) return true;
  const parts = parseDecimal(String(double));
  if (parts?.kind !== "finite") return false;
  if (parts.exponent >= 0n) {
    return BigInt(Math.abs(double)) === BigInt(parts.digits) * 10n ** parts.exponent;
  }
  let magnitude = Math.abs(double), places = 0;
  for (; !Number.isInteger(magnitude); places++) magnitude *= 2;
  return BigInt(magnitude) * 10n ** -parts.exponent === BigInt(parts.digits) * 2n ** BigInt(places);
}

Deno.test("parseDecimal() never throws and accepts what Number() does when the text is random", () => {
  const text = fc.string({ unit: fc.constantFrom(..."0159.eE+-nNaAsSiIfF_ "), maxLength: 8 });
  fc.assert(
    fc.property(text, (candidate) => {
      const parts = parseDecimal(candidate);
      const isPlain = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(candidate);
      if (isPlain) assert.equal(parts?.kind, "finite");
      else if (parts?.kind === "finite") assert.fail(candidate);
      else if (parts !== undefined) assert.match(candidate, /^[+-]?(inf(inity)?|s?nan\d*)$/i);
    }),
    { numRuns: 2_000 },
  );
});
