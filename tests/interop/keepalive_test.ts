import assert from "node:assert/strict";
import { DeadReferenceError } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { interopTest, type PythonPeer, startPython } from "../support/python.ts";
import { connect, rejectionOf, step, until, WAYS, wayText } from "./rig.ts";

/** Lets everything of a rig end whose clock stands still. */
async function running(clock: FakeClock, end: () => Promise<void>): Promise<void> {
  let isOver = false;
  const over = end().then(() => isOver = true);
  await until(() => (clock.advance(1_000), isOver), "it has ended");
  await over;
}

/** The age of what Python last received, in seconds. */
async function ages(peer: PythonPeer, seconds?: number, timer?: string): Promise<number[]> {
  const parameters = { seconds: seconds ?? 0, ...(timer === undefined ? {} : { timer }) };
  return (await peer.command("age", parameters)).ages as number[];
}

interopTest(
  "Python's keepalive of one second is answered, and its answer to ours is a sign of life",
  async (t) => {
    await using peer = await startPython("peer.py", ["--option", "keepaliveTimeout=1"]);

    for (const way of WAYS) {
      await step(t, `Python pings, and goes on (${wayText(way)})`, async () => {
        await using rig = await connect(peer, way);
        const before = rig.python.getDataLastReceivedAt()!;
        // Nobody calls: what comes is a PING. Once by Python's own time is enough.
        if (way === WAYS[0]) {
          await until(() => rig.python.getDataLastReceivedAt()! > before + 500, "a PING has come");
        }
        assert.equal(await rig.python.callRemote("add", 1, 2), 3);
        // Long silence, by Python's reckoning: it pings at once, and hears our PONG.
        await ages(peer, 1_000, "keepalive");
        await until(async () => (await ages(peer)).every((age) => age < 500), "the PONG has come");
      });

      await step(t, `Deno pings, and Python answers (${wayText(way)})`, async () => {
        const clock = new FakeClock();
        const rig = await connect(peer, way, {
          clock,
          keepaliveTimeoutMs: 1_000,
          disconnectTimeoutMs: 5_000,
        });
        for (let i = 0; i < 10; i++) {
          clock.advance(1_000);
          await until(() => rig.python.getDataLastReceivedAt() === clock.now(), "the PONG has come");
        }
        assert.equal(await rig.python.callRemote("add", 1, 2), 3);
        await running(clock, () => rig.tub.stop());
      });
    }
  },
);

interopTest("Python's disconnectTimeout drops a silent Deno, and not one that pings", async (t) => {
  await using peer = await startPython("peer.py", ["--option", "disconnectTimeout=3600"]);

  await step(t, "a Deno that is silent", async () => {
    await using rig = await connect(peer, WAYS[0]!);
    const lost = Promise.withResolvers<void>();
    rig.python.notifyOnDisconnect(lost.resolve);
    const waiting = rejectionOf(DeadReferenceError, rig.python.callRemote("wait", "never"));
    await rig.python.callRemote("nothing");
    await ages(peer, 4_000, "disconnect");
    await lost.promise;
    await waiting;
    assert.equal(rig.python.getConnectionInfo()!.connected, false);
  });

  await step(t, "a Deno that pings", async () => {
    const clock = new FakeClock();
    const rig = await connect(peer, WAYS[0]!, { clock, keepaliveTimeoutMs: 1_000 });
    await ages(peer, 4_000);
    clock.advance(1_000);
    await until(async () => (await ages(peer)).every((age) => age < 2_000), "the PING has come");
    await ages(peer, 1_000, "disconnect");
    assert.equal(await rig.python.callRemote("add", 1, 2), 3);
    await running(clock, () => rig.tub.stop());
  });
});

for (const way of WAYS) {
  interopTest(`a Python that hangs is given up after disconnectTimeoutMs (${wayText(way)})`, async () => {
    const clock = new FakeClock();
    const peer = await startPython();
    const rig = await connect(peer, way, { clock, keepaliveTimeoutMs: 1_000, disconnectTimeoutMs: 5_000 });
    const lost = Promise.withResolvers<void>();
    rig.python.notifyOnDisconnect(lost.resolve);
    peer.signal("SIGSTOP");
    // Large, so that no buffer of the system takes all of it.
    const call = rejectionOf(DeadReferenceError, rig.python.callRemote("length", new Uint8Array(20_000_000)));
    for (let i = 0; i < 4; i++) {
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(rig.python.isConnected());
    clock.advance(10_000);
    const error = await call;
    assert.ok(error.cause instanceof DeadReferenceError);
    assert.match(error.cause.message, /^connection dropped: no data for \d+ ms$/);
    await lost.promise;
    await running(clock, () => rig.tub.stop());
    await peer[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0);
  });
}
