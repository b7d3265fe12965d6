import assert from "node:assert/strict";
import { pb, tuple, Violation } from "../../mod.ts";
import { BananaDecoder } from "../../lib/pb/banana/decoder.ts";
import { BananaEncoder } from "../../lib/pb/banana/encoder.ts";
import type { Expression } from "../../lib/pb/banana/expression.ts";
import { fc } from "../deps.ts";
import { anyDescription } from "./any_description.ts";
import { build, describe } from "./described.ts";

const LIMITS = { ...pb.DEFAULT_PB_LIMITS, maxExpressionBytes: 1_000_000 };
const WORDS =
  "None class dereference reference dictionary function instance list module persistent tuple unpersistable unicode boolean set frozenset datetime date time timedelta decimal method remote local cached lcache a.B true"
    .split(" ").map((word) => new TextEncoder().encode(word));
const invoker: pb.Invoker = { unjellyReference: () => ({}) };

/** Reads bytes as a connection does: anything but the two kinds of error fails the test. */
function read(bytes: Uint8Array, chunk: number): void {
  const decoder = new BananaDecoder(unjellied, true, LIMITS);
  try {
    for (let at = 0; at < bytes.length; at += chunk) decoder.push(bytes.subarray(at, at + chunk));
  } catch (error) {
    assert.ok(error instanceof pb.BananaError, String(error));
  }
}

function unjellied(expression: Expression): void {
  try {
    new pb.Unjellier({ invoker }).unjellyFull(expression);
  } catch (error) {
    assert.ok(error instanceof Violation, error instanceof Error ? error.stack : "");
  }
}

Deno.test("BananaDecoder and Unjellier give only their own errors for random bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 20 }), read), {
    numRuns: 2000,
  });
});

Deno.test("BananaDecoder and Unjellier give only their own errors for values with some bytes changed", () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(anyDescription, changes, fc.integer({ min: 1, max: 20 }), (description, places, chunk) => {
      const encoder = new BananaEncoder(true);
      new pb.Jellier(encoder).jelly(build(description));
      const bytes = encoder.take();
      for (const [place, byte] of places) bytes[place % bytes.length] = byte;
      read(bytes, chunk);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("Unjellier gives only its own errors for expressions that make no sense", () => {
  const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 6 },
      fc.integer({ min: -2, max: 4 }),
      fc.constantFrom(...WORDS),
      fc.tuple(fc.constantFrom(...WORDS), fc.array(tie("expression"), { maxLength: 4 })).map((
        [tag, rest],
      ) => [tag, ...rest]),
      fc.array(tie("expression"), { maxLength: 4 }),
    ),
  }));
  fc.assert(fc.property(expression, unjellied), { numRuns: 5000 });
});

Deno.test("jelly() and unjelly() keep any value, through encode() and decode()", () => {
  fc.assert(
    fc.property(anyDescription, (description) => {
      const value = build(description);
      const again = pb.unjelly(pb.decode(pb.encode(pb.jelly(value))), { floats: "wrap" });
      assert.deepEqual(describe(again), describe(value));
    }),
    { numRuns: 500 },
  );
});

/** Bytes of `count` times the same thing in a list. */
function many(count: number, piece: string): Uint8Array {
  const encoder = new BananaEncoder(true);
  encoder.list(count + 1);
  encoder.word("list");
  const head = encoder.take();
  const body = Uint8Array.fromHex(piece);
  const bytes = new Uint8Array(head.length + body.length * count);
  bytes.set(head);
  for (let i = 0; i < count; i++) bytes.set(body, head.length + i * body.length);
  return bytes;
}

const FLOODS: readonly (readonly [name: string, bytes: () => Uint8Array])[] = [
  ["50,000 empty lists", () => many(50_000, "0180" + "0887")],
  ["50,000 dereferences of nothing", () => many(50_000, "0280" + "0387" + "0181")],
  [
    "50,000 decimals with huge exponents",
    () => many(50_000, "038007826465" + "63696d616c" + "0181" + "7f7f7f7f7f7f7f81"),
  ],
  ["1,000 levels of references", () => {
    const encoder = new BananaEncoder(true);
    for (let i = 0; i < 999; i++) {
      encoder.list(3);
      encoder.word("reference");
      encoder.integer(i);
    }
    encoder.integer(1);
    return encoder.take();
  }],
  ["tuples that double forty times, as keys", () => {
    let value: unknown = tuple(1, 2);
    for (let i = 0; i < 40; i++) value = tuple(value, value);
    const encoder = new BananaEncoder(true);
    new pb.Jellier(encoder).jelly(new Map([[value, 1]]));
    return encoder.take();
  }],
];
for (const [name, bytes] of FLOODS) {
  Deno.test(`BananaDecoder and Unjellier get over ${name}`, () => {
    let count = 0;
    const decoder = new BananaDecoder((expression) => {
      count++;
      unjellied(expression);
    }, true);
    decoder.push(bytes());
    assert.equal(count, 1);
  });
}
