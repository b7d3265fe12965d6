import assert from "node:assert/strict";
import { DeadReferenceError, Tub, type TubOptions } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { startTub, Target, until } from "./tubs.ts";

/** Stops a Tub whose clock stands still. */
async function stop(tub: Tub, clock: FakeClock): Promise<void> {
  let isStopped = false;
  void tub.stop().then(() => isStopped = true);
  await until(() => (clock.advance(1_000), isStopped), "the Tub has stopped");
}

Deno.test("a Tub pings its peers after 240 seconds of silence, whoever dialled", async () => {
  for (const dialer of ["client", "server"] as const) {
    const clock = new FakeClock();
    const [quiet, other] = [await startTub({ clock }), await startTub()];
    const [from, to] = dialer === "client" ? [quiet, other] : [other, quiet];
    const furl = to.registerReference(new Target());
    const ref = await from.getReference<Target>(furl);
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    const back = dialer === "client" ? ref : await quiet.getReference(other.registerReference(new Target()));
    await until(() => back.getDataLastReceivedAt() === clock.now());
    clock.advance(239_999);
    clock.advance(1);
    // The answer is a sign of life.
    await until(() => back.getDataLastReceivedAt() === clock.now());
    await other.stop();
    await stop(quiet, clock);
    assert.equal(clock.pending, 0);
  }
});

Deno.test("a Tub ends a connection after disconnectTimeoutMs, and its keepalives save a living one", async () => {
  const clock = new FakeClock();
  await using server = await startTub({ keepaliveTimeoutMs: 0 });
  const furl = server.registerReference(new Target());
  const options = { clock, keepaliveTimeoutMs: 1_000, disconnectTimeoutMs: 3_000 };
  const client = await Tub.create(options);
  const ref = await client.getReference<Target>(furl);
  for (let i = 0; i < 5; i++) {
    clock.advance(1_000);
    await until(() => ref.getDataLastReceivedAt() === clock.now());
  }
  // Nothing is read while the clock goes on: so there is no answer.
  const failure = assert.rejects(ref.callRemote("add", 1, 2), (error) => {
    assert.ok(error instanceof DeadReferenceError && error.cause instanceof DeadReferenceError);
    assert.match(error.cause.message, /^connection dropped: no data for \d+ ms$/);
    return true;
  });
  clock.advance(3_100);
  await failure;
  assert.equal(ref.getConnectionInfo()!.connected, false);
  await stop(client, clock);
  assert.equal(clock.pending, 0);
});

for (const off of [0, false] as const) {
  Deno.test(`a Tub with keepaliveTimeoutMs ${off} has no timer for silence`, async () => {
    const clock = new FakeClock();
    await using server = await startTub();
    const client = await Tub.create({ clock, keepaliveTimeoutMs: off, disconnectTimeoutMs: off });
    const ref = await client.getReference<Target>(server.registerReference(new Target()));
    // The watch over the write that was made.
    clock.advance(100_000);
    assert.equal(clock.pending, 0);
    assert.equal(ref.isConnected(), true);
    // When something came is known all the same.
    assert.ok(ref.getDataLastReceivedAt()! <= clock.now());
    await stop(client, clock);
  });
}

Deno.test("a Tub's connection with itself has no keepalive", async () => {
  const clock = new FakeClock();
  const tub = await startTub({ clock, disconnectTimeoutMs: 1_000 });
  const ref = await tub.getReference<Target>(tub.registerReference(new Target()));
  clock.advance(1_000_000);
  assert.equal(clock.pending, 0);
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  await stop(tub, clock);
});

const WRONG: readonly TubOptions[] = [
  { keepaliveTimeoutMs: -1 },
  { keepaliveTimeoutMs: 2 ** 31 },
  { disconnectTimeoutMs: NaN },
  { disconnectTimeoutMs: "60" as never },
  { disconnectTimeoutMs: true as never },
];
for (const options of WRONG) {
  Deno.test(`Tub.create() refuses ${Deno.inspect(options)}`, async () => {
    await assert.rejects(Tub.create(options), {
      name: "RangeError",
      message: new RegExp(`^Cannot create Tub: ${Object.keys(options)[0]} is not a number of milliseconds`),
    });
  });
}
