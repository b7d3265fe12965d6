import assert from "node:assert/strict";
import { Tub } from "../../mod.ts";
import { interopTest, startPython } from "../support/python.ts";
import { Target } from "../tub/tubs.ts";
import { rejectionOf, step } from "./rig.ts";

interopTest("an object of a Tub without a location cannot be handed on to a third Tub", async (t) => {
  await using peer = await startPython();
  await using owner = await Tub.create();
  const root = await owner.getReference(peer.furl);
  const own = new Target();
  await step(t, "Python uses it", async () => {
    await root.callRemote("hold", own);
    assert.equal(await root.callRemote("call_back", "add", 1, 2), 3);
  });
  await step(t, "Python hands it on: that call fails, and the connection stays", async () => {
    await using other = await Tub.create();
    const again = await other.getReference(peer.furl);
    await rejectionOf(Error, again.callRemote("held"));
    assert.equal(await again.callRemote("add", 1, 2), 3);
    assert.equal(other.debug.tables().connections, 1);
    assert.equal(other.debug.tables().pendingGifts, 0);
  });
});
