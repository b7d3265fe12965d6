import assert from "node:assert/strict";
import { callable } from "../../lib/broker/callable.ts";
import { GiftTable } from "../../lib/broker/gifts.ts";
import type { BrokerHost, GiftRequest } from "../../lib/broker/interface.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { RemoteFunction, type RemoteReference } from "../../lib/broker/remote_reference.ts";
import { DeadReferenceError, RemoteException, Violation } from "../../lib/errors.ts";
import { Copyable } from "../../lib/graph/copyable.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { EMPTY, failureOf, Pair, RIGHT, turns, until } from "./support.ts";

const FURL = `pb://${RIGHT}@tcp:h:1/carol`;

class Taker extends Referenceable {
  readonly taken: unknown[] = [];
  remote_take(...args: unknown[]) {
    this.taken.push(...args);
  }
  remote_echo(value: unknown) {
    return value;
  }
}

/** Alice holds a reference to Carol, on one connection, and one to Bob, on another. */
async function withThree(
  run: (
    three: {
      carol: RemoteReference;
      bob: RemoteReference;
      taker: Taker;
      toCarol: Pair;
      toBob: Pair;
      /** What Bob gets when he fetches a gift. */
      fetched: RemoteReference;
    },
  ) => Promise<void>,
): Promise<void> {
  const object = new Taker();
  await using toCarol = new Pair({ prepare: (_left, right) => void right.furls.set(object, FURL) });
  await using toBob = new Pair();
  await using bobToCarol = new Pair();
  const taker = new Taker();
  const carol = await toCarol.refTo(object) as unknown as RemoteReference;
  const bob = await toBob.refTo(taker) as unknown as RemoteReference;
  const fetched = await bobToCarol.refTo(new Taker()) as unknown as RemoteReference;
  toBob.right.host.acquire = (furl) => {
    toBob.right.host.acquired.push(furl);
    return Promise.resolve(fetched);
  };
  await run({ carol, bob, taker, toCarol, toBob, fetched });
}

Deno.test("a third Tub's object travels as a gift, and is acknowledged", () =>
  withThree(async ({ carol, bob, taker, toBob, fetched }) => {
    await bob.callRemote("take", carol, [carol, { again: carol }]);
    assert.equal(taker.taken[0], fetched);
    assert.deepEqual(taker.taken[1], [fetched, Object.assign(Object.create(null), { again: fetched })]);
    assert.deepEqual(toBob.right.host.acquired, [FURL, FURL, FURL]);
    await until(() => toBob.left.broker.tables().givenGifts === 0, "acknowledged");
    assert.equal(toBob.right.broker.tables().pendingGifts, 0);
  }));

Deno.test("a gift in an answer is waited for", () =>
  withThree(async ({ carol, toBob }) => {
    class Giver extends Referenceable {
      remote_give() {
        return [carol];
      }
      remote_carol() {
        return carol;
      }
    }
    const giver = new Giver();
    toBob.left.host.names.set("giver", giver);
    const ref = (await toBob.right.broker.getReferenceByName("giver")) as RemoteReference;
    const gate = Promise.withResolvers<void>();
    const acquire = toBob.right.host.acquire;
    toBob.right.host.acquire = async (furl) => (await gate.promise, await acquire(furl));
    const calls = [ref.callRemote("give"), ref.callRemote("carol")];
    await until(() => toBob.right.broker.tables().pendingGifts === 2, "both are being fetched");
    gate.resolve();
    const [list, alone] = await Promise.all(calls);
    assert.deepEqual(list, [alone]);
    toBob.right.host.acquire = () => Promise.reject(new DeadReferenceError("Carol is gone"));
    assert.match((await failureOf(ref.callRemote("give"))).message, /Carol is gone/);
    await until(() => toBob.left.broker.tables().givenGifts === 0, "also acknowledged");
  }));

Deno.test("a gift that cannot be fetched fails the call, and calls behind it go on in order", () =>
  withThree(async ({ carol, bob, taker, toBob }) => {
    const gate = Promise.withResolvers<RemoteReference>();
    toBob.right.host.acquire = () => gate.promise;
    const first = bob.callRemote("take", carol);
    const second = bob.callRemote("take", 2);
    const failure = failureOf(first);
    await turns();
    assert.deepEqual(taker.taken, [], "a gift holds up the calls behind it");
    gate.reject(new DeadReferenceError("cannot reach pb://x@y/secret"));
    const error = await failure;
    assert.ok(error instanceof RemoteException);
    assert.equal(error.remoteType, "foolscap.ipb.DeadReferenceError");
    assert.ok(!error.message.includes("secret"));
    await second;
    assert.deepEqual(taker.taken, [2]);
    await until(() => toBob.left.broker.tables().givenGifts === 0, "acknowledged");
  }));

Deno.test("an object can be asked for by its name while a call waits for a gift, and calls behind that keep waiting", () =>
  withThree(async ({ carol, bob, taker, toBob, fetched }) => {
    const gift = Promise.withResolvers<RemoteReference>();
    toBob.right.host.acquire = () => gift.promise;
    toBob.right.host.names.set("other", new Taker());
    const taken = bob.callRemote("take", carol);
    // One that came with the call that waits, and one that comes when that waits already.
    const early = toBob.left.broker.getReferenceByName("other");
    let isEchoed = false;
    const echoed = bob.callRemote("echo", 5).then((value) => {
      isEchoed = true;
      return value;
    });
    assert.equal(await toBob.left.broker.getReferenceByName("other"), await early);
    assert.equal(taker.taken.length, 0);
    assert.equal(isEchoed, false);
    // One that is given up before its turn leaves the others where they are.
    const stop = new AbortController();
    const late = toBob.left.broker.getReferenceByName("other", { signal: stop.signal });
    stop.abort(new RangeError("no longer"));
    assert.ok(await failureOf(late) instanceof RangeError);
    gift.resolve(fetched);
    await taken;
    assert.equal(await echoed, 5);
    assert.equal(taker.taken[0], fetched);
    await until(() => toBob.right.broker.tables().activeCalls === 0, "nothing is left");
  }));

Deno.test("a fetch that throws at once fails the call alone", () =>
  withThree(async ({ carol, bob, toBob }) => {
    toBob.right.host.acquire = () => {
      throw new Violation("gifts are prohibited in this Tub");
    };
    assert.match((await failureOf(bob.callRemote("take", carol))).message, /prohibited/);
    assert.equal(await bob.callRemote("echo", 1), 1);
    assert.equal(toBob.right.broker.tables().pendingGifts, 0);
  }));

Deno.test("a gift is held until it is acknowledged, though its reference is disposed", () =>
  withThree(async ({ carol, bob, toCarol, toBob, fetched }) => {
    const gate = Promise.withResolvers<RemoteReference>();
    toBob.right.host.acquire = () => gate.promise;
    const call = bob.callRemote("take", carol);
    carol[Symbol.dispose]();
    await turns();
    assert.equal(toCarol.right.broker.tables().exported, 1);
    assert.match((await failureOf(bob.callRemote("take", carol))).message, /released/);
    gate.resolve(fetched);
    await call;
    await until(() => toCarol.right.broker.tables().exported === 0, "given back");
  }));

Deno.test("a gift in a message that is not sent is taken back", () =>
  withThree(async ({ carol, bob, toBob }) => {
    assert.ok((await failureOf(bob.callRemote("take", carol, Symbol("no")))) instanceof Violation);
    assert.equal(toBob.left.broker.tables().givenGifts, 0);
    class Box extends Copyable {
      static override copytype = "test/Box";
      inside: unknown = [carol];
    }
    const error = await failureOf(bob.callRemote("take", new Box()));
    assert.match(error.message, /inside a Copyable/);
    assert.equal((error as Violation).where, "arguments[0].inside[0]");
    assert.equal(await bob.callRemote("echo", 1), 1);
  }));

Deno.test("an object whose Tub has no location cannot be given away", () =>
  withThree(async ({ bob, fetched }) => {
    assert.match((await failureOf(bob.callRemote("take", fetched))).message, /no FURL/);
  }));

Deno.test("a connection that is lost while gifts are fetched leaves nothing", () =>
  withThree(async ({ carol, bob, toBob, toCarol }) => {
    const gate = Promise.withResolvers<RemoteReference>();
    toBob.right.host.acquire = () => gate.promise;
    const call = failureOf(bob.callRemote("take", carol));
    await until(() => toBob.right.broker.tables().pendingGifts === 1, "being fetched");
    toBob.left.connection.drop();
    assert.ok((await call) instanceof DeadReferenceError);
    await until(() => toBob.right.broker.ended !== undefined, "lost");
    assert.deepEqual(toBob.left.broker.tables(), EMPTY);
    assert.deepEqual(toBob.right.broker.tables(), EMPTY);
    gate.reject(new DeadReferenceError("too late"));
    await turns();
    assert.deepEqual(toBob.right.broker.tables(), EMPTY);
    carol[Symbol.dispose]();
    await until(() => toCarol.right.broker.tables().exported === 0, "the gift no longer holds it");
  }));

Deno.test("an interceptor that refuses everything does not keep a gift from being delivered", () =>
  withThree(async ({ carol, bob, taker, toBob }) => {
    toBob.right.host.interceptOutbound = () => {
      throw new Violation("nothing leaves");
    };
    await bob.callRemote("take", carol);
    assert.equal(taker.taken.length, 1);
  }));

Deno.test("more gifts than are fetched at once wait for their turn, and all arrive in their places", () =>
  withThree(async ({ carol, bob, taker, toBob, fetched }) => {
    let running = 0, most = 0, count = 0, fails = true;
    toBob.right.host.acquire = async () => {
      most = Math.max(most, ++running);
      await turns(1);
      running--;
      if (++count % 500 === 0 && fails) throw new DeadReferenceError("one of many");
      return fetched;
    };
    const many = Array.from({ length: 2_500 }, () => carol);
    assert.match((await failureOf(bob.callRemote("take", many))).message, /one of many/);
    await until(() => toBob.right.broker.tables().pendingGifts === 0, "the others have come too");
    assert.deepEqual([most, count], [1_000, 2_500]);
    fails = false;
    await bob.callRemote("take", many);
    assert.equal((taker.taken[0] as unknown[]).filter((ref) => ref === fetched).length, 2_500);
    await until(() => toBob.left.broker.tables().givenGifts === 0, "acknowledged");
  }));

Deno.test("gifts that take more memory than a message may end the connection", async () => {
  const object = new Taker();
  await using toCarol = new Pair({ prepare: (_left, right) => void right.furls.set(object, FURL) });
  await using toBob = new Pair({ limits: { maxMessageBytes: 1_000_000 } });
  const carol = await toCarol.refTo(object) as unknown as RemoteReference;
  const bob = await toBob.refTo(new Taker()) as unknown as RemoteReference;
  toBob.right.host.acquire = () => new Promise(() => {});
  const calls = Array.from(
    { length: 3 },
    () => failureOf(bob.callRemote("take", Array.from({ length: 400 }, () => carol))),
  );
  for (const error of await Promise.all(calls)) assert.ok(error instanceof DeadReferenceError);
  assert.deepEqual(toBob.right.broker.tables(), EMPTY);
});

Deno.test("a gift that waits for its turn has no more time than those before it, and is then not begun", async () => {
  const clock = new FakeClock();
  const object = new Taker();
  await using toCarol = new Pair({ prepare: (_left, right) => void right.furls.set(object, FURL) });
  await using toBob = new Pair({ clock, limits: { maxGiftMs: 5_000, maxPendingGifts: 2 } });
  const taker = new Taker();
  const carol = await toCarol.refTo(object) as unknown as RemoteReference;
  const bob = await toBob.refTo(taker) as unknown as RemoteReference;
  let begun = 0;
  toBob.right.host.acquire = () => (begun++, new Promise(() => {}));
  const failed = failureOf(bob.callRemote("take", [carol, carol, carol, carol]));
  await until(() => toBob.right.broker.tables().pendingGifts === 4, "all wait");
  clock.advance(5_000);
  assert.match((await failed).message, /did not give it within 5000 ms/);
  assert.deepEqual([begun, toBob.right.broker.tables().pendingGifts], [2, 0]);
  await until(() => toBob.left.broker.tables().givenGifts === 0, "acknowledged");
  const lost = failureOf(bob.callRemote("take", [carol, carol, carol]));
  await until(() => begun === 4, "two are being fetched");
  await toBob[Symbol.asyncDispose]();
  assert.ok(await lost instanceof DeadReferenceError);
  assert.deepEqual([begun, clock.pending], [4, 0]);
});

Deno.test("a gift that does not come in time fails its call alone, is acknowledged, and its effort is given up", async () => {
  const clock = new FakeClock();
  const object = new Taker();
  await using toCarol = new Pair({ prepare: (_left, right) => void right.furls.set(object, FURL) });
  await using toBob = new Pair({ clock, limits: { maxGiftMs: 5_000 } });
  const taker = new Taker();
  const carol = await toCarol.refTo(object) as unknown as RemoteReference;
  const bob = await toBob.refTo(taker) as unknown as RemoteReference;
  let given: GiftRequest | undefined;
  (toBob.right.host as { acquire: BrokerHost["acquire"] }).acquire = (_furl, request) => {
    given = request;
    return new Promise(() => {});
  };
  const failed = failureOf(bob.callRemote("take", [carol]));
  const after = bob.callRemote("take", "after");
  await until(() => toBob.right.broker.tables().pendingGifts === 1, "it is being fetched");
  assert.equal(given!.from, toBob.right.broker.peer.tubId);
  clock.advance(4_999);
  await turns();
  assert.deepEqual(taker.taken, []);
  assert.equal(given!.signal.aborted, false);
  clock.advance(1);
  const error = await failed as RemoteException;
  assert.equal(error.remoteType, "javascript.UnreachableError");
  assert.match(error.message, /did not give it within 5000 ms/);
  await after;
  assert.deepEqual(taker.taken, ["after"]);
  assert.equal(given!.signal.aborted, true);
  await until(() => toBob.left.broker.tables().givenGifts === 0, "acknowledged");
  assert.equal(toBob.right.broker.tables().pendingGifts, 0);
});

Deno.test("a gift that comes, or whose giver goes, leaves no timer behind", async () => {
  const clock = new FakeClock();
  const object = new Taker();
  await using toCarol = new Pair({ prepare: (_left, right) => void right.furls.set(object, FURL) });
  await using toBob = new Pair({ clock });
  const carol = await toCarol.refTo(object) as unknown as RemoteReference;
  const bob = await toBob.refTo(new Taker()) as unknown as RemoteReference;
  toBob.right.host.acquire = () => Promise.resolve(carol);
  const before = clock.pending;
  await bob.callRemote("take", carol);
  await until(() => clock.pending === before, "the timers are gone");
  toBob.right.host.acquire = () => new Promise(() => {});
  const lost = failureOf(bob.callRemote("take", carol));
  await until(() => toBob.right.broker.tables().pendingGifts === 1, "it is being fetched");
  await toBob[Symbol.asyncDispose]();
  assert.ok(await lost instanceof DeadReferenceError);
  assert.equal(clock.pending, 0);
});

Deno.test("GiftTable lets go of what nobody acknowledges, each in its time", async () => {
  const object = new Taker();
  const others = [new Taker(), new Taker()];
  await using pair = new Pair({
    prepare: (_left, right) => [object, ...others].forEach((one) => right.furls.set(one, FURL)),
  });
  const [one, two] = [await pair.refTo(object), await pair.refTo(others[0]!, "b")];
  const clock = new FakeClock();
  const table = new GiftTable({ max: 2, holdMs: 1_000, clock });
  const first = table.give(one);
  clock.advance(600);
  const second = table.give(two);
  assert.throws(() => table.give({} as unknown as typeof one), TypeError);
  clock.advance(399);
  assert.equal(table.give(one), first);
  // Given again, the first one has its time anew.
  clock.advance(601);
  assert.equal(table.size, 1);
  table.decgift(second, 1);
  assert.equal(table.size, 1);
  clock.advance(399);
  assert.equal(table.size, 0);
  assert.equal(clock.pending, 0);
  assert.notEqual(table.give(one), first);
  table.decgift(first + 2, 1);
  assert.equal(clock.pending, 0);
  table.give(one);
  table.clear();
  assert.equal(clock.pending, 0);
});

Deno.test("a function of a third Tub is a gift where it has a FURL", async () => {
  const f = callable((a: number) => a + 1);
  await using toCarol = new Pair({ prepare: (_left, right) => void right.furls.set(f, FURL) });
  await using toBob = new Pair();
  const carol = await toCarol.left.broker.getReferenceByName(
    (toCarol.right.host.names.set("f", f), "f"),
  ) as RemoteFunction<(a: number) => number>;
  assert.ok(carol instanceof RemoteFunction);
  assert.equal(await carol.callRemote(1), 2);
  assert.equal(carol.getSturdyRef().getURL(), FURL);
  const taker = new Taker();
  const bob = await toBob.refTo(taker) as unknown as RemoteReference;
  toBob.right.host.acquire = () => Promise.resolve(carol);
  await bob.callRemote("take", carol);
  assert.equal(taker.taken[0], carol);
  const hidden = callable(() => 1);
  toCarol.right.host.names.set("hidden", hidden);
  const nameless = await toCarol.left.broker.getReferenceByName("hidden");
  assert.match((await failureOf(bob.callRemote("take", nameless))).message, /no FURL/);
});
