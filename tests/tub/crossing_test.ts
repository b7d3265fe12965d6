import assert from "node:assert/strict";
import { Tub } from "../../mod.ts";
import { EMPTY_TABLES, startMasterAndSlave, startTub, Target, until } from "./tubs.ts";

Deno.test("two Tubs that dial each other at once end with one connection, each of 50 times", async () => {
  for (let round = 0; round < 50; round++) {
    const [a, b] = await startMasterAndSlave();
    const [toA, toB] = [a.registerReference(new Target()), b.registerReference(new Target())];
    const [refA, refB] = await Promise.all([
      b.getReference<Target>(toA),
      a.getReference<Target>(toB),
    ]);
    assert.deepEqual(await Promise.all([refA.callRemote("add", 1, 2), refB.callRemote("add", 3, 4)]), [3, 7]);
    await until(
      () => a.debug.tables().connections === 1 && b.debug.tables().connections === 1,
      `round ${round}`,
    );
    assert.equal(await refA.callRemote("add", 5, 6), 11);
    await Promise.all([a.stop(), b.stop()]);
    assert.deepEqual(a.debug.tables(), EMPTY_TABLES);
    assert.deepEqual(b.debug.tables(), EMPTY_TABLES);
  }
});

Deno.test("hints that lead to the same Tub several times end with one connection", async () => {
  const [master, slave] = await startMasterAndSlave();
  await using _master = master;
  await using _slave = slave;
  for (const [from, to] of [[master, slave], [slave, master]] as const) {
    await using server = await Tub.create({ certData: to.getCertData() });
    const ports = [];
    for (let i = 0; i < 4; i++) ports.push((await server.listenOn("tcp:0:interface=127.0.0.1")).hint);
    server.setLocation(...ports);
    await using client = await Tub.create({ certData: from.getCertData() });
    const ref = await client.getReference<Target>(server.registerReference(new Target()));
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    await until(() => server.debug.tables().connections === 1 && server.debug.tables().negotiating === 0);
    assert.equal(client.debug.tables().connections, 1);
    assert.equal(await ref.callRemote("add", 1, 2), 3);
  }
});

for (const who of ["master", "slave"] as const) {
  Deno.test(`a ${who} that dials anew in another life replaces its old connection`, async () => {
    const [master, slave] = await startMasterAndSlave();
    await using _master = master;
    await using _slave = slave;
    const [stays, restarts] = who === "master" ? [slave, master] : [master, slave];
    const furl = stays.registerReference(new Target());
    const callback = new Target();
    const ref = await restarts.getReference<Target>(furl);
    assert.equal(await ref.callRemote("echo", callback), callback);
    // The old life is still there: a process that hangs, say.
    await using again = await Tub.create({ certData: restarts.getCertData() });
    const lost = Promise.withResolvers<void>();
    ref.notifyOnDisconnect(lost.resolve);
    if (who === "slave") {
      const revived = await again.getReference<Target>(furl);
      await lost.promise;
      assert.equal(await revived.callRemote("add", 1, 2), 3);
      assert.equal(stays.debug.tables().connections, 1);
      await assert.rejects(ref.callRemote("add", 1, 2), { name: "DeadReferenceError" });
    } else {
      // The master decides, and knows of no other connection.
      const revived = await again.getReference<Target>(furl);
      await lost.promise;
      assert.equal(await revived.callRemote("add", 1, 2), 3);
    }
  });
}

Deno.test("a connection that comes in while its Tub is being dialled serves those who wait", async () => {
  await using far = await startTub();
  // Its hint leads to a port where nobody ever answers.
  const silent = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const held: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of silent) held.push(conn);
  })();
  await using near = await startTub();
  const furl = far.registerReference(new Target());
  const misleading = furl.replace(/@.*\//, `@tcp:127.0.0.1:${silent.addr.port}/`);
  const waiting = near.getReference<Target>(misleading);
  await until(() => held.length === 1);
  await far.getReference(near.registerReference(new Target()));
  const ref = await waiting;
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  assert.equal(near.debug.tables().connecting, 0);
  silent.close();
  await accepting;
  for (const conn of held) conn.close();
});
