import assert from "node:assert/strict";
import { listenImplicitTls } from "../../lib/transport/implicit_tls.ts";
import { listenTcp } from "../../lib/transport/tcp.ts";
import type { UpgradableConnection } from "../../lib/transport/transport.ts";
import { type Clock, systemClock } from "../../lib/util/clock.ts";
import { makeIdentity } from "../support/identity.ts";
import { collectGarbage } from "../support/gc.ts";

const identity = await makeIdentity();

/** Whether all of them are collected, in as many rounds as the collector may need. */
async function areCollected(refs: readonly WeakRef<object>[]): Promise<boolean> {
  for (let round = 0; round < 50; round++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    collectGarbage();
    if (refs.every((ref) => ref.deref() === undefined)) return true;
  }
  return false;
}

/** A handshake as server with a client that says nothing, given up. */
async function giveUpHandshake(): Promise<WeakRef<object>> {
  const accepted = Promise.withResolvers<UpgradableConnection>();
  const listener = await listenTcp({ port: 0, address: "127.0.0.1", onConnection: accepted.resolve });
  using _client = await Deno.connect({ hostname: "127.0.0.1", port: listener.port });
  const connection = await accepted.promise;
  const stop = new AbortController();
  const handshake = connection.startTls({ role: "server", identity, signal: stop.signal });
  stop.abort(new RangeError("enough"));
  await assert.rejects(handshake, { name: "NegotiationError" });
  await connection.close();
  await listener.close();
  return new WeakRef(connection);
}

Deno.test({
  name: "startTls() keeps nothing of a handshake that was given up",
  async fn() {
    assert.ok(await areCollected([await giveUpHandshake(), await giveUpHandshake()]));
  },
});

/** A handshake with a client that leaves before it has said anything. What is returned lives as long as the handshake does. */
async function leaveHandshake(): Promise<WeakRef<object>> {
  const timers: WeakRef<object>[] = [];
  const clock: Clock = {
    now: systemClock.now,
    setTimer: (...when) => {
      const timer = systemClock.setTimer(...when);
      timers.push(new WeakRef(timer));
      return timer;
    },
  };
  const failed = Promise.withResolvers<void>();
  const listener = await listenImplicitTls({
    port: 0,
    address: "127.0.0.1",
    cert: identity.certPem,
    key: identity.keyPem,
    handshakeTimeoutMs: 60_000,
    maxHandshakes: 1,
    clock,
    onConnection: () => {},
    onFailure: () => failed.resolve(),
  });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.port });
  client.close();
  await failed.promise;
  await listener.close();
  return timers[0]!;
}

Deno.test({
  name: "listenImplicitTls() keeps nothing of a handshake whose client has left",
  async fn() {
    assert.ok(await areCollected([await leaveHandshake(), await leaveHandshake()]));
  },
});
