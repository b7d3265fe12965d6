import assert from "node:assert/strict";
import { NegotiationError, Tub } from "../../mod.ts";
import { interopTest, startPython } from "../support/python.ts";
import { step, tubBeside, until, WAYS, wayText } from "./rig.ts";
import { Root } from "./root.ts";

/** The port at which Python can be let dial, until it has. */
function listen(): Deno.TcpListener {
  return Deno.listen({ port: 0, hostname: "127.0.0.1" });
}

interopTest("tub.attach() of a plain socket connects with Python in every role", async (t) => {
  await using peer = await startPython();
  for (const way of WAYS) {
    await step(t, `calls, callbacks and FURLs of both (${wayText(way)})`, async () => {
      const tub = await tubBeside(peer.ready.tubid, way.master === "Deno");
      const root = new Root();
      const furl = tub.registerReference(root);
      await attach(tub, furl, way.dialer);
      // There is nothing else by which the two could meet: neither of these dials.
      const python = await tub.getReference(peer.furl);
      assert.equal(await python.callRemote("add", 1, 2), 3);
      const ours = `attached${tub.tubId}`;
      await peer.get(furl, ours);
      assert.deepEqual(await peer.call(ours, "add", { int: "3" }, { int: "4" }), { int: "7" });
      assert.equal(await python.callRemote("echo", root), root);
      assert.equal(tub.debug.tables().connections, 1);
      await tub.stop();
      await until(async () => {
        const { connections } = await peer.command("tables");
        return !(connections as { tubid: string }[]).some(({ tubid }) => tubid === tub.tubId);
      }, "Python lets go");
    });
  }

  async function attach(tub: Tub, furl: string, dialer: "Deno" | "Python"): Promise<void> {
    if (dialer === "Deno") {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port: peer.ready.port });
      const attached = await tub.attach(socket, { target: peer.furl, address: "a socket" });
      assert.equal(attached.tubId, peer.ready.tubid);
      return;
    }
    using listener = listen();
    const hinted = furl.replace(/@[^/]*\//, `@tcp:127.0.0.1:${listener.addr.port}/`);
    const got = peer.get(hinted, `dialled${tub.tubId}`);
    const socket = await listener.accept();
    const attached = await tub.attach(socket);
    assert.equal(attached.tubId, peer.ready.tubid);
    await got;
  }

  await step(t, "Python is refused where another Tub is the target", async () => {
    await using tub = await Tub.create();
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: peer.ready.port });
    await assert.rejects(tub.attach(socket, { target: "a".repeat(32) }), (error) => {
      assert(error instanceof NegotiationError);
      assert.match(error.message, /unknown TubID/);
      return true;
    });
  });

  await step(t, "Python takes FURLs of a Tub whose location is attach:", async () => {
    await using tub = await Tub.create();
    tub.setLocation("attach:");
    const furl = tub.registerReference(new Root());
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: peer.ready.port });
    const attached = await tub.attach(socket, { target: peer.ready.tubid });
    // Where Deno decides, Python may not have read the decision yet; until it answers it knows of no connection.
    await attached.getReference(peer.furl);
    await peer.get(furl, "quiet");
    assert.deepEqual(await peer.call("quiet", "add", { int: "3" }, { int: "4" }), { int: "7" });
    assert.equal((await peer.command("furl", { ref: "quiet" })).furl, furl);
  });

  await step(t, "Python reaches two Tubs on one port", async () => {
    await using owner = await Tub.create();
    await using guest = await Tub.create();
    const listener = await owner.listenOn("tcp:0:interface=127.0.0.1");
    owner.setLocation(listener.hint);
    guest.setLocation((await guest.listenOn(listener)).hint);
    for (const [name, tub] of Object.entries({ owner, guest })) {
      await peer.get(tub.registerReference(new Root()), name);
      assert.deepEqual(await peer.call(name, "add", { int: "3" }, { int: "4" }), { int: "7" });
      assert.equal(tub.debug.tables().connections, 1);
    }
    await guest.stop();
    assert.deepEqual(await peer.call("owner", "add", { int: "3" }, { int: "4" }), { int: "7" });
  });
});
