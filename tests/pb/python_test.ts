import assert from "node:assert/strict";
import { pb, tuple } from "../../mod.ts";
import { BananaEncoder } from "../../lib/pb/banana/encoder.ts";
import { BananaDecoder } from "../../lib/pb/banana/decoder.ts";
import type { Expression } from "../../lib/pb/banana/expression.ts";
import { fc } from "../deps.ts";
import { interopTest } from "../support/python.ts";
import { build, describe, type Described } from "./described.ts";
import { anyDescription } from "./any_description.ts";

/** Asks Python many things at once: one process, one line each. */
async function ask(requests: readonly object[]): Promise<Record<string, unknown>[]> {
  const child = new Deno.Command("/usr/bin/python3", {
    args: ["-B", decodeURIComponent(new URL("codec_peer.py", import.meta.url).pathname)],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const written = writer.write(
    new TextEncoder().encode(requests.map((r) => `${JSON.stringify(r)}\n`).join("")),
  )
    .then(() => writer.close());
  const { stdout, stderr } = await child.output();
  await written;
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  assert.equal(lines.length, requests.length, new TextDecoder().decode(stderr));
  return lines.map((line) => JSON.parse(line));
}

function bytesOf(value: unknown, vocabulary: boolean): string {
  const encoder = new BananaEncoder(vocabulary);
  new pb.Jellier(encoder).jelly(value);
  return encoder.take().toHex();
}

function read(hex: string, vocabulary: boolean): unknown {
  const expressions: Expression[] = [];
  new BananaDecoder((expression) => expressions.push(expression), vocabulary).push(Uint8Array.fromHex(hex));
  return new pb.Unjellier({ floats: "wrap" }).unjellyFull(expressions[0]!);
}

interopTest(
  "Jellier writes 400 random values byte for byte as Twisted does, and both read each other's",
  async () => {
    const descriptions = fc.sample(anyDescription, { numRuns: 400, seed: 20_261 });
    const written = await ask(descriptions.map((value) => ({ value })));
    const requests = [];
    for (const [i, description] of descriptions.entries()) {
      const value = build(description);
      for (const dialect of ["pb", "none"] as const) {
        const ours = bytesOf(value, dialect === "pb");
        assert.equal(ours, written[i]![dialect], JSON.stringify(description));
        assert.deepEqual(describe(read(ours, dialect === "pb")), describe(value));
        requests.push({ hex: ours, dialect });
      }
    }
    const answers = await ask(requests);
    for (const [i, { value, error }] of answers.entries()) {
      assert.deepEqual(value, describe(build(descriptions[i >> 1]!)), String(error));
    }
  },
);

interopTest("Twisted reads values as deep as Jellier sends, plain, shared and in dictionaries", async () => {
  const nest = (depth: number, wrap: (inner: unknown) => unknown) => {
    let value: unknown = 1;
    for (let i = 0; i < depth; i++) value = wrap(value);
    return value;
  };
  const lists: unknown[] = [[]];
  for (let i = 0; i < 140; i++) lists.push([lists.at(-1)]);
  const values = [
    nest(300, (inner) => [inner]),
    nest(300, (inner) => tuple(inner)),
    nest(150, (inner) => ({ a: inner })),
    [lists.at(-1), lists],
  ];
  const answers = await ask(values.map((value) => ({ hex: bytesOf(value, true), dialect: "pb" })));
  for (const { error } of answers) assert.equal(error, undefined);
});

interopTest("Twisted refuses what Jellier refuses to send, or cannot say it", async () => {
  const word = (text: string) => new TextEncoder().encode(text);
  const wrong: Expression[] = [
    [word("dictionary"), [[word("list")], 1]],
    [word("set"), [word("list")]],
    [word("boolean"), 1],
    [word("foobar")],
    [word("shop.Order"), [word("dictionary")]],
    [],
  ];
  const answers = await ask(
    wrong.map((expression) => ({ hex: pb.encode(expression).toHex(), dialect: "none" })),
  );
  for (const { error } of answers) assert.notEqual(error, undefined);
});

const KNOWN: readonly Described[] = [["str", "x"]];
interopTest("Twisted's answers come in the order of the questions", async () => {
  assert.deepEqual(await ask(KNOWN.map((value) => ({ value }))), [{
    pb: "02800782756e69636f6465018278",
    none: "02800782756e69636f6465018278",
  }]);
});
