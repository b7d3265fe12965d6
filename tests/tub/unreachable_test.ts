import assert from "node:assert/strict";
import { type RemoteReference, Tub } from "../../mod.ts";
import { startTub, Target } from "./tubs.ts";

Deno.test("an object of a Tub without a location can be used by who was given it, and has no FURL", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const target = new Target();
  const ref = await client.getReference<Target>(server.registerReference(target));
  const own = new Target();
  await ref.callRemote("hold", own);
  const held = target.held as RemoteReference<Target>;
  assert.equal(held.getSturdyRef().getURL(), undefined);
  assert.equal(await held.callRemote("add", 1, 2), 3);
  assert.equal(await ref.callRemote("echo", own), own);
});
