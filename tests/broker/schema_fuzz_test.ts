/**
 * A Broker that serves an object with a rich interface, and is given calls of it by chance: well-formed ones with any values
 * in any places, and such with their bytes changed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { LONGINT, LONGNEG } from "../../lib/wire/tokens.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import {
  Copyable,
  ProtocolError,
  Referenceable,
  registerRemoteCopy,
  RemoteInterface,
  schema,
  Violation,
} from "../../mod.ts";
import { EMPTY, failureOf, RawPeer, turns } from "./support.ts";

const { ListOf, DictOf, SetOf, ChoiceOf, Optional, Shared, lazy } = schema;

class Sample extends Copyable {
  static override copytype = "fuzz.example.com/Sample";
  static override stateSchema = schema.AttributeDictConstraint(["x", Number], [
    "next",
    Optional(schema.Any()),
  ], {
    ignoreUnknown: true,
  });
}
registerRemoteCopy(Sample);
const tree: schema.Constraint = ChoiceOf(BigInt, ListOf(lazy(() => tree)), DictOf(String, lazy(() => tree)));
const RIOther = RemoteInterface("RIOther.fuzz.example.com", { get: schema.method([], BigInt) });
const MANY = schema.method([
  ["a", schema.IntegerConstraint()],
  ["b", Optional(String)],
  ["c", Optional(ChoiceOf(ListOf(Number, { maxLength: 3 }), ListOf(String), Uint8Array, null))],
], schema.Any());
const RIFuzz = RemoteInterface("RIFuzz.fuzz.example.com", {
  many: MANY,
  open: schema.method([["a", Number]], ListOf(Number), { acceptUnknown: true }),
  ignoring: schema.method([["a", Shared(Number)]], String, { ignoreUnknown: true }),
  tree: schema.method([["a", tree]], tree),
  tuple: schema.method([["a", [Number, String, Boolean]]], [Number]),
  set: schema.method([["a", SetOf(ChoiceOf(Number, Uint8Array), { maxLength: 4 })]], Boolean),
  copy: schema.method([["a", ListOf(Sample)]], Sample),
  other: schema.method([["a", RIOther], ["b", Optional(Referenceable)]], RIOther),
  record: schema.method([["a", schema.AttributeDictConstraint(["x", Number], ["y", String])]], null),
  free: schema.UnconstrainedMethod(),
});
const METHODS = [...RIFuzz.names(), "nothing", "constructor"];

class Fuzzed extends Referenceable {
  static override remoteInterface = RIFuzz;
  override doRemoteCall(name: string, args: unknown[]): unknown {
    const rules = RIFuzz.method(name)!;
    // What reaches the method keeps its rules: as it is, it would be let out again.
    if (name !== "free" && name !== "open") rules.checkOutbound(args);
    return args[0];
  }
}
class Other extends Referenceable {
  static override remoteInterface = RIOther;
}

/** A generator of 32 bits (xorshift), so that a failure can be run again. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const WORDS = [
  "list",
  "tuple",
  "dict",
  "set",
  "immutable-set",
  "unicode",
  "boolean",
  "none",
  "decimal",
  "copyable",
]
  .concat("reference", "my-reference", "your-reference", "their-reference", "arguments", "strange");
const NAMES = ["a", "b", "c", "x", "y", "next", "__proto__", "constructor", "", "list"];

type Random = (below: number) => number;

function writeName(e: TokenEncoder, random: Random): void {
  e.word(NAMES[random(NAMES.length)]!);
}

function writeValue(e: TokenEncoder, random: Random, depth = 0): void {
  const kind = random(depth > 4 ? 6 : 12);
  if (kind < 2) return e.integer(random(2) === 0 ? random(9) : -random(1 << 30));
  if (kind === 2) return e.double(random(100) / 8);
  if (kind === 3) return writeName(e, random);
  if (kind === 4) return e.sized(random(2) === 0 ? LONGINT : LONGNEG, new Uint8Array(random(12)).fill(7));
  if (kind === 5) return void e.text(NAMES[random(NAMES.length)]!);
  const word = WORDS[random(WORDS.length)]!;
  const number = e.open(word);
  if (word === "copyable") e.word(random(4) > 0 ? "fuzz.example.com/Sample" : "other");
  const inside = random(5);
  for (let i = 0; i < inside; i++) {
    if (word === "unicode" || word === "copyable") writeName(e, random);
    if (word === "reference") e.integer(Math.max(0, number - random(4)));
    else if (/-reference$|boolean/.test(word) && i === 0) e.integer(random(4));
    else if (word !== "unicode" && word !== "none") writeValue(e, random, depth + 1);
  }
  e.close(number);
}

function writeCall(e: TokenEncoder, random: Random, id: number): void {
  const call = e.open("call");
  e.integer(id);
  e.integer(1 + random(2));
  e.word(METHODS[random(METHODS.length)]!);
  const args = e.open("arguments");
  const count = random(4);
  e.integer(count);
  for (let i = 0; i < count; i++) writeValue(e, random);
  for (let i = random(3); i > 0; i--) {
    writeName(e, random);
    writeValue(e, random);
  }
  e.close(args);
  e.close(call);
}

function mutate(bytes: number[], random: Random): void {
  for (let i = random(4); i > 0 && bytes.length > 0; i--) {
    const at = random(bytes.length);
    const kind = random(4);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes.splice(at, 1 + random(4));
    else if (kind === 2) bytes.splice(at, 0, ...bytes.slice(at, at + random(40)));
    else bytes[at] = 0x80 + random(16);
  }
}

/** @returns Whether the connection lived to its end. */
async function runOne(random: Random): Promise<boolean> {
  const peer = new RawPeer({
    limits: { maxMessageBytes: 100_000, maxElements: 1_000, maxPendingGifts: 5 },
    prepare: (left) => {
      left.names.set("a", new Fuzzed());
      left.names.set("b", new Other());
    },
  });
  const e = new TokenEncoder(vocabularyWords(1));
  for (const [id, name] of [[1, "a"], [2, "b"]] as const) {
    const call = e.open("call");
    e.integer(id);
    e.integer(0);
    e.word("getReferenceByName");
    const args = e.open("arguments");
    e.integer(1);
    e.word(name);
    e.close(args);
    e.close(call);
  }
  for (const part of e.take()) await peer.send(part);
  await turns(4);
  // A call of ours, so that there is an answer to give.
  const lookup = failureOf(
    peer.broker.getReferenceByName("x").then(() => Promise.reject(new Violation("came"))),
  );
  for (let i = 3; i < 8; i++) writeCall(e, random, i);
  if (random(2) === 0) {
    const answer = e.open("answer");
    e.integer(1);
    writeValue(e, random);
    e.close(answer);
  }
  const bytes = e.take().flatMap((part) => [...part]);
  if (random(2) === 0) mutate(bytes, random);
  await peer.send(new Uint8Array(bytes));
  await turns(6);
  const { ended } = peer.broker;
  if (ended !== undefined) {
    assert.ok(ended instanceof ProtocolError, `not a ProtocolError: ${Deno.inspect(ended)}`);
  }
  // "Cannot process" is said of what nobody thought of.
  assert.doesNotMatch(String(ended?.message), /^Cannot process/, Deno.inspect(ended));
  await peer[Symbol.asyncDispose]();
  assert.deepEqual(peer.broker.tables(), EMPTY);
  await lookup;
  return ended === undefined;
}

/** How many inputs; fifty thousand take some minutes. */
const COUNT = Number(Deno.env.get("FUZZ_INPUTS") ?? 400);
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20_260_607);

Deno.test("calls by chance of an object with a rich interface cost calls, or the connection by a ProtocolError", async () => {
  let alive = 0;
  for (let i = 0; i < COUNT; i++) {
    const random = makeRandom(SEED + i * 7_919);
    for (let j = 0; j < 8; j++) random(2);
    try {
      if (await runOne(random)) alive++;
    } catch (cause) {
      throw new Error(`input ${i} of seed ${SEED}`, { cause });
    }
  }
  assert.ok(alive > COUNT / 10 && alive < COUNT, `${alive} of ${COUNT} connections lived`);
});
