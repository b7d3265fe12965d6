import assert from "node:assert/strict";
import { callable, type CapabilityEvent, Referenceable, Tub } from "../../mod.ts";

class Target extends Referenceable {
  remote_add(a: number, b: number): number {
    return a + b;
  }
  remote_other(): Target {
    return new Target();
  }
}

Deno.test("events tell who used what was registered as it is, while somebody reads them", async () => {
  await using server = await Tub.create();
  server.setLocation((await server.listenOn("tcp:0:interface=127.0.0.1")).hint);
  await using client = await Tub.create();
  const ref = await client.getReference<Target>(server.registerReference(new Target()));
  const count = callable((n: number) => n + 1);
  const f = await client.getReference<(n: number) => number>(server.registerReference(count));
  assert.equal(await ref.callRemote("add", 1, 2), 3);

  const events = server.registry.events();
  assert.equal(await ref.callRemote("add", 3, 4), 7);
  assert.equal(await f.callRemote(1), 2);
  // What only travelled is nobody's capability.
  await (await ref.callRemote("other")).callRemote("add", 1, 1);
  await assert.rejects(ref.callRemote("nothing" as "add", 1, 1), { name: "RemoteException" });
  await server.stop();
  const told: CapabilityEvent[] = await Array.fromAsync(events);
  assert.deepEqual(
    told.flatMap((event) => event.type === "used" ? [[event.method, event.caller]] : []),
    [["add", client.tubId], ["", client.tubId], ["other", client.tubId], ["nothing", client.tubId]],
  );
});

Deno.test("the audit file has the uses of what was registered as it is", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const auditFile = `${folder}/audit.jsonl`;
    await using server = await Tub.create({ certFile: `${folder}/cert.pem`, auditFile });
    server.setLocation((await server.listenOn("tcp:0:interface=127.0.0.1")).hint);
    await using client = await Tub.create();
    const ref = await client.getReference<Target>(server.registerReference(new Target()));
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    await server.stop();
    const lines = (await Deno.readTextFile(auditFile)).trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.flatMap(({ type, method }) => type === "used" ? [method] : []), ["add"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
