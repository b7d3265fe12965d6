import assert from "node:assert/strict";
import { NegotiationError, type TraceEvent, Tub } from "../../mod.ts";
import { Attacker, identityBeside } from "./attacker.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

/** A Tub that listens, and another one that shares its port. */
async function ownerAndGuest(): Promise<[Tub, Tub]> {
  const [owner, guest] = [await startTub(), await Tub.create()];
  guest.setLocation((await guest.listenOn(owner.listeners[0]!)).hint);
  return [owner, guest];
}

Deno.test("listenOn() of another Tub's listener lets both be reached by one port", async () => {
  const [owner, guest] = await ownerAndGuest();
  await using client = await Tub.create();
  assert.equal(owner.listeners[0]!.port, guest.listeners[0]!.port);
  const sums = await Promise.all([owner, guest].map(async (tub) => {
    const ref = await client.getReference<Target>(tub.registerReference(new Target()));
    return await ref.callRemote("add", 1, 2);
  }));
  assert.deepEqual(sums, [3, 3]);
  assert.deepEqual([owner, guest].map((tub) => tub.debug.tables().connections), [1, 1]);
  // The two can reach each other by that port too.
  const ref = await owner.getReference<Target>(guest.registerReference(new Target()));
  assert.equal(await ref.callRemote("add", 3, 4), 7);
  await Promise.all([owner.stop(), guest.stop()]);
  assert.deepEqual(owner.debug.tables(), EMPTY_TABLES);
  assert.deepEqual(guest.debug.tables(), EMPTY_TABLES);
});

Deno.test("a shared listener answers a TubID that is not there as any other does", async () => {
  const [owner, guest] = await ownerAndGuest();
  for (const wanted of ["a".repeat(32), "__proto__", guest.tubId.toUpperCase()]) {
    using attacker = await Attacker.dial(owner);
    attacker.get(wanted);
    assert.match(
      await attacker.end(),
      new RegExp(`^HTTP/1.1 500 [^\\r]*unknown TubID ${wanted}\\r\\n\\r\\n$`),
    );
  }
  await Promise.all([owner.stop(), guest.stop()]);
});

for (const how of ["closes its listener", "stops"] as const) {
  Deno.test(`a Tub that ${how} leaves the shared listener, which serves on`, async () => {
    const [owner, guest] = await ownerAndGuest();
    const furls = [owner, guest].map((tub) => tub.registerReference(new Target()));
    if (how === "stops") await guest.stop();
    else await guest.listeners[0]!.close();
    assert.equal(guest.listeners.length, 0);
    await using client = await Tub.create();
    await assert.rejects(client.getReference(furls[1]!), NegotiationError);
    assert.equal(await (await client.getReference<Target>(furls[0]!)).callRemote("add", 1, 2), 3);
    // It can come back, or another life of it.
    await using again = await Tub.create({ certData: guest.getCertData() });
    again.setLocation((await again.listenOn(owner.listeners[0]!)).hint);
    const ref = await client.getReference<Target>(again.registerReference(new Target()));
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    await Promise.all([owner.stop(), guest.stop()]);
  });
}

Deno.test("a shared listener closes with the Tub that opened it; connections stay", async () => {
  const [owner, guest] = await ownerAndGuest();
  await using client = await Tub.create();
  const ref = await client.getReference<Target>(guest.registerReference(new Target()));
  const listener = owner.listeners[0]!;
  await owner.stop();
  assert.equal(guest.listeners.length, 0);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  await assert.rejects(guest.listenOn(listener), /the listener is closed/);
  await guest.stop();
});

Deno.test("listenOn() refuses a Tub's own listener, and the same TubID twice", async () => {
  const [owner, guest] = await ownerAndGuest();
  const [listener] = owner.listeners;
  await assert.rejects(owner.listenOn(listener!), TypeError);
  await assert.rejects(owner.listenOn(guest.listeners[0]!), TypeError);
  await assert.rejects(guest.listenOn(listener!), TypeError);
  await using third = await Tub.create();
  const shared = await third.listenOn(guest.listeners[0]!);
  assert.equal(shared.port, listener!.port);
  await guest.stop();
  assert.equal(third.listeners.length, 1);
  await guest.stop();
  await assert.rejects(guest.listenOn(listener!), /has been stopped/);
  await owner.stop();
});

Deno.test("connections of a shared listener count for the Tub that is wanted", async () => {
  const events: TraceEvent[] = [];
  await using owner = await startTub({ limits: { maxConnections: 1 }, trace: (event) => events.push(event) });
  await using guest = await Tub.create({ limits: { maxConnections: 2 } });
  guest.setLocation((await guest.listenOn(owner.listeners[0]!)).hint);
  const [toOwner, toGuest] = [owner, guest].map((tub) => tub.registerReference(new Target()));
  await using one = await Tub.create();
  await using two = await Tub.create();
  await using three = await Tub.create();
  await one.getReference(toOwner!);
  await assert.rejects(two.getReference(toOwner!), NegotiationError);
  // The owner is full, the guest is not.
  await one.getReference(toGuest!);
  await two.getReference(toGuest!);
  await until(() => guest.debug.tables().negotiating === 0);
  await assert.rejects(three.getReference(toGuest!), NegotiationError);
  const failures = () =>
    events.flatMap((event) => event.type === "negotiation-failed" ? [event.error.message] : []);
  await until(() => failures().length === 2);
  assert.match(failures()[0]!, /There are 1 connections already/);
  assert.match(failures()[1]!, /There are 2 connections already/);
});

Deno.test("a Tub that stops ends what is being negotiated with it on a shared listener", async () => {
  const [owner, guest] = await ownerAndGuest();
  using attacker = await Attacker.dial(owner);
  attacker.get(guest.tubId);
  await attacker.until("\r\n\r\n");
  assert.deepEqual([owner, guest].map((tub) => tub.debug.tables().negotiating), [1, 1]);
  await guest.stop();
  await attacker.end();
  assert.equal(guest.debug.tables().negotiating, 0);
  await until(() => owner.debug.tables().negotiating === 0);
  await owner.stop();
});

Deno.test("whoever says nothing on a shared listener counts for the Tub that opened it", async () => {
  await using owner = await startTub({ limits: { maxUnnegotiated: 2 } });
  await using guest = await Tub.create({ limits: { maxUnnegotiated: 1 } });
  guest.setLocation((await guest.listenOn(owner.listeners[0]!)).hint);
  const silent = [await Attacker.dial(owner), await Attacker.dial(owner), await Attacker.dial(owner)];
  await silent[0]!.end();
  assert.equal(guest.debug.tables().negotiating, 0);
  await using client = await Tub.create();
  const ref = await client.getReference<Target>(guest.registerReference(new Target()));
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  for (const attacker of silent) attacker[Symbol.dispose]();
});

for (const how of ["closes the listener", "stops"] as const) {
  Deno.test(`a handshake with a Tub that shares a port ${how === "stops" ? "ends" : "goes on"} when the owner ${how}`, async () => {
    const [owner, guest] = await ownerAndGuest();
    const identity = await identityBeside(guest.tubId, "slave");
    using attacker = await Attacker.dial(owner);
    attacker.get(guest.tubId);
    await attacker.until("\r\n\r\n");
    if (how === "stops") {
      await owner.stop();
      await attacker.end();
      assert.deepEqual(guest.debug.tables(), EMPTY_TABLES);
    } else {
      await owner.listeners[0]!.close();
      assert.equal(guest.listeners.length, 0);
      await attacker.startTls(identity);
      attacker.hello(identity.tubId);
      await attacker.until("banana-decision-version: 3");
      await until(() => guest.debug.tables().connections === 1);
      assert.deepEqual(owner.debug.tables(), EMPTY_TABLES);
    }
    await Promise.all([owner.stop(), guest.stop()]);
  });
}
