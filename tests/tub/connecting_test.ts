import assert from "node:assert/strict";
import {
  DeadReferenceError,
  Referenceable,
  RemoteException,
  RemoteReference,
  SturdyRef,
  Tub,
  UnreachableError,
} from "../../mod.ts";
import type { TraceEvent } from "../../mod.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

Deno.test("Tub.getReference() reaches an object of another Tub, which calls back", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const target = new Target();
  const ref = await client.getReference<Target>(server.registerReference(target));
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  assert.equal(ref.getRemoteTubID(), server.tubId);
  const back = new Target();
  await ref.callRemote("hold", back);
  const held = target.held as RemoteReference<Target>;
  assert.ok(held instanceof RemoteReference);
  assert.equal(held.getRemoteTubID(), client.tubId);
  assert.equal(await held.callRemote("add", 3, 4), 7);
  assert.equal(await ref.callRemote("echo", back), back);
});

Deno.test("Tub.getReference() gives the same reference each time and opens one connection", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const furl = server.registerReference(new Target());
  const [a, b] = await Promise.all([client.getReference(furl), client.getReference(new SturdyRef(furl))]);
  // With a connection there, hints are not looked at.
  const c = await client.getReference(furl.replace(/@.*\//, "@nonsense/"));
  assert.equal(a, b);
  assert.equal(a, c);
  assert.equal(client.debug.tables().connections, 1);
  assert.equal(server.debug.tables().connections, 1);
});

Deno.test("Tub.getReference() uses a connection that the other Tub made", async () => {
  await using server = await startTub();
  await using client = await startTub();
  await client.getReference(server.registerReference(new Target()));
  const furl = client.registerReference(new Target()).replace(/@.*\//, "@/");
  const ref = await server.getReference<Target>(furl);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  assert.equal(server.getConnectionInfoForFURL(furl)?.direction, "inbound");
  assert.equal(server.debug.tables().connections, 1);
});

Deno.test("Tub.getReference() of the Tub's own FURL goes by loopback, without a listener", async () => {
  await using tub = await Tub.create();
  tub.setLocation("tcp:127.0.0.1:1");
  const target = new Target();
  const furl = tub.registerReference(target);
  const ref = await tub.getReference<Target>(furl);
  assert.ok(ref instanceof RemoteReference);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  assert.equal(await ref.callRemote("echo", target), target);
  assert.equal(await tub.getReference(furl), ref);
  assert.equal(tub.debug.tables().connections, 2);
  const info = tub.getConnectionInfoForFURL(furl);
  assert.deepEqual([info?.connected, info?.direction, info?.address], [true, "loopback", "loopback"]);
});

Deno.test("Tub.getReference() fails with Python's KeyError for a name that nobody has", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const furl = server.registerReference(new Target()).replace(/[^/]*$/, "nobody");
  await assert.rejects(client.getReference(furl), (error) => {
    assert.ok(error instanceof RemoteException);
    assert.equal(error.remoteType, "builtins.KeyError");
    assert.match(error.message, /"unable to find reference for name starting with 'no'"/);
    return true;
  });
});

Deno.test("Tub.getReference() finds nothing any more under an unregistered FURL, and references go on", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const target = new Target();
  const furl = server.registerReference(target);
  const ref = await client.getReference<Target>(furl);
  server.unregisterReference(target);
  await assert.rejects(client.getReference(furl), RemoteException);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
});

Deno.test("an object that is passed to a peer gets a FURL that works while somebody holds it", async () => {
  await using server = await startTub();
  await using client = await startTub();
  await using third = await Tub.create();
  const target = new Target();
  const ref = await client.getReference<Target>(server.registerReference(target));
  const passed = new Target();
  await ref.callRemote("hold", passed);
  const furl = (target.held as RemoteReference).getSturdyRef().getURL()!;
  const again = await third.getReference<Target>(furl);
  assert.equal(await again.callRemote("add", 1, 2), 3);
  assert.equal(client.getReferenceForURL(furl), passed);
});

Deno.test("a SturdyRef travels by value between Tubs", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const furl = server.registerReference(new Target());
  const ref = await client.getReference<Target>(furl);
  const copy = await ref.callRemote("echo", new SturdyRef(furl));
  assert.ok(copy instanceof SturdyRef);
  assert.equal(copy.getURL(), furl);
  const empty = await ref.callRemote("echo", new SturdyRef());
  assert.ok(empty instanceof SturdyRef);
  assert.equal(empty.url, undefined);
});

Deno.test("a reference to a third Tub's object is fetched from there, unless gifts are not accepted", async () => {
  await using carol = await startTub();
  await using bob = await startTub();
  await using strict = await startTub({ acceptGifts: false });
  await using alice = await Tub.create();
  const target = new Target();
  const gift = await alice.getReference<Target>(carol.registerReference(target));
  const receiver = new Target();
  const toBob = await alice.getReference<Target>(bob.registerReference(receiver));
  await toBob.callRemote("hold", gift);
  const held = receiver.held as RemoteReference<Target>;
  assert.equal(held.getRemoteTubID(), carol.tubId);
  assert.equal(await held.callRemote("add", 2, 2), 4);
  const toStrict = await alice.getReference<Target>(strict.registerReference(new Target()));
  await assert.rejects(toStrict.callRemote("hold", gift), /gifts are prohibited in this Tub/);
  assert.equal(strict.debug.tables().pendingGifts, 0);
});

Deno.test("Tub.registerNameLookupHandler() serves names that a peer asks for", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  server.registerReference(new Referenceable());
  const handler = (name: string) => name === "made" ? new Target() : null;
  server.registerNameLookupHandler(handler);
  const furl = `pb://${server.tubId}@${server.locationHints.join(",")}/made`;
  const ref = await client.getReference<Target>(furl);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  server.unregisterNameLookupHandler(handler);
  await assert.rejects(client.getReference(furl.replace("made", "other")), RemoteException);
});

Deno.test("a Tub that is restarted with its file is reached under the same FURL", async () => {
  await using server = await startTub();
  const { port } = server.listeners[0]!;
  const certData = server.getCertData();
  await using client = await Tub.create();
  const furl = server.registerReference(new Target(), "calc");
  const ref = await client.getReference<Target>(furl);
  const lost = Promise.withResolvers<void>();
  ref.notifyOnDisconnect(lost.resolve);
  await server.stop();
  await lost.promise;
  await assert.rejects(ref.callRemote("add", 1, 2), DeadReferenceError);
  await assert.rejects(client.getReference(furl), UnreachableError);
  await using again = await Tub.create({ certData });
  const listener = await again.listenOn(`tcp:${port}:interface=127.0.0.1`);
  again.setLocation(listener.hint);
  assert.equal(again.registerReference(new Target(), "calc"), furl);
  const revived = await client.getReference<Target>(furl);
  assert.notEqual(revived, ref);
  assert.equal(await revived.callRemote("add", 1, 2), 3);
});

Deno.test("Tub tells its trace of listening, connecting and losing, and no name", async () => {
  const events: TraceEvent[] = [];
  await using server = await startTub();
  const client = await startTub({ trace: (event) => void events.push(event) });
  const furl = server.registerReference(new Target(), "topsecret");
  await client.getReference(furl);
  await assert.rejects(client.getReference(furl.replace("topsecret", "wrongsecret")));
  await client.stop();
  const types = events.map((event) => event.type).filter((type) => !type.startsWith("call-"));
  assert.deepEqual(types, ["listening", "negotiating", "connected", "disconnected"]);
  assert.ok(!Deno.inspect(events, { depth: 10 }).includes("secret"));
});

Deno.test("Tub ignores what the trace throws", async () => {
  await using server = await startTub({
    trace: () => {
      throw new TypeError("broken");
    },
  });
  await using client = await Tub.create();
  const ref = await client.getReference<Target>(server.registerReference(new Target()));
  assert.equal(await ref.callRemote("add", 1, 2), 3);
});

Deno.test("Tub.listenOn() leaves a closed listener's connections alone", async () => {
  await using server = await startTub();
  await using client = await Tub.create();
  const furl = server.registerReference(new Target());
  const ref = await client.getReference<Target>(furl);
  await server.listeners[0]!.close();
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  await using late = await Tub.create();
  await assert.rejects(late.getReference(furl), UnreachableError);
  await until(() => late.debug.tables().connecting === 0);
  assert.deepEqual(late.debug.tables(), EMPTY_TABLES);
});
