/**
 * Perspective Broker's banana and jelly: a small call, and a large value, written and read.
 *
 * `deno bench bench/pb_jelly_bench.ts`; Twisted's figures on the same values: `/usr/bin/python3 bench/pb_jelly_bench.py`.
 *
 * @module
 */

import { BananaDecoder } from "../lib/pb/banana/decoder.ts";
import { BananaEncoder } from "../lib/pb/banana/encoder.ts";
import type { Expression } from "../lib/pb/banana/expression.ts";
import { Jellier } from "../lib/pb/jelly/jellier.ts";
import { Unjellier } from "../lib/pb/jelly/unjellier.ts";

const ARGUMENTS = [1, "hello", { name: "x", count: 3 }, [1, 2, 3]];
const LARGE = Array.from(
  { length: 1000 },
  (_, i) => ({ id: i, name: `item ${i}`, tags: ["a", "b"], price: i + 0.5 }),
);

const encoder = new BananaEncoder(true);
const jellier = new Jellier(encoder);

function writeCall(): void {
  encoder.list(7);
  encoder.word("message");
  encoder.integer(1000);
  encoder.word("root");
  encoder.word("echo");
  encoder.integer(1);
  jellier.tuple(ARGUMENTS);
  jellier.keywords({});
}

function reading(write: () => void, read: (expression: Expression) => void): () => void {
  write();
  const bytes = encoder.take();
  const decoder = new BananaDecoder(read, true);
  return () => decoder.push(bytes);
}

Deno.bench("write a call", () => {
  writeCall();
  encoder.take();
});
Deno.bench(
  "read a call",
  reading(writeCall, (message) => {
    new Unjellier().unjellyFull((message as readonly Expression[])[5]!);
    new Unjellier().unjellyFull((message as readonly Expression[])[6]!);
  }),
);
Deno.bench("write 1,000 records", () => {
  jellier.jelly(LARGE);
  encoder.take();
});
Deno.bench(
  "read 1,000 records",
  reading(() => jellier.jelly(LARGE), (value) => new Unjellier().unjellyFull(value)),
);
