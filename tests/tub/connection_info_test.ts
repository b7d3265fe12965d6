import assert from "node:assert/strict";
import {
  type ConnectionInfo,
  DeadReferenceError,
  NegotiationError,
  type RemoteReference,
  Tub,
  UnreachableError,
} from "../../mod.ts";
import { ConnectionRecord } from "../../lib/tub/connection_record.ts";
import { failedStatus } from "../../lib/tub/hint_status.ts";
import { InvalidHintError, RemoteNegotiationError } from "../../lib/errors.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { startTub, Target, until } from "./tubs.ts";

const UNKNOWN = "a".repeat(32);
const AT = 1_700_000_000_000;

Deno.test("ConnectionRecord tells of the making and the end of a connection", () => {
  const statuses = new Map([["hint1", "connecting"]]);
  const info: ConnectionInfo & ConnectionRecord = new ConnectionRecord({
    statuses,
    handlers: new Map([["hint1", "tcp"]]),
  });
  assert.deepEqual([info.connected, info.winningHint, info.establishedAt, info.lostAt], [
    false,
    undefined,
    undefined,
    undefined,
  ]);
  assert.deepEqual(info.listenerStatus, [undefined, undefined]);
  statuses.set("hint1", "successful");
  info.established({ direction: "outbound", address: "tcp:h:1", winningHint: "hint1", at: 10 });
  assert.deepEqual([info.connected, info.winningHint, info.establishedAt], [true, "hint1", 10]);
  assert.equal(info.connectorStatuses.get("hint1"), "successful");
  info.lost(15);
  info.lost(16);
  assert.deepEqual([info.connected, info.establishedAt, info.lostAt], [false, 10, 15]);
});

const refused = (code: string) =>
  new UnreachableError(
    "Cannot connect to tcp:h:1: no",
    new Map([["tcp:h:1", Object.assign(new TypeError("no"), { code })]]),
  );
const STATUSES: readonly [string, string][] = [
  [failedStatus(refused("ECONNREFUSED")), "connection refused"],
  [failedStatus(refused("ENOTFOUND")), "failed to connect: Cannot connect to tcp:h:1: no"],
  [failedStatus(new TypeError("a bug")), "failed to connect: a bug"],
  [failedStatus(new NegotiationError("no certificate")), "negotiation failed: no certificate"],
  [
    failedStatus(
      new RemoteNegotiationError("Cannot negotiate with tcp:h:1", {
        cause: new RemoteNegotiationError("I always fail"),
      }),
    ),
    "negotiation failed: I always fail",
  ],
  [failedStatus(new TypeError("x".repeat(1_000))), `failed to connect: ${"x".repeat(200)}…`],
  [
    failedStatus(new TypeError(`it said pb://${UNKNOWN}@tcp:h:1/topsecret`)),
    `failed to connect: it said pb://${UNKNOWN}@tcp:h:1/`,
  ],
  [failedStatus(new InvalidHintError("no colon")), "bad hint: no colon"],
  [failedStatus(new TypeError("cut off"), true), "negotiation failed: cut off"],
];
for (const [status, expected] of STATUSES) {
  Deno.test(`the status of a hint can be ${expected.slice(0, 60)}`, () => {
    assert.ok(status.startsWith(expected), status);
    assert.ok(!status.includes("topsecret"));
  });
}

Deno.test("ConnectionInfo follows a connection from the dialling to its loss", async () => {
  const clock = new FakeClock(AT);
  const server = await startTub();
  await using client = await Tub.create({ clock });
  const target = new Target();
  const furl = server.registerReference(target);
  const { hint } = server.listeners[0]!;
  assert.equal(client.getConnectionInfoForFURL(furl), undefined);
  const pending = client.getReference<Target>(furl);
  const info = client.getConnectionInfoForFURL(furl)!;
  assert.deepEqual([info.connected, info.direction, info.address], [false, undefined, undefined]);
  assert.deepEqual([...info.connectorStatuses], [[hint, "resolving hint"]]);
  assert.deepEqual([...info.connectionHandlers], [[hint, "tcp"]]);
  clock.advance(5);
  const ref = await pending;
  // It is one and the same, from beginning to end.
  assert.equal(ref.getConnectionInfo(), info);
  assert.equal(client.getConnectionInfoForFURL(furl), info);
  assert.deepEqual(
    [info.connected, info.direction, info.winningHint, info.establishedAt, info.lostAt],
    [true, "outbound", hint, AT + 5, undefined],
  );
  assert.equal(info.address, ref.getPeer());
  assert.deepEqual(info.listenerStatus, [undefined, undefined]);
  assert.deepEqual([...info.connectorStatuses], [[hint, "successful"]]);

  await ref.callRemote("hold", new Target());
  const back = target.held as RemoteReference;
  const other = back.getConnectionInfo()!;
  assert.deepEqual([other.connected, other.direction, other.winningHint], [true, "inbound", undefined]);
  assert.deepEqual(other.listenerStatus, [hint, "successful"]);
  assert.equal(other.connectorStatuses.size, 0);
  assert.equal(back.getPeer(), other.address);
  const before = ref.getDataLastReceivedAt();
  assert.equal(before, AT + 5);
  clock.advance(100);
  await ref.callRemote("add", 1, 2);
  assert.equal(ref.getDataLastReceivedAt(), AT + 105);

  const lost = Promise.withResolvers<void>();
  ref.notifyOnDisconnect(lost.resolve);
  clock.advance(50);
  await server.stop();
  await lost.promise;
  assert.equal(client.getConnectionInfoForFURL(furl), undefined);
  assert.equal(ref.getConnectionInfo(), info);
  assert.deepEqual([info.connected, info.establishedAt, info.lostAt], [false, AT + 5, AT + 155]);
  assert.equal(other.connected, false);
  assert.equal(ref.getPeer(), info.address);
  assert.equal(ref.getDataLastReceivedAt(), AT + 105);
});

Deno.test("ConnectionInfo of a Tub's connection with itself says loopback", async () => {
  await using tub = await startTub();
  const ref = await tub.getReference(tub.registerReference(new Target()));
  const info = ref.getConnectionInfo()!;
  assert.deepEqual([info.connected, info.direction, info.winningHint, info.address], [
    true,
    "loopback",
    "loopback",
    "loopback",
  ]);
  assert.deepEqual([...info.connectorStatuses], [["loopback", "connected"]]);
  assert.equal(info.connectionHandlers.size, 0);
  assert.equal(ref.getPeer(), "loopback");
});

Deno.test("an error of getReference() has the ConnectionInfo of the effort", async () => {
  await using server = await startTub();
  await using tub = await Tub.create();
  const { hint } = server.listeners[0]!;
  const unreachable = await tub.getReference(`pb://${UNKNOWN}@tcp:127.0.0.1:1,junk,tcp:x/y`).catch((e) => e);
  assert.ok(unreachable instanceof UnreachableError);
  assert.deepEqual(Object.fromEntries(unreachable.connectionInfo!.connectorStatuses), {
    "tcp:127.0.0.1:1": "connection refused",
    junk: "bad hint: no colon",
    "tcp:x": "bad hint: unrecognized TCP hint",
  });
  const refusedThere = await tub.getReference(`pb://${UNKNOWN}@${hint}/x`).catch((e) => e);
  assert.ok(refusedThere instanceof NegotiationError);
  assert.match(
    refusedThere.connectionInfo!.connectorStatuses.get(hint)!,
    /^negotiation failed: .*unknown TubID/i,
  );
  assert.equal(refusedThere.connectionInfo!.connected, false);
  const nowhere = await tub.getReference(`pb://${UNKNOWN}@/x`).catch((e) => e);
  assert.equal(nowhere.connectionInfo.connectorStatuses.size, 0);
  assert.equal(new UnreachableError("x").connectionInfo, undefined);
  // It is not printed with each error.
  assert.ok(!Deno.inspect(unreachable).includes("connectorStatuses"));
});

Deno.test("every connection of an effort has a ConnectionInfo of its own", async () => {
  const [a, b] = [await startTub(), await startTub()];
  const furls = [a.registerReference(new Target()), b.registerReference(new Target())] as const;
  // Both dial at once: of the two connections one is replaced or refused.
  const [toB, toA] = await Promise.all([a.getReference<Target>(furls[1]), b.getReference<Target>(furls[0])]);
  assert.equal(toB.getConnectionInfo()!.connected, true);
  assert.equal(toA.getConnectionInfo()!.connected, true);
  assert.equal(a.getConnectionInfoForFURL(furls[1])!.connected, true);
  await b.stop();
  await until(() => !toB.isConnected());
  assert.equal(toB.getConnectionInfo()!.connected, false);
  assert.equal(toA.getConnectionInfo()!.connected, false);
  await assert.rejects(toB.callRemote("add", 1, 2), DeadReferenceError);
  await a.stop();
});
