import assert from "node:assert/strict";
import { type GetReferenceOptions, Referenceable, tcp, Tub } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

const UNKNOWN = "a".repeat(32);

/** Where connections are accepted and nothing is ever said. */
function listenSilently() {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const held: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) held.push(conn);
  })();
  return {
    furl: `pb://${UNKNOWN}@tcp:127.0.0.1:${listener.addr.port}/x`,
    held,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of held) conn.close();
    },
  };
}

Deno.test("Tub.getReference() stops waiting when its signal fires, and the effort is given up", async () => {
  await using silent = listenSilently();
  await using tub = await Tub.create();
  const stop = new AbortController();
  const outcome = assert.rejects(tub.getReference(silent.furl, { signal: stop.signal }), /had enough/);
  await until(() => silent.held.length === 1);
  stop.abort(new TypeError("had enough"));
  await outcome;
  await until(() => tub.debug.tables().connecting === 0);
  assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
});

Deno.test("Tub.getReference() stops waiting after timeoutMs, with a TimeoutError", async () => {
  await using silent = listenSilently();
  const clock = new FakeClock();
  const tub = await Tub.create({ clock });
  const outcome = tub.getReference(silent.furl, { timeoutMs: 2_000 }).then(() => assert.fail(), (e) => e);
  await until(() => silent.held.length === 1);
  clock.advance(1_999);
  assert.equal(tub.debug.tables().connecting, 1);
  clock.advance(1);
  const error = await outcome;
  assert.ok(error instanceof DOMException);
  assert.deepEqual([error.name, error.message], [
    "TimeoutError",
    "Cannot get reference: none within 2000 ms",
  ]);
  let isStopped = false;
  void tub.stop().then(() => isStopped = true);
  await until(() => (clock.advance(1_000), isStopped));
  assert.equal(clock.pending, 0);
});

Deno.test("Tub.getReference() goes on for others when one has stopped waiting", async () => {
  await using silent = listenSilently();
  await using tub = await Tub.create();
  const [one, other] = [new AbortController(), new AbortController()];
  const first = assert.rejects(tub.getReference(silent.furl, { signal: one.signal }), /one/);
  const second = assert.rejects(tub.getReference(silent.furl, { signal: other.signal }), /other/);
  await until(() => silent.held.length === 1);
  one.abort(new TypeError("one"));
  await first;
  assert.equal(tub.debug.tables().connecting, 1);
  other.abort(new TypeError("other"));
  await second;
  await until(() => tub.debug.tables().connecting === 0);
  // And the next one begins anew.
  const again = new AbortController();
  const third = assert.rejects(tub.getReference(silent.furl, { signal: again.signal }));
  await until(() => silent.held.length === 2);
  again.abort();
  await third;
});

Deno.test("Tub.getReference() brings others their reference by an effort that one has left", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const [asked, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let dials = 0;
  client.addConnectionHintHandler("tcp", {
    async connect(hint, options) {
      dials++;
      asked.resolve();
      await gate.promise;
      return await tcp().connect(hint, options);
    },
  });
  const furl = server.registerReference(new Target());
  const stop = new AbortController();
  const left = assert.rejects(client.getReference(furl, { signal: stop.signal }), /left/);
  const others = [
    client.getReference<Target>(furl),
    client.getReference<Target>(furl, { timeoutMs: 60_000 }),
  ];
  await asked.promise;
  stop.abort(new TypeError("left"));
  await left;
  gate.resolve();
  const [one, other] = await Promise.all(others);
  assert.equal(one, other);
  assert.equal(await one!.callRemote("add", 1, 2), 3);
  assert.equal(dials, 1);
});

class Locked extends Referenceable {
  readonly asked = Promise.withResolvers<void>();
}

Deno.test("Tub.getReference() stops waiting for the answer too, and the connection stays", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const ref = await client.getReference<Target>(server.registerReference(new Target()));
  const locked = new Locked();
  const found = Promise.withResolvers<Referenceable>();
  server.registerNameLookupHandler(() => {
    locked.asked.resolve();
    return found.promise as never;
  });
  const stop = new AbortController();
  const furl = `pb://${server.tubId}@${server.locationHints.join(",")}/slow`;
  const outcome = assert.rejects(client.getReference(furl, { signal: stop.signal }), /too slow/);
  await until(() => client.debug.tables().pendingCalls === 1);
  stop.abort(new TypeError("too slow"));
  await outcome;
  assert.equal(client.debug.tables().pendingCalls, 0);
  found.resolve(locked);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
});

Deno.test("Tub.getReference() does nothing for a signal that has fired before", async () => {
  await using tub = await Tub.create();
  const signal = AbortSignal.abort(new TypeError("too late"));
  const outcome = assert.rejects(
    tub.getReference(`pb://${UNKNOWN}@tcp:127.0.0.1:1/x`, { signal }),
    /too late/,
  );
  assert.equal(tub.debug.tables().connecting, 0);
  await outcome;
});

Deno.test("Tub.getReference() leaves neither timer nor listener when it succeeds in time", async () => {
  await using server = await startTub();
  const clock = new FakeClock();
  const tub = await Tub.create({ clock, keepaliveTimeoutMs: false });
  const furl = server.registerReference(new Target());
  const before = clock.pending;
  const stop = new AbortController();
  await tub.getReference(furl, { signal: stop.signal, timeoutMs: 1_000 });
  // What watches the write that the call was is the connection's own, and so is what tells of the answer.
  assert.ok(clock.pending <= before + 2);
  clock.advance(2_000);
  stop.abort();
  let isStopped = false;
  void tub.stop().then(() => isStopped = true);
  await until(() => (clock.advance(1_000), isStopped));
});

const WRONG: readonly [name: string, options: GetReferenceOptions, type: typeof Error][] = [
  ["a timeout below 0", { timeoutMs: -1 }, RangeError],
  ["a timeout that is none", { timeoutMs: NaN }, RangeError],
  ["a timeout that no timer can have", { timeoutMs: 2 ** 31 }, RangeError],
  ["a timeout that is text", { timeoutMs: "20" as unknown as number }, TypeError],
  ["a signal that is none", { signal: {} as AbortSignal }, TypeError],
  ["an option that only calls have", { detached: true } as object, TypeError],
];
for (const [name, options, type] of WRONG) {
  Deno.test(`Tub.getReference() refuses ${name}`, async () => {
    await using tub = await Tub.create();
    await assert.rejects(tub.getReference(`pb://${UNKNOWN}@/x`, options), (error) => {
      assert.ok(error instanceof type);
      assert.match(error.message, /^Cannot get reference: /);
      return true;
    });
  });
}
