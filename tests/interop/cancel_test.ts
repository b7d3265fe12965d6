import assert from "node:assert/strict";
import { type CallContext, currentCall, Referenceable, type RemoteReference, type Tub } from "../../mod.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { BOTH_DIALERS, rejectionOf, startTub, stepEachWay, until } from "./rig.ts";

const isIdle = (tub: Tub) => {
  const { pendingCalls, activeCalls } = tub.debug.tables();
  return pendingCalls === 0 && activeCalls === 0;
};

/** Waits until its caller gives it up. */
class Waiting extends Referenceable {
  readonly contexts: CallContext[] = [];
  child: RemoteReference | undefined;
  readonly failures: unknown[] = [];

  async remote_wait(): Promise<unknown> {
    const context = currentCall()!;
    this.contexts.push(context);
    if (this.child !== undefined) {
      const { child } = this;
      const calls = [child.callRemote("wait"), child.with({ signal: context.signal }).callRemote("wait")];
      return await Promise.allSettled(
        calls.map((call) => call.catch((error) => void this.failures.push(error))),
      );
    }
    return await new Promise((_, reject) => {
      context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true });
    });
  }
}

interopTest(
  "a call to Python that is given up frees its caller, and the late answer is dropped",
  async (t) => {
    await using peer = await startPython();

    await stepEachWay(t, peer, "by its signal or its time", async (rig) => {
      const { python, tub } = rig;
      const controller = new AbortController();
      const given = python.with({ signal: controller.signal }).callRemote("wait", `given${rig.ours}`);
      const timed = python.with({ timeoutMs: 1 }).callRemote("wait", `timed${rig.ours}`);
      const both = Promise.allSettled([given, timed]);
      await python.callRemote("nothing");
      controller.abort();
      const names = (await both).map((result) => (result as PromiseRejectedResult).reason.name);
      assert.deepEqual(names, ["AbortError", "TimeoutError"]);
      assert.ok(isIdle(tub));
      // Python has not been told, and answers both; one answer brings an object.
      assert.equal((await rig.pythonTables())!.active, 2);
      const held = tub.debug.tables().imported;
      await python.callRemote("release", `given${rig.ours}`, await python.callRemote("give_kept"));
      await python.callRemote("release", `timed${rig.ours}`, 1);
      await python.callRemote("nothing");
      await until(async () => (await rig.pythonTables())!.active === 0, "Python has answered");
      assert.ok(tub.debug.tables().imported <= held + 1);
      assert.equal(await python.callRemote("add", 1, 2), 3);
    });

    await stepEachWay(t, peer, "10,000 of them", async (rig) => {
      const { python, tub } = rig;
      const before = tub.debug.tables();
      for (let round = 0; round < 10; round++) {
        const calls: Promise<unknown>[] = [];
        for (let i = 0; i < 1_000; i++) {
          const controller = new AbortController();
          const limited = python.with({ signal: controller.signal, timeoutMs: 60_000 });
          calls.push(limited.callRemote("echo", i).catch(() => {}));
          if (i % 3 === 0) controller.abort();
          else if (i % 3 === 1) queueMicrotask(() => controller.abort());
          else setTimeout(() => controller.abort(), i % 7);
        }
        await Promise.all(calls);
      }
      assert.equal(await python.callRemote("add", 1, 2), 3);
      assert.deepEqual(tub.debug.tables(), before);
      assert.equal((await rig.pythonTables())!.active, 0);
    }, { ways: BOTH_DIALERS.slice(0, 1) });
  },
);

interopTest("the signal of a method fires when its Python caller is gone", async (t) => {
  await using peer = await startPython();

  for (const how of ["abort", "close"]) {
    await stepEachWay(t, peer, `with ${how}`, async (rig) => {
      await using other = await startTub();
      const last = new Waiting(), waiting = new Waiting();
      waiting.child = await rig.tub.getReference(other.registerReference(last));
      const name = await peer.get(rig.tub.registerReference(waiting), `waiting${rig.ours}`);
      const call = rejectionOf(PeerFailure, peer.call(name, "wait"));
      await until(() => last.contexts.length === 2, "both have come to the last");
      const [context] = waiting.contexts;
      assert.deepEqual([context!.deadline, context!.isCancellable], [undefined, false]);
      await peer.command("drop", { how });
      await call;
      await until(() => waiting.failures.length === 1, "the call that was given the signal is over");
      assert.equal(waiting.failures[0], context!.signal.reason);
      await until(() => other.debug.tables().activeCalls === 1, "the last one knows");
      // A Python caller gives nothing up: what was made for it goes on, as in Foolscap.
      assert.equal(rig.tub.debug.tables().pendingCalls, 1);
      await other.stop();
      await until(() => isIdle(rig.tub), "nothing is left");
    }, { ways: BOTH_DIALERS });
  }
});

interopTest("Python between two Tubs of this library hands on neither a cancel nor a deadline", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "from one to the other", async ({ python, tub }) => {
    await using other = await startTub();
    const last = new Waiting();
    const ref = await tub.getReference(other.registerReference(last));
    const controller = new AbortController();
    const call = python.with({ signal: controller.signal, timeoutMs: 60_000 }).callRemote(
      "call",
      ref,
      "wait",
    );
    call.catch(() => {});
    await until(() => last.contexts.length === 1, "it has come to the last");
    assert.equal(last.contexts[0]!.deadline, undefined);
    controller.abort();
    await assert.rejects(call, { name: "AbortError" });
    assert.ok(isIdle(tub));
    await python.callRemote("nothing");
    assert.equal(last.contexts[0]!.signal.aborted, false);
    assert.equal(other.debug.tables().activeCalls, 1);
    await other.stop();
    assert.equal(last.contexts[0]!.signal.aborted, true);
  }, { ways: BOTH_DIALERS });
});
