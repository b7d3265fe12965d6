import assert from "node:assert/strict";
import { attenuateFurl, Tub } from "../../mod.ts";
import { interopTest, PeerFailure, startPython } from "../support/python.ts";
import { rejection, step } from "./rig.ts";
import { Root } from "./root.ts";

const numbers = [{ int: "1" }, { int: "2" }] as const;

interopTest(
  "Python and Deno use FURLs of a Tub that was stopped and started again with its store",
  async (t) => {
    await using peer = await startPython();
    await using client = await Tub.create();
    const folder = await Deno.makeTempDir();
    const options = {
      certFile: `${folder}/cert.pem`,
      store: `${folder}/caps.db`,
      auditFile: `${folder}/audit.jsonl`,
      factories: { root: () => new Root() },
    };
    let port = 0;
    const start = async (): Promise<Tub> => {
      const tub = await Tub.create(options);
      const listener = await tub.listenOn(`tcp:${port}:interface=127.0.0.1`);
      port = listener.port;
      tub.setLocation(`tcp:127.0.0.1:${port}`);
      return tub;
    };
    const refused = async (promise: Promise<unknown>, about: RegExp): Promise<void> => {
      const error = await rejection(promise);
      assert.match(error instanceof PeerFailure ? error.failure.value : String(error), about);
    };
    try {
      const before = await start();
      const all = before.registry.grant(new Root(), { durable: { factory: "root" } });
      const adder = all.attenuate({ methods: ["add"], maxCalls: 4 }).furl;
      const derived = attenuateFurl(all.furl, { uses: 2 });
      const revoked = all.attenuate();
      const revokedFurl = revoked.furl;
      await peer.get(adder, "adder");
      await peer.call("adder", "add", ...numbers);
      await peer.get(derived, "derived");
      await peer.call("derived", "add", ...numbers);
      revoked.revoke();
      await before.stop();

      await using _after = await start();
      await step(t, "Python goes on where its limits were", async () => {
        await peer.get(adder, "adder2");
        assert.deepEqual(await peer.call("adder2", "add", ...numbers), { int: "3" });
        await refused(peer.call("adder2", "echo", numbers[0]), /allows only add$/);
        await peer.get(derived, "derived2");
        await peer.call("derived2", "add", ...numbers);
        await refused(peer.call("derived2", "add", ...numbers), /all of this capability's 2 calls are used$/);
        await refused(peer.get(revokedFurl, "revoked2"), /was revoked$/);
      });
      await step(t, "Deno has what is left", async () => {
        const ref = await client.getReference<Root>(adder);
        assert.equal(await ref.callRemote("add", 1, 2), 3);
        assert.equal(await ref.callRemote("add", 1, 2), 3);
        await refused(
          Promise.resolve(ref.callRemote("add", 1, 2)),
          /all of this capability's 4 calls are used$/,
        );
        await refused(client.getReference(revokedFurl), /was revoked$/);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
