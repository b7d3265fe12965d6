import assert from "node:assert/strict";
import { DuplicateConnectionError, NegotiationError, RemoteNegotiationError } from "../../lib/errors.ts";
import { negotiateInbound, negotiateOutbound } from "../../lib/negotiate/negotiate.ts";
import type { Agreement } from "../../lib/negotiate/negotiating_tub.ts";
import { memoryPair } from "../../lib/transport/memory.ts";
import type { UpgradableConnection } from "../../lib/transport/transport.ts";
import { upgradable } from "../../lib/transport/upgradable.ts";
import { fc } from "../deps.ts";
import { readBytes, turns } from "../suites/transport_suite.ts";
import type { FakeClock } from "../support/fake_clock.ts";
import { makeIdentity, makeMasterAndSlave } from "../support/identity.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { tcpPair } from "../support/tcp_pair.ts";
import { TestTub } from "../support/test_tub.ts";

const [master, slave] = await makeMasterAndSlave();
const stranger = await makeIdentity();
const INTERNAL = "internal server error, see logs";

function memory(pieceBytes?: number): [UpgradableConnection, UpgradableConnection] {
  const [a, b] = memoryPair({ pieceBytes });
  return [upgradable(a), upgradable(b)];
}

function inbound(connection: UpgradableConnection, tub: TestTub): Promise<Agreement> {
  const { limits, clock } = tub;
  const tubFor = (tubId: string) => tubId === tub.tubId ? tub : undefined;
  return negotiateInbound(connection, { tubFor, limits, clock });
}

function outbound(connection: UpgradableConnection, tub: TestTub, targetTubId: string): Promise<Agreement> {
  return negotiateOutbound(connection, { tub, targetTubId, host: "example.org" });
}

for (
  const [transport, makePair] of [
    ["memory", () => Promise.resolve(memory())],
    ["memory in single bytes", () => Promise.resolve(memory(1))],
    ["tcp", () => tcpPair()],
  ] as const
) {
  for (const clientIsMaster of [true, false]) {
    const who = clientIsMaster ? "client" : "server";
    Deno.test(`two Tubs agree over ${transport}, the ${who} being master`, async () => {
      const [a, b] = await makePair();
      const client = new TestTub(clientIsMaster ? master : slave, "c1");
      const server = new TestTub(clientIsMaster ? slave : master, "5e");
      client.extraHello = { "x-extra": "1" };
      const [out, into] = await Promise.all([outbound(a, client, server.tubId), inbound(b, server)]);
      const common = { vocabTable: 1, version: 3 as const, seqnum: 1 };
      assertAgreement(out, {
        ...common,
        tubId: server.tubId,
        localTubId: client.tubId,
        isMaster: clientIsMaster,
        direction: "outbound",
        incarnation: "5e",
      });
      assertAgreement(into, {
        ...common,
        tubId: client.tubId,
        localTubId: server.tubId,
        isMaster: !clientIsMaster,
        direction: "inbound",
        incarnation: "c1",
      });
      assert.equal(into.hello.get("x-extra"), "1");
      const [won, lost] = clientIsMaster ? [client, server] : [server, client];
      assert.deepEqual(lost.memories.get(won.tubId), { incarnation: won.incarnation, seqnum: 1 });
      assert.equal(won.offers[0]?.lastConnection, clientIsMaster ? undefined : "none");
      out.connection.writable.getWriter().write(Uint8Array.of(1, 2, 3));
      assert.deepEqual(await readBytes(into.connection, 3), Uint8Array.of(1, 2, 3));
      await Promise.all([out.connection.close(), into.connection.close()]);
      await Promise.all([a.close(), b.close()]);
      for (const tub of [client, server]) assert.equal((tub.clock as FakeClock).pending, 0);
    });
  }
}

function assertAgreement(agreement: Agreement, expected: Partial<Agreement>): void {
  for (const [key, value] of Object.entries(expected)) {
    assert.equal(agreement[key as keyof Agreement], value, key);
  }
}

/** The messages of a failure: ours, and what a raw peer was told. */
async function failing(
  work: Promise<Agreement>,
  kind: typeof NegotiationError = NegotiationError,
): Promise<string> {
  const error = await work.then(() => assert.fail("it agreed"), (thrown) => thrown);
  assert(error instanceof kind, String(error));
  return error.message;
}

for (
  const [name, sent, answer, phase] of [
    ["another TubID", "GET /id/x HTTP/1.1\r\n\r\n", "unknown TubID x", /phase plaintext.*unknown TubID "x"/],
    ["an empty TubID", "GET /id/ HTTP/1.1\r\n\r\n", "secure Tubs require encryption", /phase plaintext/],
    ["a POST", "POST /id/x HTTP/1.1\r\n\r\n", INTERNAL, /phase plaintext/],
    ["another path", "GET / HTTP/1.1\r\n\r\n", INTERNAL, /phase plaintext/],
    ["too long a header", "x".repeat(4_097), INTERNAL, /phase plaintext.*4096/],
    ["a ClientHello", "\x16\x03\x01\xff\xff\r\n\r\n", INTERNAL, /phase plaintext/],
  ] as const
) {
  Deno.test(`negotiateInbound() answers ${name} with a 500 and closes`, async () => {
    const [a, b] = memory();
    const peer = new RawPeer(a);
    const message = failing(inbound(b, new TestTub(master)));
    await peer.send(sent);
    assert.equal(await peer.rest(), `HTTP/1.1 500 Internal Server Error: ${answer}\r\n\r\n`);
    assert.match(await message, phase);
    await peer.close();
  });
}

for (
  const answer of [
    "HTTP/1.1 500 Internal Server Error: unknown TubID x\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "x".repeat(5_000),
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0\r\n\r\nmore than there should be",
  ]
) {
  Deno.test(`negotiateOutbound() closes without a word after ${JSON.stringify(answer.slice(0, 40))}…${answer.length}`, async () => {
    const [a, b] = memory();
    const peer = new RawPeer(b);
    const message = failing(outbound(a, new TestTub(master), slave.tubId));
    assert.match(await peer.block(), new RegExp(`^GET /id/${slave.tubId} HTTP/1.1\r\nHost: example.org\r\n`));
    await peer.send(answer);
    assert.equal(await peer.rest(), "");
    assert.match(await message, /^Cannot negotiate with memory, in phase (plaintext|tls): /);
    await peer.close();
  });
}

function hello(tubId: string, change: Record<string, string | undefined> = {}): string {
  const entries = {
    "banana-negotiation-range": "3 3",
    "initial-vocab-table-range": "0 1",
    "last-connection": "none 0",
    "my-incarnation": "ff",
    "my-tub-id": tubId,
    ...change,
  };
  return Object.entries(entries).filter((entry) => entry[1] !== undefined)
    .map(([key, value]) => `${key}: ${value}\r\n`).join("") + "\r\n";
}

/** Runs a Tub of ours against a raw client that has got as far as TLS, and has read our hello. */
async function rawClient(
  tub: TestTub,
  identity = tub.tubId === master.tubId ? slave : master,
): Promise<[RawPeer, Promise<Agreement>]> {
  const [a, b] = memory();
  const peer = new RawPeer(a);
  const work = inbound(b, tub);
  work.catch(() => {});
  await peer.send(`GET /id/${tub.tubId} HTTP/1.1\r\n\r\n`);
  assert.equal(
    await peer.block(),
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0, PB/1.0\r\nConnection: Upgrade",
  );
  await peer.startTls("client", identity);
  assert.equal(
    await peer.block(),
    "banana-negotiation-range: 3 3\r\ninitial-vocab-table-range: 0 1\r\nmy-incarnation: 0123456789abcdef\r\n" +
      `my-tub-id: ${tub.tubId}`,
  );
  return [peer, work];
}

for (const [role, ours, theirs] of [["master", master, slave], ["slave", slave, master]] as const) {
  for (
    const [name, sent, told] of [
      [
        "an old version",
        hello(theirs.tubId, { "banana-negotiation-range": "1 2" }),
        "I can't handle banana version 2",
      ],
      [
        "a new version",
        hello(theirs.tubId, { "banana-negotiation-range": "4 4" }),
        "You can't handle banana version 3",
      ],
      ["no version", "a: b\r\n\r\n", "No valid banana-negotiation sequence seen"],
      ["a foreign TubID", hello(stranger.tubId), INTERNAL],
      ["no TubID", hello("", { "my-tub-id": undefined }), INTERNAL],
      ["a line without a colon", "nonsense\r\n\r\n", INTERNAL],
      ["too long a block", `a: ${"x".repeat(5_000)}`, INTERNAL],
    ] as const
  ) {
    Deno.test(`a Tub about to be ${role} answers a hello with ${name} with an error block`, async () => {
      const tub = new TestTub(ours);
      const [peer, work] = await rawClient(tub);
      await peer.send(sent);
      assert.equal(await peer.rest(), `banana-decision-version: 1\r\nerror: ${told}\r\n\r\n`);
      assert.match(await failing(work), /in phase hello: /);
      assert.equal(tub.offers.length + tub.memories.size, 0);
      await peer.close();
    });
  }

  Deno.test(`a Tub about to be ${role} says nothing to a peer that gives up`, async () => {
    const [peer, work] = await rawClient(new TestTub(ours));
    await peer.send("banana-decision-version: 1\r\nerror: you are not my type\r\n\r\n");
    assert.equal(await peer.rest(), "");
    assert.match(await failing(work, RemoteNegotiationError), /you are not my type/);
    await peer.close();
  });
}

Deno.test("a master refuses vocabulary tables that it does not know, before it admits", async () => {
  const tub = new TestTub(master);
  const [peer, work] = await rawClient(tub);
  await peer.send(hello(slave.tubId, { "initial-vocab-table-range": "2 2" }));
  assert.equal(
    await peer.rest(),
    "banana-decision-version: 1\r\nerror: You can't handle initial vocab set 1\r\n\r\n",
  );
  await failing(work);
  assert.equal(tub.offers.length, 0);
  await peer.close();
});

for (
  const [error, kind, told] of [
    [new DuplicateConnectionError("one is there"), DuplicateConnectionError, "Duplicate connection"],
    [new RangeError("at /home/me"), NegotiationError, INTERNAL],
  ] as const
) {
  Deno.test(`a master whose admit() throws ${error.name} tells the peer "${told}"`, async () => {
    const tub = new TestTub(master);
    tub.refusal = error;
    const [peer, work] = await rawClient(tub);
    await peer.send(hello(slave.tubId));
    assert.equal(await peer.rest(), `banana-decision-version: 1\r\nerror: ${told}\r\n\r\n`);
    await failing(work, kind);
    await peer.close();
  });
}

Deno.test("a master writes Foolscap's decision, and the vocabulary of a peer that knows no table", async () => {
  const tub = new TestTub(master);
  const [peer, work] = await rawClient(tub);
  await peer.send(hello(slave.tubId, { "initial-vocab-table-range": undefined, "last-connection": "ab 7" }));
  assert.equal(
    await peer.block(),
    "banana-decision-version: 3\r\ncurrent-connection: 0123456789abcdef 1\r\ninitial-vocab-table-index: 0 da39",
  );
  const agreement = await work;
  assert.equal(agreement.vocabTable, 0);
  assert.deepEqual(tub.offers[0]?.lastConnection, { incarnation: "ab", seqnum: 7 });
  await Promise.all([agreement.connection.close(), peer.close()]);
});

for (
  const [name, sent, told] of [
    [
      "a wrong hash",
      "banana-decision-version: 3\r\ninitial-vocab-table-index: 1 0000\r\n\r\n",
      "\x47\x8dOur hash for vocab-table-index 1 (bb33) does not match your hash (0000)",
    ],
    [
      "no version",
      "a: b\r\n\r\n",
      `${String.fromCharCode("No banana-decision-version value".length)}\x8dNo banana-decision-version value`,
    ],
    ["nonsense", "nonsense\r\n\r\n", `\x1f\x8d${INTERNAL}`],
  ] as const
) {
  Deno.test(`a slave answers a decision with ${name} with an ERROR token`, async () => {
    const tub = new TestTub(slave);
    const [peer, work] = await rawClient(tub);
    await peer.send(hello(master.tubId));
    await peer.send(sent);
    assert.equal(await peer.rest(), told);
    assert.match(await failing(work), /in phase decision: /);
    assert.equal(tub.memories.size, 0);
    await peer.close();
  });
}

Deno.test("a slave reports the master's refusal and says nothing", async () => {
  const [peer, work] = await rawClient(new TestTub(slave));
  await peer.send(hello(master.tubId));
  await peer.send("banana-decision-version: 1\r\nerror: Duplicate connection\r\n\r\n");
  assert.equal(await peer.rest(), "");
  assert.match(await failing(work, RemoteNegotiationError), /Duplicate connection/);
  await peer.close();
});

Deno.test("a slave keeps the tokens that came in one chunk with the decision", async () => {
  const tub = new TestTub(slave);
  const [peer, work] = await rawClient(tub);
  const tokens = "\x05\x8e" + "y".repeat(10_000);
  await peer.send(
    hello(master.tubId) + "banana-decision-version: 3\r\ncurrent-connection: ff 4\r\n" +
      `initial-vocab-table-index: 1 bb33\r\n\r\n${tokens}`,
  );
  const agreement = await work;
  assert.equal(agreement.seqnum, 4);
  assert.equal(String.fromCharCode(...await readBytes(agreement.connection, tokens.length)), tokens);
  await peer.send("later");
  assert.equal((await readBytes(agreement.connection, 5)).length, 5);
  await Promise.all([agreement.connection.close(), peer.close()]);
  assert.equal((await agreement.connection.readable.getReader().read()).done, true);
});

Deno.test("negotiateOutbound() refuses a Tub that is not the one it dialled", async () => {
  const [a, b] = memory();
  const peer = new RawPeer(b);
  const work = failing(outbound(a, new TestTub(master), stranger.tubId));
  await peer.block();
  await peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0\r\n\r\n");
  await peer.startTls("server", slave);
  assert.match(await peer.block(), /last-connection: none 0/);
  await peer.send(hello(slave.tubId));
  assert.equal(await peer.rest(), `banana-decision-version: 1\r\nerror: ${INTERNAL}\r\n\r\n`);
  assert.match(await work, /wrong Tub/);
  await peer.close();
});

Deno.test("negotiateOutbound() says what it remembers of the last connection", async () => {
  const [a, b] = memory();
  const tub = new TestTub(slave);
  tub.memories.set(master.tubId, { incarnation: "530bcffadf1f999b", seqnum: 3 });
  const server = new TestTub(master);
  const [out, into] = await Promise.all([outbound(a, tub, master.tubId), inbound(b, server)]);
  assert.deepEqual(server.offers[0]?.lastConnection, { incarnation: "530bcffadf1f999b", seqnum: 3 });
  await Promise.all([out.connection.close(), into.connection.close()]);
});

Deno.test("the decision block goes out in a write of its own, however early the tokens come", async () => {
  const [a, b] = memory();
  const [out, into] = await Promise.all([
    outbound(a, new TestTub(slave), master.tubId),
    inbound(b, new TestTub(master)).then((agreement) => {
      agreement.connection.writable.getWriter().write(new Uint8Array(8_000));
      return agreement;
    }),
  ]);
  assert.equal((await readBytes(out.connection, 8_000)).length, 8_000);
  await Promise.all([out.connection.close(), into.connection.close()]);
});

for (const stall of ["at once", "after the GET", "after TLS", "after the hello"]) {
  Deno.test(`negotiateInbound() ends after its time when the peer stalls ${stall}`, async () => {
    const tub = new TestTub(slave);
    const clock = tub.clock as FakeClock;
    let peer: RawPeer, work: Promise<Agreement>;
    if (stall === "at once" || stall === "after the GET") {
      const [a, b] = memory();
      peer = new RawPeer(a);
      work = inbound(b, tub);
      if (stall === "after the GET") {
        await peer.send(`GET /id/${tub.tubId} HTTP/1.1\r\n\r\n`);
        await peer.block();
      }
    } else {
      [peer, work] = await rawClient(tub);
      if (stall === "after the hello") await peer.send(hello(master.tubId));
    }
    let isOver = false;
    const over = failing(work).finally(() => isOver = true);
    await turns(20);
    clock.advance(119_999);
    await turns(20);
    assert.equal(isOver, false);
    clock.advance(1);
    assert.equal(await peer.rest(), "");
    assert.match(await over, /no agreement within 120000 ms/);
    assert.equal(clock.pending, 0);
    await peer.close();
  });
}

for (const moment of ["before", "while waiting", "in TLS"]) {
  Deno.test(`negotiateOutbound() gives up when its signal fires ${moment}`, async () => {
    const [a, b] = memory();
    const tub = new TestTub(master);
    const stop = new AbortController();
    if (moment === "before") stop.abort(new RangeError("no"));
    const { signal } = stop;
    const work = negotiateOutbound(a, { tub, targetTubId: slave.tubId, host: "x", signal });
    const message = failing(work);
    const peer = new RawPeer(b);
    if (moment !== "before") await peer.block();
    if (moment === "in TLS") {
      await peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0\r\n\r\n");
      await turns(10);
    }
    stop.abort(new RangeError("no"));
    assert.match(await message, /given up/);
    await peer.rest();
    await peer.close();
    assert.equal((tub.clock as FakeClock).pending, 0);
  });
}

Deno.test("both sides fail cleanly when the network breaks at any point", async () => {
  for (let after = 0; after < 40; after++) {
    const [a, b] = memoryPair();
    const work = Promise.allSettled([
      outbound(upgradable(a), new TestTub(master), slave.tubId),
      inbound(upgradable(b), new TestTub(slave)),
    ]);
    await turns(after);
    a.drop();
    for (const result of await work) {
      if (result.status === "fulfilled") await result.value.connection.close();
      else assert(result.reason instanceof NegotiationError, String(result.reason));
    }
    await Promise.all([a.close(), b.close()]);
  }
});

Deno.test("negotiateInbound() fails with a NegotiationError for any bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const [a, b] = memory();
      const peer = new RawPeer(a);
      const message = failing(inbound(b, new TestTub(master)));
      await peer.send(String.fromCharCode(...bytes));
      await Promise.all([peer.close(), message]);
    }),
    { numRuns: 100 },
  );
});

Deno.test("a Tub fails with a NegotiationError for any bytes inside TLS", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, isDecision) => {
      const [peer, work] = await rawClient(new TestTub(slave));
      if (isDecision) await peer.send(hello(master.tubId));
      await peer.send(String.fromCharCode(...bytes));
      await Promise.all([peer.close(), failing(work)]);
    }),
    { numRuns: 60 },
  );
});
