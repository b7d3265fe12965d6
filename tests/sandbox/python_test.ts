import assert from "node:assert/strict";
import { startTub } from "../interop/rig.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { startPlugin } from "./support.ts";

interopTest("Python calls a sandboxed object, what lives in it, and is called by it", async () => {
  await using tub = await startTub();
  await using peer = await startPython();
  const root = await tub.getReference(peer.furl);
  const sandbox = await startPlugin(tub, {
    restart: { max: 2, perMs: 60_000, backoffMs: 0 },
    // A capability of Python's, which the sandbox cannot reach by itself.
    args: [root],
  });
  await peer.command("get", { furl: sandbox.furl!, as: "plugin" });
  assert.deepEqual(
    await peer.call("plugin", "add", { int: "1" }, { int: "2" }),
    {
      int: "3",
    },
  );
  await peer.callWith("plugin", "child", { as: "child" });
  await peer.callWith("plugin", "child", { as: "again" });
  assert.deepEqual(await peer.call("child", "name"), { str: "first" });
  assert.deepEqual((await peer.command("identical", { one: "child", other: "again" })).result, {
    bool: true,
  });
  assert.deepEqual(await peer.call("plugin", "isChild", { ref: "child" }), { bool: true });
  const [back] = await sandbox.reference.callRemote("args");
  assert.equal(back, root);
  await assert.rejects(peer.call("plugin", "exit", { int: "1" }), (error) => {
    assert.ok(error instanceof PeerFailure);
    assert.match(error.message, /the sandbox has ended, its process has crashed/);
    return true;
  });
  assert.deepEqual(await peer.call("plugin", "count"), { int: "1" });
});
