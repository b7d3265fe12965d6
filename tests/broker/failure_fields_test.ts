import assert from "node:assert/strict";
import { Referenceable, RemoteException, Violation } from "../../mod.ts";
import { type Piece, tokens } from "../support/tokens_text.ts";
import { failureOf, RawPeer, turns } from "./support.ts";

/** A list of texts, as pieces. */
const list = (...texts: string[]): Piece[] => ["(list", ...texts, ")"];
const TYPE: Piece[] = ["type", "builtins.KeyError"];
const VALUE: Piece[] = ["value", "'k'"];
const TRACEBACK: Piece[] = ["traceback", "Traceback unavailable\n"];
const PARENTS: Piece[] = ["parents", ...list("builtins.KeyError", "builtins.LookupError")];

/** Answers the first call of a broker with a failure of these fields; what the call is rejected with. */
async function reject(fields: readonly Piece[]): Promise<{ error: Error; alive: boolean }> {
  await using peer = new RawPeer();
  const answer = failureOf(peer.broker.getReferenceByName("x"));
  await peer.receive(1);
  await peer.send(
    tokens(["(error", 1, "(copyable", "twisted.python.failure.Failure", ...fields, ")", ")"]),
  );
  const error = await answer;
  await turns();
  return { error, alive: peer.broker.ended === undefined };
}

const ORDERS: readonly [name: string, fields: readonly Piece[][]][] = [
  ["Python's order", [VALUE, TYPE, TRACEBACK, PARENTS]],
  ["the order of a relayed one", [TYPE, VALUE, PARENTS, TRACEBACK]],
  ["the reverse order", [PARENTS, TRACEBACK, TYPE, VALUE]],
];
for (const [name, fields] of ORDERS) {
  Deno.test(`a broker takes a failure with its fields in ${name}`, async () => {
    const { error, alive } = await reject(fields.flat());
    assert.ok(error instanceof RemoteException && alive);
    assert.equal(error.remoteType, "builtins.KeyError");
    assert.equal(error.message, "'k'");
    assert.equal(error.remoteTraceback, "Traceback unavailable\n");
    assert.deepEqual(error.remoteParents, ["builtins.KeyError", "builtins.LookupError"]);
  });
}

const VOCAB_LIST = [4, 0x87];
const TAKEN: readonly [name: string, fields: readonly Piece[], check: (error: RemoteException) => void][] = [
  [
    "a value that is a word of the vocabulary",
    [...TYPE, "value", VOCAB_LIST, ...TRACEBACK, ...PARENTS],
    (error) => assert.equal(error.message, "list"),
  ],
  [
    "four bytes for each of Python's 1000 characters",
    [...TYPE, "value", "\u{1f600}".repeat(1_000), ...TRACEBACK, ...PARENTS],
    (error) => assert.equal(error.message.length, 2_000),
  ],
  [
    "bytes that are not UTF-8",
    [...TYPE, "value", Uint8Array.of(0x61, 0xff), ...TRACEBACK, ...PARENTS],
    (error) => assert.equal(error.message, "a\ufffd"),
  ],
  [
    "more parents than any class has",
    [...TYPE, ...VALUE, ...TRACEBACK, "parents", ...list(...Array(500).fill("p"))],
    (error) => assert.equal(error.remoteParents.length, 100),
  ],
  [
    "a FURL in the text, whose name is hidden",
    [...TYPE, "value", `no pb://${"a".repeat(32)}@tcp:h:1/swissnum`, ...TRACEBACK, ...PARENTS],
    (error) => assert.ok(!error.message.includes("swissnum")),
  ],
];
for (const [name, fields, check] of TAKEN) {
  Deno.test(`a broker takes a failure with ${name}`, async () => {
    const { error, alive } = await reject(fields);
    assert.ok(error instanceof RemoteException && alive, Deno.inspect(error));
    check(error);
  });
}

const REFUSED: readonly [name: string, fields: readonly Piece[], message: RegExp][] = [
  ["no value", [...TYPE, ...TRACEBACK, ...PARENTS], /no attribute "value"/],
  ["no type", [...VALUE, ...TRACEBACK, ...PARENTS], /no attribute "type"/],
  ["no traceback", [...TYPE, ...VALUE, ...PARENTS], /no attribute "traceback"/],
  ["no parents", [...TYPE, ...VALUE, ...TRACEBACK], /no attribute "parents"/],
  ["no field", [], /no attribute "type", "value", "traceback", "parents"/],
  ["one more field", [...TYPE, ...VALUE, ...TRACEBACK, ...PARENTS, "x", 1], /Unknown attribute "x"/],
  ["a field __proto__", [...TYPE, "__proto__", "x"], /Unknown attribute "__proto__"/],
  [
    "a field twice",
    [...TYPE, ...TYPE, ...VALUE, ...TRACEBACK, ...PARENTS],
    /Duplicate attribute name "type"/,
  ],
  ["parents twice", [...PARENTS, ...PARENTS], /Duplicate attribute name "parents"/],
  ["text instead of bytes", [...TYPE, "value", "(unicode", "x", ")"], /value of a failure is a STRING/],
  ["a number as its type", ["type", 5], /type of a failure is a STRING/],
  ["a number as a name", [5, 5], /name of a field of a failure is a STRING/],
  ["parents that are a text", ["parents", "x"], /parents of a failure is a list/],
  ["parents that are a tuple", ["parents", "(tuple", "x", ")"], /parents of a failure is a list/],
  ["a parent that is a number", ["parents", "(list", 5, ")"], /a parent of a failure is a STRING/],
  ["a parent that is too long", ["parents", ...list("p".repeat(801))], /too large: 801 > 800/],
  ["a type that is too long", ["type", "t".repeat(801)], /too large: 801 > 800/],
  ["a value that is too long", ["value", "v".repeat(4_001)], /too large: 4001 > 4000/],
  ["a traceback that is too long", ["traceback", "t".repeat(8_001)], /too large: 8001 > 8000/],
  ["a name without a value", [...VALUE, ...TRACEBACK, ...PARENTS, "type"], /ended too early/],
];
for (const [name, fields, message] of REFUSED) {
  Deno.test(`a broker refuses a failure with ${name}, and nothing else`, async () => {
    const { error, alive } = await reject(fields);
    assert.ok(error instanceof Violation, Deno.inspect(error));
    assert.match(error.message, message);
    assert.ok(alive);
  });
}

class Keeper extends Referenceable {
  kept: unknown;
  remote_keep(value: unknown): void {
    this.kept = value;
  }
}

Deno.test("a failure that comes as an argument is a RemoteException", async () => {
  const keeper = new Keeper();
  await using peer = new RawPeer({ prepare: (host) => void host.names.set("k", keeper) });
  const failure = [
    "(copyable",
    "twisted.python.failure.Failure",
    ...TYPE,
    ...VALUE,
    ...TRACEBACK,
    ...PARENTS,
    ")",
  ];
  const call = (first: number, ...pieces: Piece[]) => peer.send(tokens(pieces, first));
  await call(0, "(call", 1, 0, "getReferenceByName", "(arguments", 1, "k", ")", ")");
  await peer.receive(1);
  await call(2, "(call", 2, 1, "keep", "(arguments", 1, ...failure, ")", ")");
  await peer.receive(1);
  const { kept } = keeper;
  assert.ok(kept instanceof RemoteException);
  assert.equal(kept.check("builtins.LookupError"), "builtins.LookupError");
});
