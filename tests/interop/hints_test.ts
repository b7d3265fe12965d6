import assert from "node:assert/strict";
import { i2p, socks, tor, Tub, unix, UnreachableError } from "../../mod.ts";
import { interopTest, startPython } from "../support/python.ts";
import { startSamBridge } from "../support/sam_bridge.ts";
import { packageTests, startMicrosocks } from "../support/servers.ts";
import { inFolder } from "../tub/support.ts";
import { Rig, startTub } from "./rig.ts";

interopTest(
  "a Tub and a Python Tub reach each other by unix sockets, whoever listens",
  () =>
    inFolder(async (folder) => {
      await using peer = await startPython("peer.py", ["--unix", `${folder}/python.sock`]);
      await using dials = new Rig(peer, await startTub());
      dials.tub.addConnectionHintHandler("unix", unix());
      await dials.meet("Deno");
      assert.equal(await dials.python.callRemote("add", 1, 2), 3);
      assert.match(dials.tub.getConnectionInfoForFURL(peer.furl)!.address!, /^unix:/);

      const tub = await Tub.create();
      tub.setLocation((await tub.listenOn(`unix:${folder}/deno.sock`)).hint);
      await using listens = new Rig(peer, tub);
      await listens.meet("Python");
      assert.deepEqual(await peer.call(listens.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
    }),
);

interopTest("a Python Tub passes over hints of types that it does not know", async () => {
  await using peer = await startPython();
  const tub = await Tub.create();
  const { hint } = await tub.listenOn("tcp:0:interface=127.0.0.1");
  tub.setLocation("unix:%2Fnowhere", "i2p:a.i2p:1", hint);
  await using rig = new Rig(peer, tub);
  await peer.get(rig.furl, rig.ours);
  assert.deepEqual(await peer.call(rig.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
});

interopTest("i2p() leads to a Python Tub behind a SAM bridge", async () => {
  await using peer = await startPython();
  await using bridge = startSamBridge({ "python.i2p": peer.ready.port });
  await using tub = await startTub();
  tub.addConnectionHintHandler("i2p", i2p({ sam: `tcp:127.0.0.1:${bridge.port}` }));
  const ref = await tub.getReference(peer.furl.replace(/@[^/]*/, "@i2p:python.i2p"));
  assert.equal(await ref.callRemote("add", 1, 2), 3);
});

await packageTests("microsocks", () => {
  interopTest(
    "socks() and tor() lead to a Python Tub behind a SOCKS5 server, and it calls back",
    async () => {
      await using peer = await startPython();
      await using proxy = await startMicrosocks();
      const place = `tcp:127.0.0.1:${proxy.port}`;
      for (
        const [type, handler] of [
          ["socks", socks({ proxy: place })],
          ["tcp", socks({ proxy: place })],
          ["tor", tor({ socks: place })],
        ] as const
      ) {
        await using rig = new Rig(peer, await startTub());
        rig.tub.removeAllConnectionHintHandlers();
        rig.tub.addConnectionHintHandler(type, handler);
        const hint = `${type}:localhost:${peer.ready.port}`;
        const ref = await rig.tub.getReference(peer.furl.replace(/@[^/]*/, `@${hint}`));
        assert.equal(await ref.callRemote("add", 1, 2), 3);
        await peer.get(rig.furl, rig.ours);
        assert.deepEqual(await peer.call(rig.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
        assert.equal(rig.tub.getConnectionInfoForFURL(peer.furl)?.winningHint, hint);
      }
    },
  );
});

interopTest("tor() refuses a Python Tub at a loopback address", async () => {
  await using peer = await startPython();
  await using tub = await Tub.create();
  tub.addConnectionHintHandler("tcp", tor());
  await assert.rejects(
    tub.getReference(peer.furl),
    (error) =>
      error instanceof UnreachableError && /ignoring non-Tor-able ipaddr 127\.0\.0\.1/.test(error.message),
  );
});

interopTest("a Tub with both hints is reached by Python by tcp:, and by Deno by tls:", async () => {
  await using peer = await startPython();
  const tub = await Tub.create();
  // The one that Python does not know stands first.
  tub.setLocation(...(await tub.listenOn("tcp:0:interface=127.0.0.1")).hints.toReversed());
  await using rig = new Rig(peer, tub);
  await rig.meet("Python");
  assert.deepEqual(await peer.call(rig.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
  assert.equal(await rig.python.callRemote("add", 3, 4), 7);
  await using other = await startTub();
  const ref = await other.getReference(rig.furl);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  assert.match(other.getConnectionInfoForFURL(rig.furl)!.winningHint!, /^tls:/);
});

interopTest(
  "a Deno Tub passes a reference with both hints on to Python, and Python one to Deno",
  async () => {
    await using peer = await startPython();
    const owner = await Tub.create();
    owner.setLocation(...(await owner.listenOn("tcp:0:interface=127.0.0.1")).hints);
    await using gifted = new Rig(peer, owner);
    await using rig = await new Rig(peer, await startTub()).meet("Deno");
    // A gift: Python goes to the owner itself.
    const ref = await rig.tub.getReference(gifted.furl);
    assert.match(rig.tub.getConnectionInfoForFURL(gifted.furl)!.winningHint!, /^tls:/);
    assert.equal(await rig.python.callRemote("echo", ref), ref);
  },
);
