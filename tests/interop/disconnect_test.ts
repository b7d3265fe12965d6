import assert from "node:assert/strict";
import { DeadReferenceError, Referenceable, type RemoteReference, Tub } from "../../mod.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { connect, locate, rejectionOf, Rig, step, stepEachWay, tubBeside, until, WAYS } from "./rig.ts";

/** The tables of a Tub without a connection; its names stay. */
function assertEmpty(tub: Tub): void {
  const { names: _, ...held } = tub.debug.tables();
  assert.deepEqual([...new Set(Object.values(held))], [0], JSON.stringify(held));
}

/** Calls that wait, and whoever wants to hear of the end, on both sides. */
async function startWaiting({ python, peer, ours, root }: Rig): Promise<{ ended(): Promise<void> }> {
  const lost = Promise.withResolvers<void>();
  python.notifyOnDisconnect(lost.resolve);
  const takenBack = python.notifyOnDisconnect(() => lost.reject(new TypeError("It was taken back")));
  takenBack[Symbol.dispose]();
  await peer.command("watch", { ref: ours });
  const mine = rejectionOf(DeadReferenceError, python.callRemote("wait", "never"));
  const theirs = rejectionOf(PeerFailure, peer.call(ours, "wait", { str: "never" }));
  await python.callRemote("nothing");
  await until(() => root.waiting.size === 1, "Python's call has come");
  return {
    async ended() {
      const error = await mine;
      assert.match(error.message, /during method=.*wait/);
      const { failure } = await theirs;
      assert.equal(failure.type, "foolscap.ipb.DeadReferenceError");
      assert.ok(!failure.remote);
      await lost.promise;
      assert.ok(!python.isConnected());
      await rejectionOf(DeadReferenceError, python.callRemote("add", 1, 2));
      python.callRemoteOnly("add", 1, 2);
      await new Promise<void>((resolve) => python.notifyOnDisconnect(resolve));
      const late = await rejectionOf(PeerFailure, peer.call(ours, "add", { int: "1" }, { int: "2" }));
      assert.equal(late.failure.type, "foolscap.ipb.DeadReferenceError");
    },
  };
}

interopTest("the end of a connection fails the calls in flight on both sides", async (t) => {
  await using peer = await startPython();

  for (const how of ["abort", "close"]) {
    await stepEachWay(t, peer, `when Python does it: ${how}`, async (rig) => {
      const waiting = await startWaiting(rig);
      await peer.command("drop", { how });
      await waiting.ended();
      assert.equal((await peer.event("disconnected")).name, rig.ours);
      await until(() => rig.tub.debug.tables().connections === 0, "the connection is closed");
      assertEmpty(rig.tub);
      assert.equal(await rig.pythonTables(), undefined);
    });
  }

  await stepEachWay(t, peer, "when Deno does it", async (rig) => {
    const { python, peer, ours, root, tub } = rig;
    // Foolscap's stopService tells nobody on its own side.
    python.notifyOnDisconnect(() => assert.fail("It was told"));
    await peer.command("watch", { ref: ours });
    const mine = rejectionOf(DeadReferenceError, python.callRemote("wait", "never"));
    const theirs = rejectionOf(PeerFailure, peer.call(ours, "wait", { str: "never" }));
    await python.callRemote("nothing");
    await until(() => root.waiting.size === 1, "Python's call has come");
    await tub.stop();
    await mine;
    assert.equal((await theirs).failure.type, "foolscap.ipb.DeadReferenceError");
    assert.equal((await peer.event("disconnected")).name, ours);
    assertEmpty(tub);
    await until(async () => await rig.pythonTables() === undefined, "Python has forgotten the connection");
  });

  await stepEachWay(t, peer, "and a method that is still running ends for nobody", async (rig) => {
    const { peer, ours, root } = rig;
    const call = rejectionOf(PeerFailure, peer.call(ours, "wait", { str: "late" }));
    await until(() => root.waiting.size === 1, "Python's call has come");
    await peer.command("drop");
    await call;
    root.remote_release("late", "nobody waits");
    await until(() => !rig.python.isConnected(), "the connection is lost");
    await rig.meet("Deno");
    assert.equal(await rig.python.callRemote("add", 1, 2), 3);
  });
});

interopTest("the death of the Python process ends its connections", async () => {
  const peer = await startPython();
  await using rig = await connect(peer, WAYS[0]!);
  const waiting = rejectionOf(DeadReferenceError, rig.python.callRemote("wait", "never"));
  await rig.python.callRemote("nothing");
  await peer[Symbol.asyncDispose]();
  await waiting;
  await until(() => rig.tub.debug.tables().connections === 0, "the connection is closed");
  assertEmpty(rig.tub);
});

interopTest("a Tub that starts again has its FURLs back", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "Python's", async (rig) => {
    const before = rig.python;
    const again = await peer.command("restart");
    assert.equal(again.furl, peer.furl);
    await until(() => !before.isConnected(), "the old connection is lost");
    await rejectionOf(DeadReferenceError, before.callRemote("add", 1, 2));
    await rig.meet("Deno");
    assert.notEqual(rig.python, before);
    assert.equal(await rig.python.callRemote("add", 1, 2), 3);
    assert.deepEqual(await peer.call(rig.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
  });

  for (const isGreater of [true, false]) {
    const role = isGreater ? "the master" : "the slave";

    await step(t, `Deno's, as ${role}, from its file`, async () => {
      const folder = await Deno.makeTempDir();
      try {
        const certFile = `${folder}/tub.pem`;
        const furlFile = `${folder}/root.furl`;
        const first = await tubBeside(peer.ready.tubid, isGreater);
        await first.stop();
        await Deno.writeTextFile(certFile, first.getCertData(), { mode: 0o600 });
        let port = 0;
        for (let life = 0; life < 3; life++) {
          await using tub = await locate(await Tub.create({ certFile }), port);
          port = tub.listeners[0]!.port;
          assert.equal(tub.tubId, first.tubId);
          const rig = new Rig(peer, tub);
          const furl = tub.registerReference(rig.root.kept, { furlFile });
          await peer.get(furl, "again");
          assert.deepEqual(await peer.call("again", "number"), { int: "-1" });
          await rig.meet("Deno");
          assert.equal(await rig.python.callRemote("add", 1, 2), 3);
          await peer.command("watch", { ref: "again" });
          await tub.stop();
          await peer.event("disconnected");
          await rejectionOf(PeerFailure, peer.call("again", "number"));
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });

    await step(t, `Deno's, as ${role}, while Python still has the old connection`, async () => {
      await using old = await tubBeside(peer.ready.tubid, isGreater);
      const dead = await old.getReference(peer.furl);
      const lost = Promise.withResolvers<void>();
      dead.notifyOnDisconnect(lost.resolve);
      await using tub = await locate(await Tub.create({ certData: old.getCertData() }));
      const rig = await new Rig(peer, tub).meet("Deno");
      await lost.promise;
      assert.equal(await rig.python.callRemote("add", 1, 2), 3);
      assert.deepEqual(await peer.call(rig.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
    });
  }
});

interopTest("either side stops at once while it is connected to the other", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "Python's stopService is answered", async ({ python, ours }) => {
    const lost = Promise.withResolvers<void>();
    python.notifyOnDisconnect(lost.resolve);
    const waiting = rejectionOf(DeadReferenceError, python.callRemote("wait", "never"));
    const theirs = rejectionOf(PeerFailure, peer.call(ours, "wait", { str: "never" }));
    await python.callRemote("nothing");
    assert.deepEqual((await peer.command("stop")).finished, true);
    await Promise.all([lost.promise, waiting, theirs]);
    await peer.command("restart");
  });

  await stepEachWay(t, peer, "Deno's stop() is answered", async ({ tub, python }) => {
    const big: PromiseLike<unknown>[] = [];
    for (let i = 0; i < 10; i++) {
      big.push(rejectionOf(DeadReferenceError, python.callRemote("wait", `never${i}`)));
    }
    await tub.stop();
    await Promise.all(big);
    assertEmpty(tub);
  });

  await stepEachWay(t, peer, "the other way round, both at the same time", async ({ tub, python }) => {
    await python.callRemote("give") as RemoteReference;
    const [stopped] = await Promise.all([peer.command("stop"), tub.stop()]);
    assert.deepEqual(stopped.finished, true);
    await peer.command("restart");
  });
});

/** Ends its own Tub in the first of the calls that it is made. */
class Suicidal extends Referenceable {
  calls = 0;
  stopped: Promise<void> | undefined;
  constructor(readonly tub: Tub) {
    super();
  }
  remote_record(): void {
    this.calls++;
    this.stopped ??= this.tub.stop();
  }
}

interopTest("calls of Python that wait for their turn when a Deno Tub stops are dropped", async (t) => {
  await using peer = await startPython();
  await stepEachWay(t, peer, "all but the first", async ({ python, tub }) => {
    const target = new Suicidal(tub);
    const failed = rejectionOf(DeadReferenceError, python.callRemote("call_many", target, "record", 100));
    await failed;
    await target.stopped;
    assert.equal(target.calls, 1);
    assertEmpty(tub);
  });
});
