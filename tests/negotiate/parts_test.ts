import assert from "node:assert/strict";
import { DuplicateConnectionError, RemoteNegotiationError } from "../../lib/errors.ts";
import {
  chooseVocabulary,
  evaluateDecision,
  isMasterOver,
  makeDecision,
} from "../../lib/negotiate/decision.ts";
import { decideDuplicate } from "../../lib/negotiate/duplicates.ts";
import { encodeBlock } from "../../lib/negotiate/blocks.ts";
import { encodeFailure } from "../../lib/negotiate/failure.ts";
import { evaluateHello, makeHello, parseMemory } from "../../lib/negotiate/hello.ts";
import { checkSwitching, decodeGet, encodeGet, unknownTubId } from "../../lib/negotiate/plaintext.ts";
import { openRefusal, Refusal } from "../../lib/negotiate/refusal.ts";

const INTERNAL = "internal server error, see logs";
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value);
const A = "a".repeat(32), B = "b".repeat(32), C = "c".repeat(32);

function refusing(peerText: string): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof Refusal, String(error));
    assert.equal(error.peerText, peerText);
    return true;
  };
}

Deno.test("encodeGet() writes Foolscap's bytes", () => {
  assert.equal(
    text(encodeGet("hofkhxu2phexz53qqjzas46eoravj5df", "127.0.0.1")),
    "GET /id/hofkhxu2phexz53qqjzas46eoravj5df HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: TLS/1.0\r\n" +
      "Connection: Upgrade\r\n\r\n",
  );
});

for (
  const [input, tubId] of [
    [`GET /id/${A} HTTP/1.1\r\nHost: x\r\nUpgrade: TLS/1.0`, A],
    [`GET /id/${A} HTTP/1.1`, A],
    [`GET  /id/${A}\tHTTP/9`, A],
    ["GET /id/NoTubIdAtAll x", "NoTubIdAtAll"],
  ] as const
) {
  Deno.test(`decodeGet() takes ${JSON.stringify(input.slice(0, 12))}… with ${input.length} bytes`, () => {
    assert.equal(decodeGet(bytes(input)), tubId);
  });
}

for (
  const [input, peerText] of [
    [`POST /id/${A} HTTP/1.1`, INTERNAL],
    ["GET / HTTP/1.1", INTERNAL],
    [`GET /id/${A}`, INTERNAL],
    [`GET /id/${A} HTTP/1.1 more`, INTERNAL],
    [`get /id/${A} HTTP/1.1`, INTERNAL],
    ["", INTERNAL],
    ["\x16\x03\x01", INTERNAL],
    ["GET /id/ HTTP/1.1", "secure Tubs require encryption"],
  ] as const
) {
  Deno.test(`decodeGet() refuses ${JSON.stringify(input)}`, () => {
    assert.throws(() => decodeGet(bytes(input)), refusing(peerText));
  });
}

Deno.test("unknownTubId() gives the peer its words back, cut", () => {
  assert.equal(unknownTubId(A).peerText, `unknown TubID ${A}`);
  assert.equal(unknownTubId("x".repeat(999)).peerText.length, "unknown TubID ".length + 200);
});

Deno.test("checkSwitching() takes Foolscap's answer, headers in any order", () => {
  checkSwitching(
    bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0, PB/1.0\r\nConnection: Upgrade"),
  );
  checkSwitching(bytes("HTTP/1.1 101 ok\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0"));
});

for (
  const input of [
    "HTTP/1.1 500 Internal Server Error: unknown TubID x",
    "HTTP/1.1 200 OK\r\nUpgrade: TLS/1.0",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket",
    "",
    "101",
  ]
) {
  Deno.test(`checkSwitching() refuses ${JSON.stringify(input)}`, () => {
    assert.throws(() => checkSwitching(bytes(input)), Refusal);
  });
}

Deno.test("makeHello() writes Foolscap's client hello", () => {
  const options = { tubId: A, incarnation: "f93814604d47d58b" };
  assert.equal(
    text(encodeBlock(makeHello({ ...options, lastConnection: "none" }))),
    "banana-negotiation-range: 3 3\r\ninitial-vocab-table-range: 0 1\r\nlast-connection: none 0\r\n" +
      `my-incarnation: f93814604d47d58b\r\nmy-tub-id: ${A}\r\n\r\n`,
  );
  assert.equal(
    text(
      encodeBlock(makeHello({ ...options, lastConnection: { incarnation: "530bcffadf1f999b", seqnum: 1 } })),
    ),
    "banana-negotiation-range: 3 3\r\ninitial-vocab-table-range: 0 1\r\nlast-connection: 530bcffadf1f999b 1\r\n" +
      `my-incarnation: f93814604d47d58b\r\nmy-tub-id: ${A}\r\n\r\n`,
  );
});

Deno.test("makeHello() of a server has no last-connection, and extra keys where they are wanted", () => {
  assert.equal(
    text(encodeBlock(makeHello({ tubId: A, incarnation: "00", extra: { "x-more": "1" } }))),
    `banana-negotiation-range: 3 3\r\ninitial-vocab-table-range: 0 1\r\nmy-incarnation: 00\r\nmy-tub-id: ${A}\r\n` +
      "x-more: 1\r\n\r\n",
  );
});

const GOOD_HELLO = { "banana-negotiation-range": "3 3", "my-tub-id": A, "my-incarnation": "ff" };
const checks = { certificateTubId: A, ownTubId: B };

Deno.test("evaluateHello() takes a hello, and vocabulary table 0 where none is said", () => {
  const hello = new Map(Object.entries(GOOD_HELLO));
  assert.deepEqual(evaluateHello(hello, { ...checks, targetTubId: A }), {
    tubId: A,
    incarnation: "ff",
    lastConnection: undefined,
    vocabularies: { min: 0, max: 0 },
    hello,
  });
});

Deno.test("evaluateHello() takes a wide range of versions and a missing incarnation", () => {
  const hello = new Map([["banana-negotiation-range", "1 9"], ["my-tub-id", A]]);
  assert.equal(evaluateHello(hello, checks).incarnation, "");
});

for (
  const [name, change, peerText] of [
    ["no version", { "banana-negotiation-range": undefined }, "No valid banana-negotiation sequence seen"],
    ["old versions", { "banana-negotiation-range": "1 2" }, "I can't handle banana version 2"],
    ["new versions", { "banana-negotiation-range": "4 5" }, "You can't handle banana version 3"],
    ["a version that is no number", { "banana-negotiation-range": "three 3" }, INTERNAL],
    ["one version", { "banana-negotiation-range": "3" }, INTERNAL],
    ["three versions", { "banana-negotiation-range": "3 3 3" }, INTERNAL],
    ["a forced negotiation", { "negotiation-forced": "True" }, INTERNAL],
    ["another TubID than the certificate's", { "my-tub-id": C }, INTERNAL],
    ["a TubID in capitals", { "my-tub-id": A.toUpperCase() }, INTERNAL],
    ["no TubID", { "my-tub-id": undefined }, INTERNAL],
    ["vocabulary tables that are no numbers", { "initial-vocab-table-range": "a b" }, INTERNAL],
    [
      "the keys of 0.0.5",
      { "banana-negotiation-range": undefined, "banana-negotiation-version": "1" },
      "Peer is speaking foolscap-0.0.5 or earlier, which is not compatible with this version. Please upgrade the peer.",
    ],
  ] as const
) {
  Deno.test(`evaluateHello() refuses ${name}`, () => {
    const entries = Object.entries({ ...GOOD_HELLO, ...change }).filter((entry) => entry[1] !== undefined);
    assert.throws(() => evaluateHello(new Map(entries as [string, string][]), checks), refusing(peerText));
  });
}

Deno.test("evaluateHello() refuses the wrong Tub and itself", () => {
  const hello = new Map(Object.entries(GOOD_HELLO));
  assert.throws(() => evaluateHello(hello, { ...checks, targetTubId: C }), refusing(INTERNAL));
  assert.throws(() => evaluateHello(hello, { certificateTubId: A, ownTubId: A }), refusing(INTERNAL));
});

Deno.test("evaluateHello() reports the peer's own error, escaped", () => {
  const hello = new Map([["error", "no\u0007 " + "x".repeat(500)]]);
  assert.throws(() => evaluateHello(hello, checks), (error) => {
    assert(error instanceof RemoteNegotiationError);
    assert.match(error.message, /no\\u0007 x+…/);
    assert(error.message.length < 260);
    return true;
  });
});

for (
  const [input, output] of [
    ["none 0", "none"],
    ["530bcffadf1f999b 2", { incarnation: "530bcffadf1f999b", seqnum: 2 }],
    ["__proto__ 7 more", { incarnation: "__proto__", seqnum: 7 }],
    ["ff", undefined],
    ["ff x", undefined],
    ["ff -1", undefined],
    ["ff 9999999999999999999", undefined],
    ["", undefined],
    [undefined, undefined],
  ] as const
) {
  Deno.test(`parseMemory() reads ${JSON.stringify(input)}`, () =>
    assert.deepEqual(parseMemory(input), output));
}

Deno.test("isMasterOver() compares TubIDs as text, whoever dialled", () => {
  assert.equal(isMasterOver(B, A), true);
  assert.equal(isMasterOver(A, B), false);
  assert.equal(isMasterOver("a".repeat(32), "2".repeat(32)), true);
});

Deno.test("makeDecision() writes Foolscap's block", () => {
  assert.equal(
    text(encodeBlock(makeDecision({ incarnation: "530bcffadf1f999b", seqnum: 2 }, 1))),
    "banana-decision-version: 3\r\ncurrent-connection: 530bcffadf1f999b 2\r\n" +
      "initial-vocab-table-index: 1 bb33\r\n\r\n",
  );
});

function offering(min: number, max: number) {
  const hello = new Map(
    [...Object.entries(GOOD_HELLO), ["initial-vocab-table-range", `${min} ${max}`]] as const,
  );
  return evaluateHello(hello, checks);
}

Deno.test("chooseVocabulary() takes the greatest table that both know", () => {
  assert.equal(chooseVocabulary(offering(0, 1)), 1);
  assert.equal(chooseVocabulary(offering(0, 0)), 0);
  assert.equal(chooseVocabulary(offering(1, 99)), 1);
  assert.throws(() => chooseVocabulary(offering(2, 3)), refusing("You can't handle initial vocab set 1"));
  assert.throws(() => chooseVocabulary(offering(-3, -1)), refusing("I can't handle initial vocab set -1"));
});

const DECISION = {
  "banana-decision-version": "3",
  "current-connection": "ff 2",
  "initial-vocab-table-index": "1 bb33",
};

for (
  const [name, change, output] of [
    ["Foolscap's block", {}, { vocabTable: 1, master: { incarnation: "ff", seqnum: 2 } }],
    ["version 1", { "banana-decision-version": "1" }, {
      vocabTable: 1,
      master: { incarnation: "ff", seqnum: 2 },
    }],
    ["no current connection", { "current-connection": undefined }, { vocabTable: 1, master: undefined }],
    [
      "no vocabulary table",
      { "initial-vocab-table-index": undefined },
      { vocabTable: 0, master: { incarnation: "ff", seqnum: 2 } },
    ],
    [
      "table 0 with any hash",
      { "initial-vocab-table-index": "0 zzzz" },
      { vocabTable: 0, master: { incarnation: "ff", seqnum: 2 } },
    ],
  ] as const
) {
  Deno.test(`evaluateDecision() takes ${name}`, () => {
    const entries = Object.entries({ ...DECISION, ...change }).filter((entry) => entry[1] !== undefined);
    assert.deepEqual(evaluateDecision(new Map(entries as [string, string][])), output);
  });
}

for (
  const [name, change, peerText] of [
    ["no version", { "banana-decision-version": "" }, "No banana-decision-version value"],
    ["version 4", { "banana-decision-version": "4" }, INTERNAL],
    ["version x", { "banana-decision-version": "x" }, INTERNAL],
    ["table 2", { "initial-vocab-table-index": "2 bb33" }, "I can't handle initial vocab table index 2"],
    ["table -1", { "initial-vocab-table-index": "-1 bb33" }, "I can't handle initial vocab table index -1"],
    ["a table without hash", { "initial-vocab-table-index": "1" }, INTERNAL],
    [
      "another hash",
      { "initial-vocab-table-index": "1 0000" },
      "Our hash for vocab-table-index 1 (bb33) does not match your hash (0000)",
    ],
  ] as const
) {
  Deno.test(`evaluateDecision() refuses ${name}`, () => {
    const decision = new Map(Object.entries({ ...DECISION, ...change }));
    assert.throws(() => evaluateDecision(decision), refusing(peerText));
  });
}

Deno.test("evaluateDecision() reports a refusal of the master", () => {
  const decision = new Map([["banana-decision-version", "1"], ["error", "Duplicate connection"]]);
  assert.throws(() => evaluateDecision(decision), (error) => {
    return error instanceof RemoteNegotiationError && error.message.includes("Duplicate connection");
  });
});

const mine = "me", theirs = "you", seqnum = 5, ageMs = 59_999;
for (
  const [rule, incarnation, lastConnection, isAccepted, isAcceptedWhenOld] of [
    ["1: no incarnation", "", { incarnation: mine, seqnum }, false, true],
    ["1: no last-connection", theirs, undefined, false, true],
    ["1: neither", "", undefined, false, true],
    ["2: another incarnation", "other", "none", true, true],
    ["3: none", theirs, "none", false, false],
    ["4: our earlier life", theirs, { incarnation: "old me", seqnum: 9 }, true, true],
    ["5: the existing one", theirs, { incarnation: mine, seqnum }, true, true],
    ["6: an older one", theirs, { incarnation: mine, seqnum: 4 }, false, false],
    ["7: one that never was", theirs, { incarnation: mine, seqnum: 6 }, false, false],
  ] as const
) {
  Deno.test(`decideDuplicate() follows rule ${rule}`, () => {
    const existing = { slaveIncarnation: theirs, seqnum, ageMs };
    const offer = { incarnation, lastConnection };
    const decide = (age: number, oldPeerThresholdMs?: number) =>
      decideDuplicate(offer, { ...existing, ageMs: age }, { ownIncarnation: mine, oldPeerThresholdMs })
        .isAccepted;
    assert.equal(decide(ageMs), isAccepted);
    assert.equal(decide(ageMs, 60_000), isAccepted);
    assert.equal(decide(60_000, 60_000), isAcceptedWhenOld);
  });
}

for (
  const [name, form, error, output] of [
    ["http", "http", openRefusal("a\r\nb"), "HTTP/1.1 500 Internal Server Error: a  b\r\n\r\n"],
    ["block", "block", openRefusal("no\nway"), "banana-decision-version: 1\r\nerror: no way\r\n\r\n"],
    [
      "a duplicate",
      "block",
      new DuplicateConnectionError("secret reason"),
      "banana-decision-version: 1\r\nerror: Duplicate connection\r\n\r\n",
    ],
    [
      "an internal error",
      "block",
      new RangeError("/home/me"),
      `banana-decision-version: 1\r\nerror: ${INTERNAL}\r\n\r\n`,
    ],
    ["nothing", "nothing", openRefusal("x"), undefined],
    ["the peer's own error", "block", new RemoteNegotiationError("x"), undefined],
  ] as const
) {
  Deno.test(`encodeFailure() tells the peer of ${name}`, () => {
    assert.equal(text(encodeFailure(form, error)), output);
  });
}

Deno.test("encodeFailure() writes Foolscap's ERROR token", () => {
  const words = "Our hash for vocab-table-index 1 (bb33) does not match your hash (0000)";
  assert.deepEqual(encodeFailure("token", openRefusal(words)), new Uint8Array([0x47, 0x8d, ...bytes(words)]));
  assert.deepEqual(
    encodeFailure("token", new RangeError("x")),
    new Uint8Array([0x1f, 0x8d, ...bytes(INTERNAL)]),
  );
  const long = encodeFailure("token", openRefusal("x".repeat(5_000)));
  assert.deepEqual(long?.subarray(0, 3), Uint8Array.of(1000 & 0x7f, 1000 >> 7, 0x8d));
  assert.equal(long?.length, 1_003);
});
