import assert from "node:assert/strict";
import { Tracker } from "../../lib/broker/import_table.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { DeadReferenceError, RemoteException, Violation } from "../../lib/errors.ts";
import { kwargs } from "../../lib/values/kwargs.ts";
import { failureOf, LEFT, Pair, RawPeer, RIGHT, turns, until } from "./support.ts";
import { collectGarbage } from "../support/gc.ts";

class Keeper extends Referenceable {
  kept: unknown = null;
  readonly thing = new Referenceable();
  remote_keep(value: unknown) {
    this.kept = value;
  }
  remote_thing() {
    return this.thing;
  }
  remote_same(a: unknown, b: unknown) {
    return a === b;
  }
  remote_isThing(value: unknown) {
    return value === this.thing;
  }
  remote_wait() {
    return new Promise<null>((resolve) => this.finish = () => resolve(null));
  }
  finish = () => {};
}

async function withKeeper(
  run: (ref: RemoteReference, keeper: Keeper, pair: Pair) => Promise<void>,
): Promise<void> {
  await using pair = new Pair();
  const keeper = new Keeper();
  await run(await pair.refTo(keeper) as unknown as RemoteReference, keeper, pair);
}

const thingOf = async (ref: RemoteReference) => await ref.callRemote("thing") as RemoteReference;

/** Collects garbage until something is so. */
async function collected(isSo: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 200 && !isSo(); i++) {
    collectGarbage();
    await turns(2);
  }
  assert.ok(isSo(), what);
}

Deno.test("the same object is the same RemoteReference each time, and comes home as itself", () =>
  withKeeper(async (ref, keeper, pair) => {
    const a = await thingOf(ref), b = await thingOf(ref);
    assert.equal(a, b);
    assert.equal(await ref.callRemote("isThing", a), true);
    assert.equal(await ref.callRemote("same", a, b), true);
    const mine = new Referenceable();
    await ref.callRemote("keep", [mine, mine]);
    const [far, again] = keeper.kept as RemoteReference[];
    assert.equal(far, again);
    assert.equal(pair.left.broker.tables().exported, 1);
    assert.equal(a.getRemoteTubID(), RIGHT);
    assert.equal(far!.getRemoteTubID(), LEFT);
  }));

Deno.test("Symbol.dispose gives an object back, with all its arrivals, and the next arrival makes a new one", () =>
  withKeeper(async (ref, _keeper, pair) => {
    const thing = await thingOf(ref);
    await thingOf(ref);
    assert.equal(pair.right.broker.tables().exported, 2);
    thing[Symbol.dispose]();
    thing[Symbol.dispose]();
    assert.equal(thing.isConnected(), false);
    const error = await failureOf(thing.callRemote("x"));
    assert.ok(error instanceof DeadReferenceError);
    assert.match(error.message, /released/);
    assert.throws(() => thing.dup(), DeadReferenceError);
    assert.match((await failureOf(ref.callRemote("keep", thing))).message, /released/);
    await until(() => pair.right.broker.tables().exported === 1, "the object is given back");
    await until(() => pair.left.broker.tables().imported === 1, "the tracker is forgotten");
    const next = await thingOf(ref);
    assert.notEqual(next, thing);
    assert.ok(next.isConnected());
    assert.equal(await ref.callRemote("isThing", next), true);
  }));

Deno.test("dup() makes a handle that is disposed by itself", () =>
  withKeeper(async (ref, _keeper, pair) => {
    const thing = await thingOf(ref);
    const dup = thing.dup();
    assert.notEqual(dup, thing);
    thing[Symbol.dispose]();
    await turns();
    assert.equal(pair.right.broker.tables().exported, 2);
    assert.equal(await ref.callRemote("isThing", dup), true);
    dup[Symbol.dispose]();
    await until(() => pair.right.broker.tables().exported === 1, "the last handle gives it back");
  }));

Deno.test("disposing a dup leaves the others alone", () =>
  withKeeper(async (ref, _keeper, pair) => {
    const thing = await thingOf(ref);
    thing.dup()[Symbol.dispose]();
    await turns();
    assert.equal(pair.right.broker.tables().exported, 2);
    assert.equal(await thingOf(ref), thing);
  }));

Deno.test("Symbol.dispose with calls in flight gives the object back after their answers", () =>
  withKeeper(async (ref, keeper, pair) => {
    const call = ref.callRemote("wait");
    await turns();
    ref[Symbol.dispose]();
    await turns();
    assert.equal(pair.right.broker.tables().exported, 1);
    keeper.finish();
    assert.equal(await call, null);
    await until(() => pair.right.broker.tables().exported === 0, "it is given back");
  }));

Deno.test("Symbol.dispose right after a call that names the object does not hurt the call", () =>
  withKeeper(async (ref) => {
    const thing = await thingOf(ref);
    const call = ref.callRemote("isThing", thing);
    thing[Symbol.dispose]();
    assert.equal(await call, true);
  }));

Deno.test("a reference that nobody holds is given back when it is collected", () =>
  withKeeper(async (ref, _keeper, pair) => {
    await (async () => void await thingOf(ref))();
    assert.equal(pair.right.broker.tables().exported, 2);
    await collected(() => pair.right.broker.tables().exported === 1, "collected and given back");
    await collected(() => pair.left.broker.tables().imported === 1, "forgotten");
  }));

Deno.test("the references of an answer that nobody waits for are counted and given back", () =>
  withKeeper(async (ref, keeper, pair) => {
    class Slow extends Referenceable {
      go = () => {};
      remote_thing() {
        return new Promise((resolve) => this.go = () => resolve(keeper.thing));
      }
    }
    const slow = new Slow();
    const slowRef = await pair.refTo(slow, "slow") as unknown as RemoteReference;
    const controller = new AbortController();
    const call = failureOf(slowRef.with({ signal: controller.signal }).callRemote("thing"));
    await turns();
    controller.abort();
    await call;
    slow.go();
    await until(() => pair.right.broker.tables().exported === 3, "the late answer was sent");
    await collected(() => pair.right.broker.tables().exported === 2, "given back");
    assert.ok(ref.isConnected() && slowRef.isConnected());
  }));

Deno.test("many references that come and go leave nothing behind", () =>
  withKeeper(async (_ref, _keeper, pair) => {
    class Maker extends Referenceable {
      remote_make(n: number) {
        return Array.from({ length: n }, () => new Referenceable());
      }
    }
    const maker = await pair.refTo(new Maker(), "maker") as unknown as RemoteReference;
    // In a function of its own: a frame that waits would go on holding the last of them.
    const makeSome = async (disposes: boolean) => {
      const made = await maker.callRemote("make", 50) as RemoteReference[];
      if (disposes) { for (const each of made) each[Symbol.dispose](); }
    };
    for (let i = 0; i < 10; i++) await makeSome(i % 2 === 0);
    await collected(() => pair.right.broker.tables().exported <= 2, "all given back");
    await collected(() => pair.left.broker.tables().imported <= 2, "all forgotten");
  }));

// What a peer says by hand. Object 1 is the target; OPEN numbers are the peer's own count.
const LONG = (open: string, clid: string) => `${open}880f87${clid}81 0082 ${open}89`;
const SHORT = (open: string, clid: string) => `${open}880f87${clid}81${open}89`;
const NONE = (open: string) => `${open}880087${open}89`;
const answer = (open: string, request: string, value: string) => `${open}880d87${request}81${value}${open}89`;

/** Asks the peer for its object, which it answers with the reference given. */
async function ask(peer: RawPeer, reply: string): Promise<RemoteReference> {
  const asked = peer.broker.getReferenceByName("x");
  await peer.receive(1);
  await peer.send(reply);
  return await asked as RemoteReference;
}

Deno.test("a reference that comes again, short, while its decref is on the way is kept with what is known of it", async () => {
  await using peer = new RawPeer();
  const first = await ask(peer, answer("00", "01", `01880f870581 0482 52494e67 0189`));
  assert.equal(first.getInterfaceName(), "RINg");
  first[Symbol.dispose]();
  const decref = await peer.receive(20);
  assert.match(decref, /82646563726566/, "decref");
  // Before the peer has seen it, it sends the object again.
  const second = await ask(peer, answer("02", "03", SHORT("03", "05")));
  assert.notEqual(second, first);
  assert.equal(second.getInterfaceName(), "RINg");
  await peer.send(answer("04", "02", NONE("05")));
  await turns();
  assert.equal(peer.broker.ended, undefined);
  assert.equal(peer.broker.tables().imported, 1);
});

Deno.test("two decrefs of one object on the way at once do not lose the reference that comes between", async () => {
  await using peer = new RawPeer();
  const first = await ask(peer, answer("00", "01", LONG("01", "05")));
  first[Symbol.dispose](); // call 2
  await peer.receive(20);
  const second = await ask(peer, answer("02", "03", SHORT("03", "05")));
  second[Symbol.dispose](); // call 4
  await peer.receive(20);
  await peer.send(answer("04", "02", NONE("05"))); // the answer to the first decref
  await turns();
  assert.equal(peer.broker.tables().imported, 1, "the second has not been answered");
  const third = await ask(peer, answer("06", "05", SHORT("07", "05")));
  await peer.send(answer("08", "04", NONE("09"))); // to the second
  await turns();
  assert.equal(peer.broker.tables().imported, 1, "the third is held");
  const fourth = await ask(peer, answer("0a", "06", SHORT("0b", "05")));
  assert.equal(fourth, third);
});

Deno.test("a reference whose long form comes again keeps what the peer said first", async () => {
  await using peer = new RawPeer();
  const furl = (name: string) => {
    const bytes = new TextEncoder().encode(`pb://${RIGHT}@tcp:h:1/${name}`);
    return `${bytes.length.toString(16)}82${bytes.toHex()}`;
  };
  const first = await ask(peer, answer("00", "01", `01880f8705810082${furl("a")}0189`));
  const again = await ask(peer, answer("02", "02", `03880f8705810082${furl("b")}0389`));
  assert.equal(again, first);
  assert.equal(first.getSturdyRef().name, "a");
  assert.deepEqual(first.getLocationHints(), ["tcp:h:1"]);
  const shown = Deno.inspect(first);
  assert.ok(!shown.includes("/a"), shown);
});

const WRONG_FURLS = [`pb://${LEFT}@tcp:h:1/a`, "nonsense", "", `pb://${"l".repeat(31)}@/`];
for (const furl of WRONG_FURLS) {
  Deno.test(`an object of the peer with the FURL ${JSON.stringify(furl)} ends the connection`, async () => {
    await using peer = new RawPeer();
    const bytes = new TextEncoder().encode(furl);
    const size = bytes.length.toString(16).padStart(2, "0");
    const asked = failureOf(peer.broker.getReferenceByName("x"));
    await peer.receive(1);
    await peer.send(answer("00", "01", `01880f8705810082${size}82${bytes.toHex()}0189`));
    assert.ok((await asked) instanceof DeadReferenceError);
    await peer.closed();
  });
}

Deno.test("the FURL that a peer without a proved TubID tells is not believed", async () => {
  await using peer = new RawPeer({ tubIds: [LEFT, undefined] });
  const bytes = new TextEncoder().encode(`pb://${RIGHT}@tcp:h:1/a`);
  const ref = await ask(
    peer,
    answer("00", "01", `01880f8705810082${bytes.length.toString(16)}82${bytes.toHex()}0189`),
  );
  assert.equal(ref.getSturdyRef().url, undefined);
  assert.deepEqual(ref.getLocationHints(), []);
  assert.equal(ref.getRemoteTubID(), undefined);
});

Deno.test("my-reference of a number above 2^31 is used as it is", async () => {
  await using peer = new RawPeer();
  const ref = await ask(peer, answer("00", "01", "01880f87 0000000008 81 0082 0189"));
  void ref.callRemote("m").catch(() => {});
  const call = await peer.receive(5);
  assert.ok(call.includes("000000000881"), call);
});

Deno.test("give-backs of the wrong count fail as Python's do, and change nothing", async () => {
  await using pair = new Pair();
  const ref = await pair.refTo(new Keeper());
  const asked = (clid: number, count: number) => rawDecref(pair, clid, count);
  assert.equal(await asked(99, 1), null);
  assert.equal(await asked(1, 0), null);
  for (
    const [clid, count, message] of [[1, 5, "decref(5) but refcount was 1"], [
      1,
      -1,
      "decref(-1) but refcount was 1",
    ]] as const
  ) {
    const error = await failureOf(asked(clid, count));
    assert.ok(error instanceof RemoteException);
    assert.equal(error.message, message);
    assert.equal(error.check("builtins.AssertionError"), "builtins.AssertionError");
  }
  assert.ok((await failureOf(asked(0, 1))) instanceof RemoteException);
  assert.equal(pair.right.broker.tables().exported, 1);
  assert.equal(await asked(1, 1), null);
  assert.equal(pair.right.broker.tables().exported, 0);
  assert.ok(ref.isConnected());
});

/** Calls decref of the right broker by a reference to its object 0, made by hand. */
async function rawDecref(pair: Pair, clid: number, count: number): Promise<unknown> {
  const { broker } = pair.left;
  return await broker.outgoing.call(new Tracker(0), "decref", [kwargs({ clid, count })], {});
}

Deno.test("a peer that holds as many objects as it may gets no more, and the call says so", async () => {
  await using pair = new Pair({ limits: { maxExports: 3, maxImports: 10 } });
  const keeper = new Keeper();
  const ref = await pair.refTo(keeper) as unknown as RemoteReference;
  const error = await failureOf(ref.callRemote("keep", Array.from({ length: 5 }, () => new Referenceable())));
  assert.ok(error instanceof Violation);
  assert.equal(pair.left.broker.tables().exported, 0);
  await ref.callRemote("keep", [new Referenceable(), new Referenceable()]);
  assert.equal((keeper.kept as unknown[]).length, 2);
});
