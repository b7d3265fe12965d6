import assert from "node:assert/strict";
import { BananaDecoder } from "../../lib/pb/banana/decoder.ts";
import { BananaEncoder } from "../../lib/pb/banana/encoder.ts";
import type { Expression } from "../../lib/pb/banana/expression.ts";
import { Jellier } from "../../lib/pb/jelly/jellier.ts";
import { Unjellier } from "../../lib/pb/jelly/unjellier.ts";
import vectors from "../vectors/pb.json" with { type: "json" };
import { build, describe, type Described } from "./described.ts";

function decoded(bytes: Uint8Array, vocabulary: boolean, chunk: number): Expression[] {
  const expressions: Expression[] = [];
  const decoder = new BananaDecoder((expression) => expressions.push(expression), vocabulary);
  for (let at = 0; at < bytes.length; at += chunk) decoder.push(bytes.subarray(at, at + chunk));
  assert.ok(decoder.betweenExpressions);
  return expressions;
}

for (const { name, value, pb, none } of vectors.rows) {
  for (const [dialect, hex] of [["pb", pb], ["none", none]] as const) {
    Deno.test(`Jellier.jelly() writes ${name} as Twisted does in dialect ${dialect}`, () => {
      const encoder = new BananaEncoder(dialect === "pb");
      new Jellier(encoder).jelly(build(value as unknown as Described));
      assert.equal(encoder.take().toHex(), hex);
    });
    Deno.test(`Unjellier.unjellyFull() reads Twisted's ${name} of dialect ${dialect} at any chunk size`, () => {
      const bytes = Uint8Array.fromHex(hex);
      for (const chunk of [1, 2, 3, 7, bytes.length]) {
        const expressions = decoded(bytes, dialect === "pb", chunk);
        assert.equal(expressions.length, 1);
        const read = new Unjellier({ floats: "wrap" }).unjellyFull(expressions[0]!);
        assert.deepEqual(describe(read), value);
      }
    });
    Deno.test(`BananaEncoder.expression() gives back Twisted's ${name} of dialect ${dialect}`, () => {
      const encoder = new BananaEncoder(dialect === "pb");
      encoder.expression(decoded(Uint8Array.fromHex(hex), dialect === "pb", 1000)[0]!);
      assert.equal(encoder.take().toHex(), hex);
      assert.equal(encoder.elements, 1);
    });
  }
}
