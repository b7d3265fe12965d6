import assert from "node:assert/strict";
import { interopTest, startPython } from "../support/python.ts";
import { Rig, startTub, step, tubBeside } from "./rig.ts";

const ROUNDS = 8;

interopTest("two Tubs that dial each other at the same time end with one connection", async (t) => {
  await using peer = await startPython();
  for (const isMaster of [true, false]) {
    for (let round = 1; round <= ROUNDS; round++) {
      await step(t, `Deno as ${isMaster ? "master" : "slave"}, round ${round}`, async () => {
        await using tub = await tubBeside(peer.ready.tubid, isMaster);
        const rig = new Rig(peer, tub);
        const [root] = await Promise.all([tub.getReference(peer.furl), peer.get(rig.furl, rig.ours)]);
        assert.equal(await root.callRemote("add", 1, 2), 3);
        assert.deepEqual(await peer.call(rig.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
        assert.equal(tub.debug.tables().connections, 1);
        assert.equal(await tub.getReference(peer.furl), root);
        assert.deepEqual((await rig.pythonTables())?.pending, 0);
      });
    }
  }
});

interopTest("many getReference() calls at the same time make one connection", async (t) => {
  await using peer = await startPython();
  await step(t, "from Deno", async () => {
    await using tub = await startTub();
    const all = await Promise.all(Array.from({ length: 50 }, () => tub.getReference(peer.furl)));
    assert.equal(new Set(all).size, 1);
    assert.equal(tub.debug.tables().connections, 1);
  });
  await step(t, "from Python", async () => {
    await using tub = await startTub();
    const rig = new Rig(peer, tub);
    await Promise.all(Array.from({ length: 50 }, (_, i) => peer.get(rig.furl, `many${i}`)));
    assert.equal(tub.debug.tables().connections, 1);
    const same = await peer.command("identical", { one: "many0", other: "many49" });
    assert.deepEqual(same.result, { bool: true });
  });
});
