import assert from "node:assert/strict";
import { Keepalive, type KeepaliveTimes } from "../../lib/broker/keepalive.ts";
import type { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { DeadReferenceError } from "../../lib/errors.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { TokenEncoder } from "../../lib/wire/encoder.ts";
import { vocabularyWords } from "../../lib/wire/vocabulary.ts";
import { failureOf, Pair, RawPeer, turns, until } from "./support.ts";

/** A keepalive with a peer of whom the test says when it gives a sign. */
function watch(times: KeepaliveTimes) {
  const clock = new FakeClock();
  const peer = { signAt: -Infinity, isPaused: false, pings: 0, ended: [] as string[] };
  const keepalive = new Keepalive({
    ...times,
    clock,
    lastSignAt: () => peer.signAt,
    isReadingPaused: () => peer.isPaused,
    ping: () => peer.pings++,
    onSilence: (reason) => {
      peer.ended.push(reason.message);
      keepalive[Symbol.dispose]();
    },
  });
  keepalive.start();
  /** Lets the peer give a sign again and again. */
  const signs = (count: number, everyMs: number) => {
    for (let i = 0; i < count; i++) {
      clock.advance(everyMs);
      peer.signAt = clock.now();
    }
  };
  return { clock, peer, keepalive, signs };
}

Deno.test("Keepalive pings once for each keepaliveMs of silence", () => {
  const { clock, peer } = watch({ keepaliveMs: 1_000 });
  clock.advance(999);
  assert.equal(peer.pings, 0);
  clock.advance(1);
  assert.equal(peer.pings, 1);
  clock.advance(999);
  assert.equal(peer.pings, 1);
  clock.advance(1);
  assert.equal(peer.pings, 2);
  assert.deepEqual(peer.ended, []);
});

Deno.test("Keepalive pings nobody who gives signs, and has one timer for all of them", () => {
  const { clock, peer, signs } = watch({ keepaliveMs: 1_000, disconnectMs: 5_000 });
  signs(100, 900);
  assert.equal(peer.pings, 0);
  assert.equal(clock.pending, 1);
  clock.advance(1_000);
  assert.equal(peer.pings, 1);
});

Deno.test("Keepalive ends the connection after disconnectMs of silence and a last look", () => {
  const { clock, peer } = watch({ disconnectMs: 5_000 });
  clock.advance(5_099);
  assert.deepEqual(peer.ended, []);
  clock.advance(1);
  assert.deepEqual(peer.ended, ["connection dropped: no data for 5100 ms"]);
  assert.equal(peer.pings, 0);
  assert.equal(clock.pending, 0);
});

Deno.test("Keepalive goes on when a sign comes between the time-out and the last look", () => {
  const { clock, peer } = watch({ disconnectMs: 5_000 });
  clock.advance(5_050);
  peer.signAt = clock.now();
  clock.advance(5_099);
  assert.deepEqual(peer.ended, []);
  clock.advance(1);
  assert.equal(peer.ended.length, 1);
});

Deno.test("Keepalive pings before it ends the connection, and an answer saves it", () => {
  const { clock, peer } = watch({ keepaliveMs: 1_000, disconnectMs: 1_500 });
  for (let i = 0; i < 10; i++) {
    clock.advance(1_200);
    peer.signAt = clock.now();
  }
  assert.deepEqual([peer.pings, peer.ended.length], [10, 0]);
  clock.advance(1_600);
  assert.deepEqual([peer.pings, peer.ended.length], [11, 1]);
});

Deno.test("Keepalive does not count the time in which this end has stopped reading", () => {
  const { clock, peer } = watch({ keepaliveMs: 1_000, disconnectMs: 1_500 });
  peer.isPaused = true;
  clock.advance(100_000);
  assert.deepEqual([peer.pings, peer.ended.length], [0, 0]);
  peer.isPaused = false;
  clock.advance(2_600);
  assert.equal(peer.ended.length, 1);
});

Deno.test("Keepalive gives the peer a whole time-out when the process was asleep", () => {
  const timers: (() => void)[] = [];
  const clock = {
    time: 0,
    now: () => clock.time,
    setTimer: (_delayMs: number, callback: () => void) => {
      timers.push(callback);
      return { [Symbol.dispose]: () => {} };
    },
  };
  const ended: string[] = [];
  const keepalive = new Keepalive({
    disconnectMs: 10_000,
    clock,
    lastSignAt: () => 0,
    isReadingPaused: () => false,
    ping: () => {},
    onSilence: ({ message }) => void ended.push(message),
  });
  keepalive.start();
  const runAt = (time: number) => {
    clock.time = time;
    timers.shift()!();
  };
  // The lid was closed for an hour; then the timer runs, before anything that came meanwhile is read.
  runAt(3_600_000);
  runAt(3_609_999);
  runAt(3_610_000);
  assert.deepEqual(ended, []);
  runAt(3_610_100);
  assert.deepEqual(ended, ["connection dropped: no data for 10100 ms"]);
});

Deno.test("Keepalive never waits longer than a time-out, also where the clock was set back", () => {
  const { clock, peer } = watch({ keepaliveMs: 1_000 });
  peer.signAt = clock.now() + 86_400_000;
  let asked: number | undefined;
  const setTimer = clock.setTimer.bind(clock);
  clock.setTimer = (delayMs, callback) => {
    asked = delayMs;
    return setTimer(delayMs, callback);
  };
  clock.advance(1_000);
  assert.equal(asked, 1_000);
  assert.equal(peer.pings, 0);
});

Deno.test("Keepalive sets no timer where there is no time-out", () => {
  assert.equal(watch({}).clock.pending, 0);
});

Deno.test("a broker sends PING 0 to a peer that is silent, and takes its PONG for a sign", async () => {
  const clock = new FakeClock();
  await using peer = new RawPeer({ clock, keepalive: { keepaliveMs: 1_000, disconnectMs: 3_000 } });
  for (let i = 0; i < 5; i++) {
    clock.advance(1_000);
    assert.equal(await peer.receive(1), "8e");
    clock.advance(500);
    await peer.send("8f");
    await until(() => peer.broker.receivedAt === clock.now(), "the PONG has come");
  }
  assert.equal(peer.broker.ended, undefined);
});

Deno.test("a broker whose peer is silent fails its calls, and has no timer left", async () => {
  const clock = new FakeClock();
  await using peer = new RawPeer({
    clock,
    keepalive: { keepaliveMs: 1_000, disconnectMs: 3_000 },
    pair: { clock: new FakeClock() },
  });
  const failure = failureOf(peer.broker.getReferenceByName("x"));
  await turns();
  clock.advance(3_100);
  const error = await failure;
  assert.ok(error instanceof DeadReferenceError);
  assert.match(error.message, /during method=getReferenceByName\): connection dropped: no data for 3100 ms$/);
  assert.ok(error.cause instanceof DeadReferenceError);
  assert.equal(error.cause.message, "connection dropped: no data for 3100 ms");
  assert.equal(clock.pending, 0);
});

Deno.test("a broker does not take a message that comes byte by byte for silence", async () => {
  const clock = new FakeClock();
  await using peer = new RawPeer({ clock, keepalive: { keepaliveMs: 1_000, disconnectMs: 1_500 } });
  const encoder = new TokenEncoder(vocabularyWords(1));
  encoder.open("call");
  encoder.integer(1);
  encoder.integer(0);
  encoder.word("getReferenceByName");
  encoder.open("arguments");
  encoder.integer(1);
  encoder.bytes(new Uint8Array(50));
  const bytes = encoder.take()[0]!;
  await peer.send(bytes.slice(0, -40));
  for (const byte of bytes.slice(-40)) {
    clock.advance(900);
    await peer.send(new Uint8Array([byte]));
    await until(() => peer.broker.receivedAt === clock.now(), "the byte has come");
  }
  assert.equal(peer.broker.ended, undefined);
  assert.equal(peer.take(), "");
  clock.advance(1_600);
  assert.match(String(peer.broker.ended), /no data for 1600 ms/);
});

class Slow extends Referenceable {
  readonly gate = Promise.withResolvers<void>();
  async remote_take(data: Uint8Array): Promise<number> {
    await this.gate.promise;
    return data.length;
  }
}

Deno.test("a broker that reads no more because of back-pressure does not blame its peer", async () => {
  const clock = new FakeClock();
  await using pair = new Pair({
    clock,
    keepalive: { keepaliveMs: 1_000, disconnectMs: 1_500 },
    limits: { maxMessageBytes: 100_000, maxQueuedBytes: 50_000 },
  });
  const slow = new Slow();
  pair.left.host.names.set("slow", slow);
  const ref = await pair.right.broker.getReferenceByName("slow") as RemoteReference;
  const calls = Array.from({ length: 20 }, () => ref.callRemote("take", new Uint8Array(40_000)));
  await until(() => pair.left.broker.outstanding().inbound.some(({ isStarted }) => !isStarted), "calls wait");
  await turns();
  for (let i = 0; i < 20; i++) clock.advance(2_000);
  assert.equal(pair.left.broker.ended, undefined);
  slow.gate.resolve();
  assert.deepEqual(await Promise.all(calls), calls.map(() => 40_000));
  clock.advance(1_000);
  await until(() => pair.left.broker.receivedAt === clock.now(), "the answer to the PING has come");
});

Deno.test("a broker does not take a peer for silent that drains a long message slowly, until it stops", async () => {
  const clock = new FakeClock();
  const pair = { clock: new FakeClock() };
  await using peer = new RawPeer({ clock, pair, keepalive: { disconnectMs: 1_500 } }, false);
  const call = failureOf(peer.broker.getReferenceByName("x".repeat(4 * 1024 * 1024)));
  const reader = peer.connection.readable.getReader();
  let taken = 0;
  while (taken < 3 * 1024 * 1024) {
    const { value } = await reader.read();
    taken += value!.length;
    await turns(4);
    clock.advance(900);
    assert.equal(peer.broker.ended, undefined);
  }
  await turns();
  clock.advance(1_600);
  assert.match((await call).message, /no data for \d+ ms/);
  reader.releaseLock();
  peer.connection.drop();
});

Deno.test("a broker does not take what it wrote itself for a sign of its peer", async () => {
  const clock = new FakeClock();
  const pair = { clock: new FakeClock() };
  await using peer = new RawPeer({ clock, pair, keepalive: { disconnectMs: 1_500 } });
  const calls: Promise<Error>[] = [];
  for (let i = 0; i < 4; i++) {
    calls.push(failureOf(peer.broker.getReferenceByName("x")));
    await turns();
    clock.advance(500);
  }
  for (const { message } of await Promise.all(calls)) assert.match(message, /no data for 1600 ms/);
});
