import assert from "node:assert/strict";
import { i2p, socks, tor, Tub, unix, UnreachableError } from "../../mod.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { startSamBridge } from "../support/sam_bridge.ts";
import { packageTests, startMicrosocks } from "../support/servers.ts";
import { inFolder } from "../tub/support.ts";
import { rejectionOf, Rig, startTub, step } from "./rig.ts";

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

/** Hints by which a Tub of either kind finds a port of this machine. */
const FORMS: readonly { readonly name: string; readonly hints: (port: number) => string }[] = [
  { name: "tcp:", hints: (port) => `tcp:127.0.0.1:${port}` },
  { name: "the old form", hints: (port) => `127.0.0.1:${port}` },
  { name: "a type to come before it", hints: (port) => `later:x:1,tcp:127.0.0.1:${port}` },
  { name: "no colon before it", hints: (port) => `nocolon,tcp:127.0.0.1:${port}` },
];

interopTest("hints of every form lead from Deno to Python and back", async (t) => {
  await using peer = await startPython();
  const withHints = (furl: string, hints: string) => furl.replace(/@[^/]*/, `@${hints}`);
  for (const { name, hints } of FORMS) {
    await step(t, name, async () => {
      await using caller = await startTub();
      const ref = await caller.getReference(withHints(peer.furl, hints(peer.ready.port)));
      assert.equal(await ref.callRemote("add", 1, 2), 3);
      await using rig = new Rig(peer, await startTub());
      await peer.get(withHints(rig.furl, hints(rig.tub.listeners[0]!.port)), rig.ours);
      assert.deepEqual(await peer.call(rig.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
    });
  }

  const hasIPv6 = Deno.networkInterfaces().some(({ address }) => address === "::1");
  await t.step({
    name: "an IPv6 address in brackets",
    ignore: !hasIPv6,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const tub = await Tub.create();
      const { port, hint } = await tub.listenOn("tcp6:0:interface=::1");
      assert.equal(hint, `tcp:[::1]:${port}`);
      tub.setLocation(hint);
      await using rig = new Rig(peer, tub);
      await peer.get(rig.furl, rig.ours);
      assert.deepEqual(await peer.call(rig.ours, "add", { int: "1" }, { int: "2" }), { int: "3" });
      // Python listens at an IPv4 address, which has an IPv6 form.
      await using caller = await startTub();
      const mapped = withHints(peer.furl, `tcp:[::ffff:127.0.0.1]:${peer.ready.port}`);
      assert.equal(await (await caller.getReference(mapped)).callRemote("add", 1, 2), 3);
    },
  });

  await step(t, "only such as nobody can use: both say so at once", async () => {
    await using tub = await Tub.create();
    for (const hints of ["", "later:x:1", "nocolon"]) {
      const furl = `pb://${"b".repeat(32)}@${hints}/name`;
      const ours = await rejectionOf(UnreachableError, tub.getReference(furl));
      const theirs = await rejectionOf(PeerFailure, peer.get(furl, "nobody"));
      assert.equal(theirs.failure.type, "foolscap.tokens.NoLocationHintsError");
      // Where there are hints, the error here says what is wrong with each.
      assert.equal(ours.name, hints === "" ? "NoLocationHintsError" : "UnreachableError");
      assert.deepEqual([...ours.errors.keys()], hints === "" ? [] : [hints]);
    }
  });
});

interopTest("a listener that is closed leaves Python its connection, and lets nobody in", async (t) => {
  await using peer = await startPython();
  await step(t, "of two listeners", async () => {
    const tub = await startTub();
    await using rig = new Rig(peer, tub);
    const [first] = tub.listeners;
    const second = await tub.listenOn("tcp:0:interface=127.0.0.1");
    const bySecond = rig.furl.replace(/@[^/]*/, `@${second.hint}`);
    const add = () => peer.call(rig.ours, "add", { int: "1" }, { int: "2" });
    await peer.get(rig.furl, rig.ours);
    await first!.close();
    assert.deepEqual(await add(), { int: "3" });
    await peer.command("drop");
    const { failure } = await rejectionOf(PeerFailure, peer.get(rig.furl, rig.ours));
    assert.match(failure.type, /ConnectionRefusedError$/);
    await peer.get(bySecond, rig.ours);
    assert.deepEqual(await add(), { int: "3" });
  });
});
