import assert from "node:assert/strict";
import {
  DeadReferenceError,
  type GiftOffer,
  RemoteException,
  type RemoteReference,
  type TraceEvent,
  Tub,
  type TubOptions,
  Violation,
} from "../../mod.ts";
import { startTub, Target, until } from "./tubs.ts";

/** Gives a Tub of these options an object of a third Tub, and tells what came of it. */
async function give(
  options: TubOptions,
  use: (scene: {
    /** Gives the object; resolves with what the recipient holds then. */
    give: () => Promise<unknown>;
    giver: Tub;
    owner: Tub;
    recipient: Tub;
    events: TraceEvent[];
  }) => Promise<void>,
  ownerHints: (hint: string) => string[] = (hint) => [hint],
): Promise<void> {
  const events: TraceEvent[] = [];
  await using owner = await Tub.create();
  const { hint } = await owner.listenOn("tcp:0:interface=127.0.0.1");
  owner.setLocation(...ownerHints(hint));
  await using giver = await startTub();
  await using recipient = await startTub({ ...options, trace: (event) => void events.push(event) });
  const target = new Target();
  const object = await giver.getReference(
    `${owner.registerReference(new Target(), "o").replace(/@.*\//, `@${hint}/`)}`,
  );
  const ref = await giver.getReference<Target>(recipient.registerReference(target));
  await use({
    give: async () => (await ref.callRemote("hold", object), target.held),
    giver,
    owner,
    recipient,
    events,
  });
  await until(() => giver.debug.tables().givenGifts === 0, "the gift is acknowledged");
}

Deno.test("giftPolicy is shown the giver, the Tub and its hints, and no name", async () => {
  const offers: GiftOffer[] = [];
  await give({ giftPolicy: (offer) => (offers.push(offer), true) }, async ({ give, giver, owner }) => {
    assert.ok(await give() !== undefined);
    await give();
    const [first, second] = offers;
    assert.equal(first!.from, giver.tubId);
    assert.equal(first!.tubId, owner.tubId);
    assert.deepEqual(first!.hints.map(({ text }) => text), owner.locationHints);
    assert.deepEqual(offers.map(({ isConnected }) => isConnected), [false, true]);
    assert.deepEqual(Object.keys(second!), ["from", "tubId", "hints", "isConnected"]);
    assert.ok(Object.isFrozen(first) && Object.isFrozen(first!.hints));
  });
});

const REFUSALS: readonly (readonly [string, NonNullable<TubOptions["giftPolicy"]>, isTraced: boolean])[] = [
  ["says no", () => false, false],
  ["says no later", () => Promise.resolve(false), false],
  ["throws", () => {
    throw new RangeError("broken");
  }, true],
  ["rejects", () => Promise.reject(new RangeError("broken")), true],
  ["answers with something else", () => undefined as unknown as boolean, true],
  ["answers with a list of something else", () => [1] as unknown as string[], true],
];
for (const [name, giftPolicy, isTraced] of REFUSALS) {
  Deno.test(`giftPolicy refuses a gift when it ${name}`, () =>
    give({ giftPolicy }, async ({ give, recipient, events }) => {
      const error = await give().then(() => undefined, (error) => error);
      assert.ok(error instanceof RemoteException);
      assert.equal(error.remoteType, "foolscap.tokens.Violation");
      assert.match(error.message, /^this gift is prohibited in this Tub/);
      assert.equal(recipient.debug.tables().connections, 1);
      const traced = events.some((event) => event.type === "callback-failed" && event.where === "giftPolicy");
      assert.equal(traced, isTraced);
    }));
}

Deno.test("giftPolicy says which hints are dialled: some of the offered ones, or others", () => {
  let right = "";
  const wrong = "tcp:127.0.0.1:1";
  return give({ giftPolicy: () => [right] }, async ({ give, recipient, owner, events }) => {
    right = owner.listeners[0]!.hint;
    assert.ok(await give() !== undefined);
    assert.equal(recipient.getConnectionInfoForFURL(`pb://${owner.tubId}@/x`)?.winningHint, right);
    assert.ok(!JSON.stringify(events).includes("127.0.0.1:1/"));
  }, () => [wrong, "tcp:127.0.0.1:2"]);
});

Deno.test("giftPolicy is not needed to keep peers from ways into this machine: unix hints are not tried", () =>
  give({}, async ({ give, recipient }) => {
    const error = await give().then(() => undefined, (error) => error);
    assert.ok(error instanceof RemoteException);
    assert.match(error.message, /^Cannot fetch a gift: no hint/);
    assert.equal(recipient.debug.tables().connecting, 0);
  }, () => ["unix:path", "mine:own:type"]));

Deno.test("giftPolicy that never answers costs the call no more than limits.maxGiftMs", () =>
  give(
    { giftPolicy: () => new Promise(() => {}), limits: { maxGiftMs: 50 } },
    ({ give }) => assert.rejects(give(), /did not give it within 50 ms/),
  ));

Deno.test("Tub.create() refuses a giftPolicy that is no function", () =>
  assert.rejects(Tub.create({ giftPolicy: true as unknown as () => boolean }), TypeError));

Deno.test("Tub.unserialize() asks giftPolicy, without a giver, and obeys acceptGifts", async () => {
  await using owner = await startTub();
  const furl = owner.registerReference(new Target());
  await using writer = await startTub();
  const own = new Target(); // has a name for as long as somebody holds it
  const bytes = writer.serialize([await writer.getReference(furl), { own }]);
  const offers: GiftOffer[] = [];
  await using reader = await startTub({ giftPolicy: (offer) => (offers.push(offer), true) });
  const [ref] = await reader.unserialize(bytes) as [RemoteReference<Target>];
  assert.equal(await ref.callRemote("add", 1, 2), 3);
  assert.deepEqual(offers.map(({ from, tubId }) => [from, tubId]), [
    [undefined, owner.tubId],
    [undefined, writer.tubId],
  ]);
  assert.equal(writer.getReferenceForURL(writer.getOrCreateURLForReference(own)!), own);
  await using none = await startTub({ acceptGifts: false });
  await assert.rejects(none.unserialize(bytes), Violation);
  assert.deepEqual(await none.unserialize(none.serialize([1, "x"])), [1, "x"]);
});

Deno.test("Tub.stop() ends a Tub.unserialize() that waits, for its giftPolicy too", async () => {
  await using writer = await startTub();
  const bytes = writer.serialize([new Target()]);
  const asked = Promise.withResolvers<void>();
  const reader = await startTub({ giftPolicy: () => (asked.resolve(), new Promise(() => {})) });
  const failed = assert.rejects(reader.unserialize(bytes), DeadReferenceError);
  await asked.promise;
  await reader.stop();
  await failed;
});

Deno.test("Tub.serialize() refuses what cannot be found again, and Tub.unserialize() what is no value", async () => {
  await using hidden = await Tub.create();
  assert.throws(() => hidden.serialize([new Target()]), (error) => {
    assert.ok(error instanceof Violation);
    assert.equal(error.where, "[0]");
    assert.match(error.message, /no FURL/);
    return true;
  });
  const whole = hidden.serialize([1, 2, 3]);
  await assert.rejects(hidden.unserialize(whole.subarray(0, -1)), { name: "ProtocolError" });
  await using tub = await startTub();
  const lost = tub.serialize([new Target()]);
  await tub.stop();
  await assert.rejects(hidden.unserialize(lost), { name: "UnreachableError" });
  await until(() => hidden.debug.tables().connecting === 0);
});

Deno.test("Tub looks at no hint of a FURL whose Tub it is connected with", async () => {
  await using owner = await startTub();
  await using tub = await Tub.create();
  const furl = owner.registerReference(new Target(), "target");
  const ref = await tub.getReference<Target>(furl);
  for (const hints of ["", "tcp:127.0.0.1:1", "nonsense", "unix:x,mine:y"]) {
    assert.equal(await tub.getReference(`pb://${owner.tubId}@${hints}/target`), ref, hints);
  }
  assert.equal(tub.debug.tables().connections, 1);
});

Deno.test("Tub.getReference() by a FURL without hints fails with a NoLocationHintsError", async () => {
  await using tub = await Tub.create();
  await assert.rejects(tub.getReference(`pb://${"b".repeat(32)}@/x`), { name: "NoLocationHintsError" });
});
