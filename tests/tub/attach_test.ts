import assert from "node:assert/strict";
import {
  type AttachOptions,
  type ByteStreams,
  currentCall,
  DeadReferenceError,
  DuplicateConnectionError,
  FurlError,
  NegotiationError,
  Referenceable,
  RemoteException,
  RemoteReference,
  SturdyRef,
  Tub,
  Violation,
} from "../../mod.ts";
import { parseFurl } from "../../lib/names/furl.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { portPair, streamPair, webSocketStreamPair } from "../support/stream_pairs.ts";
import { answerAs } from "./attach_impostor.ts";
import { attachBoth, quietTub } from "./attaching.ts";
import { EMPTY_TABLES, startMasterAndSlave, startTub, Target, until } from "./tubs.ts";

/** Two of them, the master first. */
async function quietPair(): Promise<[Tub, Tub]> {
  const [a, b] = await Promise.all([quietTub(), quietTub()]);
  return a.tubId > b.tubId ? [a, b] : [b, a];
}

/** A peer that says nothing, and ends when the other end does. */
async function silent({ readable, writable }: ByteStreams): Promise<void> {
  await readable.pipeTo(new WritableStream()).catch(() => {});
  await writable.close().catch(() => {});
}

class WhoCalls extends Referenceable {
  remote_who(): unknown {
    return currentCall()!.caller ?? null;
  }
}

const CARRIERS = { streams: streamPair, "a message port": portPair, "a WebSocket": webSocketStreamPair };
for (const [carrier, makePair] of Object.entries(CARRIERS)) {
  for (const client of ["master", "slave"] as const) {
    Deno.test(`attach() over ${carrier} connects two Tubs, with the ${client} as the client`, async () => {
      const [master, slave] = await quietPair();
      const [near, far] = client === "master" ? [master, slave] : [slave, master];
      const furl = far.registerReference(new Target());
      const [peer, back] = await attachBoth([near, { target: furl }], [far, {}], await makePair());
      assert.deepEqual([peer.tubId, peer.isProved, peer.address], [far.tubId, true, "attached"]);
      assert.deepEqual([back.tubId, back.isProved], [near.tubId, true]);
      const ref = await near.getReference<Target>(furl);
      assert.equal(await peer.getReference(furl), ref);
      assert.equal(await ref.callRemote("add", 1, 2), 3);
      const mine = new Target();
      assert.equal(await ref.callRemote("echo", mine), mine);
      assert.equal(near.debug.tables().connections, 1);
      await peer.close();
      assert((await back.closed) instanceof Error);
      await Promise.all([near.stop(), far.stop()]);
      assert.deepEqual(near.debug.tables(), EMPTY_TABLES);
      assert.deepEqual(far.debug.tables(), EMPTY_TABLES);
    });
  }
}

/** What each end says, and what each end then knows of the other. */
const IDENTITIES: {
  name: string;
  near: (far: Tub) => AttachOptions;
  far: (near: Tub) => AttachOptions;
  nearSees: "far" | undefined;
  farSees: "near" | undefined;
  isProved: boolean;
}[] = [
  {
    name: "TLS proves both",
    near: (far) => ({ target: far.tubId }),
    far: () => ({}),
    nearSees: "far",
    farSees: "near",
    isProved: true,
  },
  {
    name: "without TLS nobody has a TubID",
    near: () => ({ tls: false }),
    far: () => ({ tls: false }),
    nearSees: undefined,
    farSees: undefined,
    isProved: false,
  },
  {
    name: "the program at one end vouches",
    near: (far) => ({ trustedAs: far.tubId }),
    far: () => ({ tls: false }),
    nearSees: "far",
    farSees: undefined,
    isProved: false,
  },
  {
    name: "the programs at both ends vouch",
    near: (far) => ({ trustedAs: far.tubId }),
    far: (near) => ({ tls: false, trustedAs: near.tubId }),
    nearSees: "far",
    farSees: "near",
    isProved: false,
  },
];
for (const { name, near, far, nearSees, farSees, isProved } of IDENTITIES) {
  Deno.test(`attach(): ${name}`, async () => {
    await using a = await quietTub();
    await using b = await quietTub();
    const [peer, back] = await attachBoth([a, near(b)], [b, far(a)]);
    const ids = { far: b.tubId, near: a.tubId };
    assert.equal(peer.tubId, nearSees && ids[nearSees]);
    assert.equal(back.tubId, farSees && ids[farSees]);
    assert.deepEqual([peer.isProved, back.isProved], [isProved, isProved]);
    a.registerReference(new WhoCalls(), "who");
    b.registerReference(new WhoCalls(), "who");
    const ref = await peer.getReference<WhoCalls>("who");
    assert.equal(await ref.callRemote("who"), back.tubId ?? null);
    assert.equal(await (await back.getReference<WhoCalls>("who")).callRemote("who"), peer.tubId ?? null);
  });
}

/** Pairs of options that do not fit, or of which one is a lie: neither end gets a connection. */
const MISFITS: {
  name: string;
  near: (far: Tub, third: Tub) => AttachOptions;
  far: (near: Tub, third: Tub) => AttachOptions;
  reasons: [RegExp, RegExp];
}[] = [
  {
    name: "the target is another Tub",
    near: (_, third) => ({ target: third.tubId }),
    far: () => ({}),
    reasons: [/unknown TubID/, /unknown TubID/],
  },
  {
    name: "the program vouches for another Tub",
    near: (_, third) => ({ trustedAs: third.tubId }),
    far: () => ({ tls: false }),
    reasons: [/vouches for/, /internal server error/],
  },
  {
    name: "both ends have a target",
    near: (far) => ({ target: far.tubId }),
    far: (near) => ({ target: near.tubId }),
    reasons: [/did not answer 101/, /did not answer 101/],
  },
  {
    name: "only one end has TLS, and begins",
    near: (far) => ({ target: far.tubId }),
    far: () => ({ tls: false }),
    reasons: [/did not answer 101/, /begins with TLS: attach both/],
  },
  {
    name: "only one end has TLS, and waits",
    near: () => ({}),
    far: () => ({ tls: false }),
    reasons: [/something else than GET/, /waits for TLS: attach both/],
  },
];
for (const { name, near, far, reasons } of MISFITS) {
  Deno.test(`attach() fails at both ends when ${name}`, async () => {
    const [a, b, third] = await Promise.all([quietTub(), quietTub(), quietTub()]);
    const [one, two] = streamPair();
    const attempts = [a.attach(one, near(b, third)), b.attach(two, far(a, third))];
    const results = await Promise.allSettled(attempts);
    for (const [i, result] of results.entries()) {
      assert(result.status === "rejected" && result.reason instanceof NegotiationError);
      assert.match(result.reason.message, reasons[i]!);
    }
    await Promise.all([a.stop(), b.stop(), third.stop()]);
    for (const tub of [a, b]) assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
  });
}

const MISTAKES: { name: string; streams?: unknown; options?: unknown; error?: typeof FurlError }[] = [
  { name: "nothing", streams: undefined },
  { name: "one stream", streams: { readable: new ReadableStream() } },
  { name: "no streams", streams: { readable: {}, writable: {} } },
  { name: "a close that is no function", streams: { ...streamPair()[0], close: 5 } },
  { name: "options that are no object", options: null },
  { name: "an unknown option", options: { trustAs: "x" } },
  { name: "a target that is no text", options: { target: 5 } },
  { name: "a target that is no FURL", options: { target: "pb:/x" }, error: FurlError },
  { name: "a SturdyRef that points nowhere", options: { target: new SturdyRef() } },
  { name: "trustedAs that is no TubID", options: { trustedAs: "A".repeat(32) } },
  { name: "trustedAs with TLS", options: { trustedAs: "a".repeat(32), tls: true } },
  { name: "a target without TLS", options: { target: "a".repeat(32), tls: false } },
  { name: "tls that is no boolean", options: { tls: "no" } },
  { name: "an address that is no text", options: { address: 5 } },
  { name: "a signal that is none", options: { signal: {} } },
];
for (const { name, options = {}, error = TypeError, ...given } of MISTAKES) {
  Deno.test(`attach() refuses ${name}, and locks nothing`, async () => {
    await using tub = await Tub.create();
    const good = streamPair()[0];
    const streams = ("streams" in given ? given.streams : good) as ByteStreams;
    await assert.rejects(tub.attach(streams, options as AttachOptions), error);
    assert(!good.readable.locked && !good.writable.locked);
  });
}

Deno.test("attach() refuses locked streams, its own TubID, and a Tub that has stopped", async () => {
  const tub = await Tub.create();
  const [one] = streamPair();
  const reader = one.readable.getReader();
  await assert.rejects(tub.attach(one), /a stream is locked/);
  reader.releaseLock();
  await assert.rejects(tub.attach(one, { target: tub.tubId }), /this Tub's own/);
  await assert.rejects(tub.attach(one, { trustedAs: tub.tubId }), /this Tub's own/);
  await tub.stop();
  await assert.rejects(tub.attach(one), /has been stopped/);
});

Deno.test("a peer without a TubID takes nobody's place, and its FURLs are not believed", async () => {
  await using a = await quietTub();
  await using b = await quietTub();
  await using c = await quietTub();
  const [anonymous, back] = await attachBoth([a, { tls: false }], [b, { tls: false }]);
  const furl = b.registerReference(new Target(), "target");
  const ref = await anonymous.getReference<Target>("target");
  // The same two Tubs can have a connection that counts beside it, and another one without names.
  await attachBoth([a, { target: b.tubId }], [b, {}]);
  await attachBoth([a, { tls: false }], [b, { tls: false }]);
  assert.equal(a.debug.tables().connections, 3);
  const proved = await a.getReference<Target>(furl);
  assert.notEqual(proved, ref);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  // Its objects cannot be given away: nobody knows whose they are.
  await attachBoth([a, { target: c.tubId }], [c, {}]);
  const toC = await a.getReference<Target>(c.registerReference(new Target()));
  await assert.rejects(toC.callRemote("echo", ref), (error) => {
    assert(error instanceof Violation);
    assert.match(error.message, /has proved no TubID/);
    return true;
  });
  // The name in a FURL is not told to whoever may be there.
  await assert.rejects(anonymous.getReference(furl), FurlError);
  await assert.rejects(anonymous.getReference(5 as unknown as string), TypeError);
  await assert.rejects(anonymous.getReference("other"), RemoteException);
  await back.close();
  await anonymous.closed;
  await assert.rejects(ref.callRemote("add", 1, 2), DeadReferenceError);
  assert.equal(await proved.callRemote("add", 1, 2), 3);
});

Deno.test("a peer for which the program vouches can be reached by its FURLs, and its objects be given away", async () => {
  const [a, b, c] = await Promise.all([quietTub(), startTub(), quietTub()]);
  const [peer] = await attachBoth([a, { trustedAs: b.tubId }], [b, { tls: false }]);
  const target = new Target();
  const furl = b.registerReference(target);
  const ref = await a.getReference<Target>(furl);
  assert.equal(await peer.getReference(furl), ref);
  await assert.rejects(peer.getReference(c.registerReference(new Target())), FurlError);
  await attachBoth([a, { target: c.tubId }], [c, {}]);
  const holder = new Target();
  const toC = await a.getReference<Target>(c.registerReference(holder));
  await toC.callRemote("hold", ref);
  assert(holder.held instanceof RemoteReference);
  assert.equal(await (holder.held as RemoteReference<Target>).callRemote("add", 3, 4), 7);
  await Promise.all([a.stop(), b.stop(), c.stop()]);
});

Deno.test("attach() with trustedAs never replaces a connection, and a proved one replaces it", async () => {
  const [master, slave] = await startMasterAndSlave();
  await using near = slave;
  await using far = master;
  const plain = { tls: false };
  const [vouched] = await attachBoth([near, { trustedAs: far.tubId }], [far, plain]);
  const [one, two] = streamPair();
  const second = await Promise.allSettled([
    near.attach(one, { trustedAs: far.tubId }),
    far.attach(two, plain),
  ]);
  assert(second[0].status === "rejected" && second[0].reason instanceof DuplicateConnectionError);
  assert(second[1].status === "rejected" && second[1].reason instanceof NegotiationError);
  assert.match(second[1].reason.message, /Duplicate connection/);
  // The true Tub comes by TCP, and its master's decision counts.
  const ref = await far.getReference<Target>(near.registerReference(new Target()));
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  assert.match((await vouched.closed).message, /replaced by a new connection/);
  // Now there is a proved one.
  const [three, four] = streamPair();
  const third = await Promise.allSettled([
    near.attach(three, { trustedAs: far.tubId }),
    far.attach(four, plain),
  ]);
  assert(third[0].status === "rejected" && third[0].reason instanceof DuplicateConnectionError);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
});

for (const client of ["master", "slave"] as const) {
  Deno.test(`a second attach() of the same two Tubs fails, with the ${client} as the client`, async () => {
    const [master, slave] = await quietPair();
    await using near = client === "master" ? master : slave;
    await using far = client === "master" ? slave : master;
    const furl = far.registerReference(new Target());
    const [first] = await attachBoth([near, { target: furl }], [far, {}]);
    const ref = await near.getReference<Target>(furl);
    const [one, two] = streamPair();
    const again = await Promise.allSettled([near.attach(one, { target: furl }), far.attach(two)]);
    if (client === "master") {
      // Whoever does not say what it remembers is a parallel attempt.
      for (const result of again) {
        assert(result.status === "rejected" && /Duplicate connection/.test(String(result.reason)));
      }
      assert.equal(await ref.callRemote("add", 1, 2), 3);
    } else {
      // The slave knows of the connection and begins another one all the same: so the first is stale.
      assert.deepEqual(again.map(({ status }) => status), ["fulfilled", "fulfilled"]);
      assert.match((await first.closed).message, /replaced/);
    }
    assert.equal(await (await near.getReference<Target>(furl)).callRemote("add", 3, 4), 7);
    await until(() => near.debug.tables().connections === 1 && far.debug.tables().connections === 1);
  });
}

for (let round = 0; round < 10; round++) {
  Deno.test(`attach() that crosses a dial ends with one connection (${round})`, async () => {
    const [master, slave] = await startMasterAndSlave();
    await using a = round % 2 === 0 ? master : slave;
    await using b = round % 2 === 0 ? slave : master;
    const furl = b.registerReference(new Target());
    const [one, two] = streamPair();
    const attached = Promise.allSettled([a.attach(one, { target: furl }), b.attach(two)]);
    const [ref] = await Promise.all([a.getReference<Target>(furl), attached]);
    assert.equal(await (await a.getReference<Target>(furl)).callRemote("add", 1, 2), 3);
    await until(() => a.debug.tables().connections === 1 && b.debug.tables().connections === 1);
    ref[Symbol.dispose]();
  });
}

Deno.test("attach() serves those who wait for a Tub that cannot be reached otherwise", async () => {
  await using silent = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const held = silent.accept();
  await using near = await quietTub();
  await using far = await quietTub();
  const furl = far.registerReference(new Target());
  const waiting = near.getReference<Target>(furl.replace("attach:", `tcp:127.0.0.1:${silent.addr.port}`));
  using _conn = await held;
  await attachBoth([far, { target: near.tubId }], [near, {}]);
  assert.equal(await (await waiting).callRemote("add", 1, 2), 3);
  // The master's key word for "nowhere": a hint that nobody can dial is no obstacle.
  assert.equal(await (await near.getReference<Target>(furl)).callRemote("add", 3, 4), 7);
  assert.deepEqual(parseFurl(furl).hints, ["attach:"]);
  assert.equal(near.getConnectionInfoForFURL(furl)?.address, "attached");
});

Deno.test("attach() as the client refuses one who answers for a Tub and proves to be another", async () => {
  await using near = await quietTub();
  await using far = await quietTub();
  await using thief = await Tub.create();
  const [one, two] = streamPair();
  const [attempt] = await Promise.allSettled([
    near.attach(one, { target: far.tubId }),
    answerAs(two, thief.getCertData(), far.tubId),
  ]);
  assert(attempt.status === "rejected" && attempt.reason instanceof NegotiationError);
  assert.match(attempt.reason.message, /TubID mismatch/);
});

for (const options of [{}, { tls: false }, { target: "a".repeat(32) }] as AttachOptions[]) {
  const way = JSON.stringify(options);
  Deno.test(`attach(${way}) gives up when nothing is said in time, and leaves no timer`, async () => {
    const clock = new FakeClock();
    const tub = await Tub.create({ clock });
    let isClosed = false;
    const attempt = tub.attach({ ...streamPair()[0], close: () => void (isClosed = true) }, options);
    attempt.catch(() => {});
    await until(() => clock.pending > 0);
    clock.advance(120_000);
    const alive = setInterval(() => clock.advance(1_000), 1);
    await assert.rejects(attempt, /no agreement within 120000 ms/);
    clearInterval(alive);
    assert(isClosed);
    await tub.stop();
    assert.equal(clock.pending, 0);
  });

  Deno.test(`attach(${way}) ends with its signal, and with the Tub`, async () => {
    await using tub = await Tub.create();
    const reason = new RangeError("enough");
    const [one, two] = streamPair();
    const stop = new AbortController();
    const attempt = tub.attach(one, { ...options, signal: stop.signal });
    const gone = silent(two);
    stop.abort(reason);
    await assert.rejects(attempt, NegotiationError);
    await gone;
    const [three, four] = streamPair();
    const goneToo = silent(four);
    const last = tub.attach(three, options);
    last.catch(() => {});
    await tub.stop();
    await assert.rejects(last, NegotiationError);
    await goneToo;
    assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
  });

  for (
    const [what, bytes] of Object.entries({
      "a block that is too long": "a".repeat(10_000),
      "bytes that are no text": "\xff\xfe\r\n\r\n",
      "a block of nonsense": "x: y\r\n__proto__: z\r\n\r\n",
      "nothing but the end": "",
    })
  ) {
    Deno.test(`attach(${way}) fails with a NegotiationError when the peer sends ${what}`, async () => {
      await using tub = await Tub.create();
      const [one, two] = streamPair();
      const attempt = tub.attach(one, options);
      attempt.catch(() => {});
      const drained = two.readable.pipeTo(new WritableStream()).catch(() => {});
      const writer = two.writable.getWriter();
      await writer.write(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
      writer.close().catch(() => {});
      await assert.rejects(attempt, NegotiationError);
      await drained;
    });
  }

  Deno.test(`attach(${way}) fails with a NegotiationError when the streams break`, async () => {
    await using tub = await Tub.create();
    const readable = new ReadableStream<Uint8Array>({ start: (c) => c.error(new RangeError("broken")) });
    await assert.rejects(tub.attach({ readable, writable: new WritableStream() }, options), NegotiationError);
    const refusing = new WritableStream<Uint8Array>({ write: () => Promise.reject(new RangeError("full")) });
    const text = new ReadableStream<unknown>({ start: (c) => c.enqueue("text") });
    await assert.rejects(
      tub.attach({ readable: text as ReadableStream<Uint8Array>, writable: refusing }, options),
      NegotiationError,
    );
  });
}

Deno.test("random bytes after the agreement end a plain connection and nothing else", async () => {
  await using tub = await quietTub();
  for (let seed = 1; seed <= 20; seed++) {
    await using other = await quietTub();
    const [one, two] = streamPair();
    const writer = two.writable.getWriter();
    // What the honest end writes goes through; then a stranger has the pipe.
    const through = new WritableStream<Uint8Array>({
      write: (chunk) => writer.write(chunk),
      close: () => writer.close(),
    });
    const [peer, back] = await attachBoth([tub, { tls: false }], [other, { tls: false }], [
      one,
      { readable: two.readable, writable: through },
    ]);
    const bytes = Uint8Array.from(
      { length: 2_000 },
      (_, i) => (Math.imul(i + 7, seed * 2_654_435_761) >>> 13) & 255,
    );
    writer.write(bytes).catch(() => {});
    await back.close();
    await peer.closed;
  }
  assert.equal(tub.debug.tables().connections, 0);
});

Deno.test("a large value crosses an attached connection while the other end is slow to read", async () => {
  await using a = await quietTub();
  await using b = await quietTub();
  const [peer] = await attachBoth([a, { tls: false }], [b, { tls: false }], portPair());
  b.registerReference(new Target(), "target");
  const ref = await peer.getReference<Target>("target");
  const data = new Uint8Array(8 << 20).fill(7);
  const [echo, ...sums] = await Promise.all([
    ref.callRemote("echo", data),
    ...Array.from({ length: 20 }, (_, i) => ref.callRemote("add", i, 1)),
  ]);
  assert.deepEqual(echo, data);
  assert.deepEqual(sums, Array.from({ length: 20 }, (_, i) => i + 1));
});

Deno.test("attach() beyond maxConnections fails, and closes the streams", async () => {
  await using tub = await Tub.create({ limits: { maxConnections: 1 } });
  await using other = await Tub.create();
  await attachBoth([tub, { tls: false }], [other, { tls: false }]);
  const [one, two] = streamPair();
  const gone = silent(two);
  await assert.rejects(tub.attach(one, { tls: false }), /there are 1 connections already/);
  await gone;
});
