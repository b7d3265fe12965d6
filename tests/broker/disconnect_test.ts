import assert from "node:assert/strict";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { DeadReferenceError, ProtocolError } from "../../lib/errors.ts";
import { Copyable } from "../../lib/graph/copyable.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { EMPTY, Pair, RawPeer, RIGHT, turns, until } from "./support.ts";

const GIFT = `pb://${RIGHT}@tcp:h:1/carol`;

class Busy extends Referenceable {
  started = 0;
  remote_hang() {
    this.started++;
    return new Promise<void>(() => {});
  }
  remote_done(value: unknown) {
    this.started++;
    return value;
  }
}

/** How the connection is lost. */
const LOSSES: readonly [name: string, lose: (pair: Pair) => unknown][] = [
  ["the network breaks", (pair) => pair.left.connection.drop()],
  ["the peer shuts down", (pair) => pair.right.broker.shutdown(new ProtocolError("the end"))],
  ["this end shuts down", (pair) => pair.left.broker.shutdown(new ProtocolError("the end"))],
];
for (const [name, lose] of LOSSES) {
  Deno.test(`500 calls in every state end in 500 errors when ${name}`, async () => {
    const clock = new FakeClock();
    const carol = new Referenceable();
    await using third = new Pair({ prepare: (_l, right) => void right.furls.set(carol, GIFT) });
    await using pair = new Pair({ clock });
    pair.right.host.acquire = () => new Promise(() => {});
    const carolRef = await third.refTo(carol);
    const busy = new Busy();
    const ref = await pair.refTo(busy) as unknown as RemoteReference;
    const controller = new AbortController();
    const calls: Promise<unknown>[] = [];
    // Being executed, some of them watched by a timer or a signal.
    for (let i = 0; i < 100; i++) calls.push(ref.callRemote("hang"));
    for (let i = 0; i < 50; i++) calls.push(ref.with({ timeoutMs: 1_000 }).callRemote("hang"));
    for (let i = 0; i < 50; i++) {
      calls.push(ref.with({ signal: controller.signal }).callRemote("hang", new Referenceable()));
    }
    await until(() => busy.started === 200, "200 are being executed");
    // Cancelled, and still executed over there.
    for (const call of calls.slice(150)) call.catch(() => {});
    controller.abort();
    // Answered, and the answers not read: they are held on their way.
    pair.right.connection.hold();
    for (let i = 0; i < 100; i++) calls.push(ref.callRemote("done", "x".repeat(100)));
    await until(() => busy.started === 300, "100 more have been answered");
    // Waiting for a gift, or behind a call that does.
    for (let i = 0; i < 50; i++) calls.push(ref.callRemote("done", carolRef));
    for (let i = 0; i < 50; i++) calls.push(ref.callRemote("done", i));
    await until(() => pair.right.broker.tables().activeCalls >= 300, "they have arrived");
    // Sent, and not arrived.
    pair.left.connection.hold();
    for (let i = 0; i < 50; i++) calls.push(ref.callRemote("done", i));
    await turns();
    // Unsent: the turn has not ended; one while a message is being written.
    class Caller extends Copyable {
      static override copytype = "test/Caller";
      override getStateToCopy() {
        for (let i = 0; i < 9; i++) calls.push(ref.callRemote("done", i));
        return {};
      }
    }
    for (let i = 0; i < 40; i++) calls.push(ref.callRemote("done", i));
    calls.push(ref.callRemote("done", new Caller()));
    assert.equal(calls.length, 500);
    const settled = Promise.allSettled(calls);
    lose(pair);
    if (name === "the peer shuts down") pair.right.connection.release();
    const results = await settled;
    const names = results.map((result) => result.status === "rejected" ? result.reason.name : "fulfilled");
    const counts = (wanted: string) => names.filter((each) => each === wanted).length;
    assert.equal(counts("AbortError"), 50);
    if (name === "the peer shuts down") {
      // What it had answered before arrives.
      assert.equal(counts("fulfilled") + counts("DeadReferenceError"), 450);
    } else {
      assert.equal(counts("DeadReferenceError"), 450);
    }
    pair.left.connection.release();
    pair.right.connection.release();
    await until(() => pair.right.broker.ended !== undefined, "both ends know");
    await turns();
    assert.deepEqual(pair.left.broker.tables(), EMPTY);
    assert.deepEqual(pair.right.broker.tables(), EMPTY);
    assert.equal(clock.pending, 0);
  });
}

Deno.test("a call on a connection that is lost says so, and with which cause", async () => {
  await using pair = new Pair();
  const ref = await pair.refTo(new Busy());
  const call = ref.callRemote("hang");
  const cause = new ProtocolError("because of pb://a@b/secret");
  void pair.left.broker.shutdown(cause);
  await assert.rejects(call, (error: Error) => {
    assert.ok(error instanceof DeadReferenceError);
    assert.equal(error.cause, cause);
    assert.match(error.message, /^Connection was lost \(to tubid=rrrr\) \(during method=hang\): because/);
    assert.ok(!error.message.includes("secret"));
    return true;
  });
  await assert.rejects(ref.callRemote("hang"), DeadReferenceError);
  await assert.rejects(pair.left.broker.getReferenceByName("x"), DeadReferenceError);
  ref.callRemoteOnly("hang");
  assert.deepEqual(pair.left.broker.tables(), EMPTY);
});

Deno.test("shutdown() hands over what was sent before, whole messages in order", async () => {
  await using pair = new Pair();
  const log: unknown[] = [];
  class Log extends Referenceable {
    remote_log(value: Uint8Array) {
      log.push(value.length);
    }
  }
  const ref = await pair.refTo(new Log());
  for (let i = 0; i < 8; i++) ref.callRemoteOnly("log", new Uint8Array(400_000 + i));
  await turns(1);
  for (let i = 8; i < 12; i++) ref.callRemoteOnly("log", new Uint8Array(400_000 + i));
  await pair.left.broker.shutdown(new ProtocolError("done"));
  await until(() => pair.right.broker.ended !== undefined, "the end has arrived");
  assert.deepEqual(log, Array.from({ length: 12 }, (_, i) => 400_000 + i));
  const wrong = pair.right.events.filter(({ type }) => type === "protocol-error");
  assert.deepEqual(wrong, []);
});

Deno.test("a half-closed stream ends the connection after what it brought", async () => {
  await using peer = new RawPeer();
  peer.host.names.set("x", new Busy());
  await peer.send("00880b870181008112826765745265666572656e636542794e616d6501880c870181 0182 78 01890089");
  await peer.sendEnd();
  await until(() => peer.broker.ended !== undefined, "ended");
  assert.match(peer.broker.ended!.message, /closed the connection/);
  assert.deepEqual(peer.broker.tables(), EMPTY);
});

Deno.test("a transport whose write rejects ends the connection", async () => {
  const failure = new DeadReferenceError("the cable is cut");
  await using peer = new RawPeer({
    wrap: (connection) => ({
      readable: connection.readable,
      writable: new WritableStream({ write: () => Promise.reject(failure) }),
      close: () => connection.close(),
    }),
  });
  await assert.rejects(peer.broker.getReferenceByName("x"), /the cable is cut/);
  assert.equal(peer.broker.ended, failure);
});

const BAD_CLOSES: readonly [name: string, close: () => Promise<void>][] = [
  ["hangs", () => new Promise(() => {})],
  ["rejects", () => Promise.reject(new Error("close failed"))],
  ["throws", () => {
    throw new Error("close threw");
  }],
];
for (const [name, close] of BAD_CLOSES) {
  Deno.test(`a transport whose close ${name} does not keep the calls waiting`, async () => {
    await using pair = new Pair({
      wrap: ({ readable, writable }) => ({ readable, writable, close }),
    });
    const ref = await pair.refTo(new Busy());
    const call = ref.callRemote("hang");
    await turns();
    const failed = assert.rejects(call, DeadReferenceError);
    const closed = pair.left.broker.shutdown(new ProtocolError("over"));
    await failed;
    assert.deepEqual(pair.left.broker.tables(), EMPTY);
    if (name !== "hangs") await closed;
    else Object.defineProperty(pair.left, Symbol.asyncDispose, { value: () => Promise.resolve() });
    pair.right.connection.drop();
  });
}

Deno.test("start() twice is once, and a stream that is locked ends the connection", async () => {
  await using pair = new Pair();
  pair.left.broker.start();
  await using locked = new RawPeer({
    wrap: (connection) => {
      connection.readable.getReader();
      return connection;
    },
  });
  await until(() => locked.broker.ended !== undefined, "ended");
  assert.ok(locked.broker.ended instanceof TypeError);
});
