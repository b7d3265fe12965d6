import assert from "node:assert/strict";
import { DeadReferenceError, Tub, UnreachableError } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { EMPTY_TABLES, startTub, Target, until } from "./tubs.ts";

/** Accepts connections and says nothing. */
function listenSilently() {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const held: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) held.push(conn);
  })();
  return {
    hint: `tcp:127.0.0.1:${listener.addr.port}`,
    held,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of held) conn.close();
    },
  };
}

const UNKNOWN = "a".repeat(32);

Deno.test("Tub.stop() fails calls in both directions and leaves nothing", async () => {
  const server = await startTub();
  const client = await startTub();
  const target = new Target();
  const ref = await client.getReference<Target>(server.registerReference(target));
  const callbackTarget = new Target();
  await ref.callRemote("hold", callbackTarget);
  const here: string[] = [];
  ref.notifyOnDisconnect(() => here.push("client"));
  const there = Promise.withResolvers<void>();
  const back = target.held as typeof ref;
  back.notifyOnDisconnect(there.resolve);
  const calls = [ref.callRemote("wait"), back.callRemote("wait")];
  const outcomes = Promise.allSettled(calls);
  await Promise.all([target.waiting.promise, callbackTarget.waiting.promise]);
  await client.stop();
  for (const outcome of await outcomes) {
    assert.ok(outcome.status === "rejected" && outcome.reason instanceof DeadReferenceError);
  }
  await there.promise;
  assert.deepEqual(here, []);
  assert.deepEqual(client.debug.tables(), EMPTY_TABLES);
  assert.equal(client.running, false);
  await server.stop();
  assert.deepEqual(server.debug.tables(), EMPTY_TABLES);
});

Deno.test("Tub.stop() more than once is harmless, and what is asked for later fails", async () => {
  const tub = await startTub();
  const furl = tub.registerReference(new Target());
  await Promise.all([tub.stop(), tub.stop()]);
  await tub.stop();
  assert.deepEqual(tub.listeners, []);
  await assert.rejects(tub.getReference(furl), /^TypeError: Cannot get reference: this Tub has been stopped/);
  await assert.rejects(tub.listenOn("tcp:0:interface=127.0.0.1"), /this Tub has been stopped/);
});

Deno.test("Tub.stop() ends a loopback without disconnect callbacks", async () => {
  const tub = await startTub();
  const ref = await tub.getReference<Target>(tub.registerReference(new Target()));
  let isTold = false;
  ref.notifyOnDisconnect(() => isTold = true);
  await tub.stop();
  assert.equal(isTold, false);
  assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
  await assert.rejects(ref.callRemote("add", 1, 2), DeadReferenceError);
});

Deno.test("Tub.stop() ends an attempt that is being negotiated", async () => {
  await using silent = listenSilently();
  const tub = await Tub.create();
  const attempt = assert.rejects(tub.getReference(`pb://${UNKNOWN}@${silent.hint}/x`), /has been stopped/);
  await until(() => silent.held.length === 1);
  await tub.stop();
  await attempt;
  assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
});

Deno.test("Tub.stop() ends connections that were accepted and say nothing", async () => {
  const tub = await startTub();
  const { port } = tub.listeners[0]!;
  const conns = await Promise.all(
    Array.from({ length: 5 }, () => Deno.connect({ port, hostname: "127.0.0.1" })),
  );
  await until(() => tub.debug.tables().negotiating === 5);
  await tub.stop();
  assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
  for (const conn of conns) {
    assert.equal(await conn.read(new Uint8Array(1)).catch(() => null), null);
    conn.close();
  }
});

Deno.test("Tub.stop() while two Tubs connect leaves nothing, whatever was reached", async () => {
  for (let turns = 0; turns < 12; turns++) {
    const server = await startTub();
    const client = await startTub();
    const outcome = client.getReference(server.registerReference(new Target())).catch((error) => error);
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    await (turns % 2 === 0 ? client : server).stop();
    await outcome;
    await Promise.all([client.stop(), server.stop()]);
    assert.deepEqual([client.debug.tables(), server.debug.tables()], [EMPTY_TABLES, EMPTY_TABLES]);
  }
});

Deno.test("Tub.stop() while a listener opens closes it", async () => {
  const tub = await Tub.create();
  const opening = tub.listenOn("tcp:0:interface=127.0.0.1");
  const outcome = assert.rejects(opening, /this Tub has been stopped/);
  await tub.stop();
  await outcome;
  assert.deepEqual(tub.listeners, []);
});

Deno.test("a Tub that 200 silent connections wait for ends the oldest for the next", async () => {
  await using tub = await startTub();
  const { port } = tub.listeners[0]!;
  const connect = () => Deno.connect({ port, hostname: "127.0.0.1" });
  const oldest = await connect();
  await until(() => tub.debug.tables().negotiating === 1);
  const others = await Promise.all(Array.from({ length: 199 }, connect));
  await until(() => tub.debug.tables().negotiating === 200);
  await using client = await Tub.create();
  const ref = await client.getReference<Target>(tub.registerReference(new Target()));
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  // It is told what any peer is whose negotiation fails, or nothing.
  while (await oldest.read(new Uint8Array(1_000)).catch(() => null) !== null);
  oldest.close();
  await until(() => tub.debug.tables().negotiating === 199);
  for (const conn of others) conn.close();
  await until(() => tub.debug.tables().negotiating === 0);
});

Deno.test("Tub.getReference() takes the hint that answers when others hang and are refused", async () => {
  await using silent = listenSilently();
  const refused = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const nobody = `tcp:127.0.0.1:${refused.addr.port}`;
  refused.close();
  await using server = await startTub();
  await using client = await Tub.create();
  const { hint } = server.listeners[0]!;
  const furl = server.registerReference(new Target())
    .replace(/@.*\//, `@${silent.hint},${nobody},xyz:unknown:1,tcp:a..b:1,${hint},tcp:127.0.0.1:70000/`);
  const ref = await client.getReference<Target>(furl);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  const info = client.getConnectionInfoForFURL(furl)!;
  assert.equal(info.winningHint, hint);
  assert.equal(info.connectorStatuses.get(hint), "successful");
  await until(() => silent.held.length === 1);
  // The loser has been closed from our side: it gets the rest of the GET and then the end.
  const reader = silent.held[0]!.readable.getReader();
  while (!(await reader.read()).done);
  reader.releaseLock();
  silent.held.length = 0;
});

Deno.test("Tub.getReference() gives up after limits.negotiationTimeoutMs and says why at each hint", async () => {
  await using silent = listenSilently();
  const clock = new FakeClock();
  const tub = await Tub.create({ clock, limits: { negotiationTimeoutMs: 5_000 } });
  const outcome = tub.getReference(`pb://${UNKNOWN}@${silent.hint},xyz:nobody:1/secret`).catch((error) =>
    error
  );
  await until(() =>
    silent.held.length === 1 && tub.getConnectionInfoForFURL(`pb://${UNKNOWN}@/x`)!
        .connectorStatuses.get(silent.hint) === "negotiating"
  );
  clock.advance(5_000);
  const error = await outcome;
  assert.equal(error.name, "NegotiationError");
  assert.ok(error.message.includes(silent.hint) && error.message.includes("no connection within 5000 ms"));
  assert.ok(!error.message.includes("secret"));
  assert.equal(tub.debug.tables().connecting, 0);
  // The attempt was cut: nobody waits for the peer.
  await tub.stop();
  assert.equal(clock.pending, 0);
});

Deno.test("Tub.getReference() lists every hint's error when all are refused", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const nobody = `tcp:127.0.0.1:${listener.addr.port}`;
  listener.close();
  await using tub = await Tub.create();
  await assert.rejects(tub.getReference(`pb://${UNKNOWN}@${nobody},xyz:a:1,tcp:a..b:1/secret`), (error) => {
    assert.ok(error instanceof UnreachableError);
    assert.deepEqual([...error.errors.keys()].sort(), [nobody, "tcp:a..b:1", "xyz:a:1"].sort());
    assert.match(error.message, /refused/i);
    assert.ok(!error.message.includes("secret"));
    return true;
  });
  await assert.rejects(tub.getReference(`pb://${UNKNOWN}@/secret`), /its FURL has no connection hint/);
  assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
});

Deno.test("Tub.getReference() reports that a hint leads to another Tub", async () => {
  await using server = await startTub();
  await using tub = await Tub.create();
  await assert.rejects(tub.getReference(`pb://${UNKNOWN}@${server.listeners[0]!.hint}/x`), (error: Error) => {
    assert.equal(error.name, "NegotiationError");
    assert.ok(error.message.includes(server.listeners[0]!.hint));
    return true;
  });
});
