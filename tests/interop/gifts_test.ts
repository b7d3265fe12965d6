import assert from "node:assert/strict";
import { RemoteException, RemoteReference, Tub, UnreachableError, Violation } from "../../mod.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { Item, Point, Root } from "./root.ts";
import {
  connect,
  rejection,
  rejectionOf,
  type Rig,
  startTub,
  step,
  stepEachWay,
  until,
  WAYS,
} from "./rig.ts";

/** Until nobody waits for a gift any more. */
async function untilAcknowledged(tub: Tub): Promise<void> {
  await until(() => tub.debug.tables().givenGifts === 0, "the gifts of Deno are acknowledged");
}

async function untilPythonsAcknowledged(rig: Rig): Promise<void> {
  await until(async () => (await rig.pythonTables())?.gifts === 0, "the gifts of Python are acknowledged");
}

interopTest("a gift reaches its recipient, who can use it", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "Deno gives Python an object of Deno", async ({ tub, python }) => {
    await using owner = await startTub();
    const carol = new Root();
    const ref = await tub.getReference<Item>(owner.registerReference(carol));
    await python.callRemote("hold", ref);
    await untilAcknowledged(tub);
    assert.deepEqual(await python.callRemote("call_back", "add", 2, 3), 5);
    // It comes back to the giver as its own gift: a reference to carol over the giver's connection.
    assert.equal(await python.callRemote("is_held", ref), true);
    const list = await python.callRemote("call", ref, "echo", [1, "x"]);
    assert.deepEqual(list, [1, "x"]);
    await untilAcknowledged(tub);
    assert.equal(carol.marks.length, 0);
    await python.callRemote("drop");
    await until(() => owner.debug.tables().exported <= 1, "Python let go of it");
  });

  await stepEachWay(
    t,
    peer,
    "Deno gives Python gifts inside containers, in order",
    async ({ tub, python }) => {
      await using owner = await startTub();
      const item = await tub.getReference(owner.registerReference(new Item(8)));
      const called = python.callRemote("call", item, "number");
      // Behind a gift everything waits, and starts in order.
      python.callRemoteOnly("record", [item, { a: new Set([item]) }]);
      python.callRemoteOnly("record", "after");
      assert.equal(await called, 8);
      const [first, after] = await python.callRemote("recorded") as [[RemoteReference, unknown], string];
      assert.equal(after, "after");
      assert.equal(first[0], item);
      await untilAcknowledged(tub);
      const twice = await python.callRemote("same", item, item);
      assert.equal(twice, true);
      await untilAcknowledged(tub);
      const inside = await rejectionOf(Violation, python.callRemote("flip", new Point(item, 1)));
      assert.match(inside.message, /inside a Copyable/);
      assert.equal(tub.debug.tables().givenGifts, 0);
    },
  );

  await stepEachWay(t, peer, "Python gives Deno an object of Deno", async (rig) => {
    const { tub, root, ours } = rig;
    await using owner = await startTub();
    await peer.get(owner.registerReference(new Item(9)), "carol");
    await peer.call(ours, "hold", { list: [{ ref: "carol" }, { dict: [[{ str: "a" }, { ref: "carol" }]] }] });
    const [held, { a }] = root.held as [RemoteReference, { a: RemoteReference }];
    assert.ok(held instanceof RemoteReference);
    assert.equal(held, a);
    assert.equal(held.getRemoteTubID(), owner.tubId);
    assert.equal(await held.callRemote("number"), 9);
    assert.equal(tub.debug.tables().pendingGifts, 0);
    await untilPythonsAcknowledged(rig);
    assert.deepEqual(await peer.call(ours, "call", { ref: "carol" }, { str: "number" }), { int: "9" });
    // Deno answers with what it was given: for Python that is a gift of Deno.
    assert.deepEqual(await peer.call(ours, "echo", { ref: "carol" }), { ref: "carol" });
    await untilAcknowledged(tub);
    await peer.command("release", { ref: "carol" });
  });

  await stepEachWay(t, peer, "Python gives one Deno an object of another, in an answer", async (rig) => {
    await using other = await connect(peer, WAYS[0]!);
    await other.python.callRemote("hold", other.root.kept);
    const gift = await rig.python.callRemote("held") as RemoteReference;
    assert.equal(gift.getRemoteTubID(), other.tub.tubId);
    assert.equal(await gift.callRemote("number"), -1);
    await untilPythonsAcknowledged(rig);
    // And home to its owner it is the object.
    assert.equal(await other.python.callRemote("held"), other.root.kept);
    await rig.python.callRemote("drop");
  });
});

interopTest("a gift reaches its recipient among two Pythons", async (t) => {
  await using peer = await startPython();
  await using other = await startPython();

  await stepEachWay(t, peer, "Deno gives Python an object of another Python", async ({ tub, python }) => {
    const far = await tub.getReference(other.furl);
    const kept = await far.callRemote("give_kept") as RemoteReference;
    assert.equal(await python.callRemote("call", kept, "number"), -1);
    assert.equal(await far.callRemote("is_kept", kept), true);
    await untilAcknowledged(tub);
  });

  await stepEachWay(t, peer, "Python gives Deno an object of another Python", async (rig) => {
    await peer.get(other.furl, "other");
    await peer.call(rig.ours, "hold", { ref: "other" });
    const held = rig.root.held as RemoteReference;
    assert.equal(held.getRemoteTubID(), other.ready.tubid);
    assert.equal(await rig.tub.getReference(other.furl), held);
    assert.equal(await held.callRemote("add", 1, 2), 3);
    await untilPythonsAcknowledged(rig);
  });

  await stepEachWay(t, peer, "Python gives another Python an object of Deno", async (rig) => {
    await peer.get(other.furl, "other");
    const args = [{ ref: rig.ours }, { str: "add" }, { int: "1" }, { int: "2" }] as const;
    assert.deepEqual(await peer.call("other", "call", ...args), { int: "3" });
    assert.equal(rig.tub.debug.tables().connections, 2);
  });
});

interopTest("a gift that cannot be fetched fails its call, and is acknowledged", async (t) => {
  await using peer = await startPython();

  await stepEachWay(t, peer, "Deno gives an object of a Tub that has gone", async ({ tub, python }) => {
    await using owner = await startTub();
    const ref = await tub.getReference(owner.registerReference(new Item(1)));
    await Promise.all(owner.listeners.map((listener) => listener.close()));
    const call = await rejection(python.callRemote("call", ref, "number"));
    assert.ok(call instanceof RemoteException);
    assert.match(call.remoteType, /twisted\.internet\.error\.Connect/);
    await untilAcknowledged(tub);
    assert.equal(await python.callRemote("add", 1, 2), 3);
  });

  await stepEachWay(t, peer, "Python gives an object of a Tub that has gone", async (rig) => {
    await using owner = await startTub();
    await peer.get(owner.registerReference(new Item(1)), "carol");
    await Promise.all(owner.listeners.map((listener) => listener.close()));
    const { failure } = await rejectionOf(PeerFailure, peer.call(rig.ours, "echo", { ref: "carol" }));
    assert.equal(failure.type, "javascript.UnreachableError");
    await untilPythonsAcknowledged(rig);
    assert.deepEqual(await peer.call(rig.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
    const held = peer.call("carol", "number");
    assert.deepEqual(await held, { int: "1" });
    await peer.command("release", { ref: "carol" });
  });

  await stepEachWay(t, peer, "Python answers with an object of a Tub that has gone", async (rig) => {
    await using owner = await startTub();
    const item = new Item(4);
    const furl = owner.registerReference(item);
    const theirs = await owner.getReference(peer.furl);
    await theirs.callRemote("hold", item);
    await Promise.all(owner.listeners.map((listener) => listener.close()));
    const error = await rejectionOf(UnreachableError, rig.python.callRemote("held"));
    assert.ok(!error.message.includes(furl.slice(furl.lastIndexOf("/") + 1)));
    await untilPythonsAcknowledged(rig);
    await rig.python.callRemote("drop");
  });

  await stepEachWay(t, peer, "Python gives to a Deno Tub that takes none", async (rig) => {
    await using owner = await startTub();
    await peer.get(owner.registerReference(new Item(1)), "carol");
    const { failure } = await rejectionOf(PeerFailure, peer.call(rig.ours, "echo", { ref: "carol" }));
    assert.equal(failure.type, "foolscap.tokens.Violation");
    assert.match(failure.value, /gifts are prohibited/);
    await untilPythonsAcknowledged(rig);
  }, { tub: { acceptGifts: false } });

  await step(t, "Deno gives an object of a Tub without a location", async () => {
    await using owner = await Tub.create();
    await using rig = await connect(peer, WAYS[0]!);
    await (await owner.getReference(rig.furl)).callRemote("hold", new Item(3));
    const held = rig.root.held as RemoteReference;
    assert.equal(await held.callRemote("number"), 3);
    const error = await rejectionOf(Violation, rig.python.callRemote("hold", held));
    assert.match(error.message, /no location/);
  });
});

interopTest("a list of more gifts than are fetched at once arrives whole", async (t) => {
  await using peer = await startPython();

  await step(t, "from Python to Deno", async () => {
    await using rig = await connect(peer, WAYS[0]!, { limits: { maxPendingGifts: 20 } });
    await using owner = await startTub();
    await peer.get(owner.registerReference(new Item(9)), "one of many");
    const list = Array.from({ length: 200 }, () => ({ ref: "one of many" }));
    await peer.call(rig.ours, "hold", { list });
    const held = rig.root.held as RemoteReference[];
    assert.equal(held.length, 200);
    assert.ok(held[0] instanceof RemoteReference && held.every((ref) => ref === held[0]));
    assert.equal(await held[0].callRemote("number"), 9);
    await untilPythonsAcknowledged(rig);
    assert.equal(rig.tub.debug.tables().pendingGifts, 0);
  });
});
