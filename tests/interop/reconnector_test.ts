import assert from "node:assert/strict";
import { type RemoteReference, Tub, UnreachableError } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { interopTest, startPython } from "../support/python.ts";
import { locate, startTub, step, until } from "./rig.ts";
import { Root } from "./root.ts";

interopTest(
  "a Reconnector of Deno comes through the death of a Python process, and its new life",
  async () => {
    const folder = await Deno.makeTempDir();
    const certFile = `${folder}/python.pem`;
    const clock = new FakeClock();
    const tub = await Tub.create({ clock });
    try {
      const refs: RemoteReference[] = [];
      let peer = await startPython("peer.py", ["--cert-file", certFile]);
      const { furl, ready: { port } } = peer;
      const reconnector = tub.connectTo(furl, (ref) => void refs.push(ref), { jitter: 0 });
      const state = () => reconnector.getReconnectionInfo().state;
      await until(() => refs.length === 1, "connected");
      assert.equal(await refs[0]!.callRemote("add", 1, 2), 3);

      await peer[Symbol.asyncDispose]();
      await until(() => state() === "waiting", "the loss is noticed");
      assert.equal(reconnector.getDelayUntilNextAttempt(), 1_000);
      // Two attempts that find nobody there.
      for (const next of [2_718, 7_389]) {
        clock.advance(reconnector.getDelayUntilNextAttempt()!);
        await until(() => state() === "waiting", "it has failed");
        assert.equal(reconnector.getDelayUntilNextAttempt(), next);
        assert.ok(reconnector.getLastFailure() instanceof UnreachableError);
        const { connectorStatuses } = reconnector.getReconnectionInfo().connectionInfo!;
        assert.deepEqual([...connectorStatuses.values()], ["connection refused"]);
      }
      peer = await startPython("peer.py", ["--cert-file", certFile, "--port", String(port)]);
      assert.equal(peer.furl, furl);
      clock.advance(reconnector.getDelayUntilNextAttempt()!);
      await until(() => refs.length === 2, "connected again");
      assert.equal(await refs[1]!.callRemote("add", 3, 4), 7);
      assert.ok(!refs[0]!.isConnected());
      assert.equal(reconnector.getReconnectionInfo().connectionInfo!.connected, true);
      await peer[Symbol.asyncDispose]();
    } finally {
      let isStopped = false;
      void tub.stop().then(() => isStopped = true);
      await until(() => (clock.advance(1_000), isStopped), "the Tub has stopped");
      await Deno.remove(folder, { recursive: true });
    }
  },
);

interopTest("Python's Reconnector finds a Deno Tub again that was restarted", async (t) => {
  await using peer = await startPython();
  await step(t, "three lives of one Tub", async () => {
    let tub = await startTub();
    const certData = tub.getCertData();
    const { port, hint } = tub.listeners[0]!;
    const furl = tub.registerReference(new Root(), "root");
    await peer.command("connect_to", { furl, as: "phoenix" });
    for (let life = 1;; life++) {
      await peer.event("connected");
      const connected = await peer.command("reconnector", { name: "phoenix" });
      assert.deepEqual([connected.state, connected.statuses], ["connected", { [hint]: "successful" }]);
      assert.deepEqual(await peer.call("phoenix", "add", { int: "1" }, { int: "2" }), { int: "3" });
      if (life === 3) break;
      await tub.stop();
      await until(
        async () => (await peer.command("reconnector", { name: "phoenix" })).state === "waiting",
        "Python has noticed the loss",
      );
      tub = await locate(await Tub.create({ certData }), port);
      assert.equal(tub.registerReference(new Root(), "root"), furl);
      await peer.command("reconnector", { name: "phoenix", do: "reset" });
    }
    await peer.command("reconnector", { name: "phoenix", do: "stopConnecting" });
    await tub.stop();
  });
});
