import assert from "node:assert/strict";
import {
  currentCall,
  type Kwargs,
  kwargs,
  localReference,
  OnlyReferenceable,
  Referenceable,
  registerRemotelyCallable,
  remotelyCallable,
  serialize,
  Violation,
} from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { failureOf, Pair, turns, until } from "./support.ts";

class Target extends Referenceable {
  readonly got: unknown[] = [];
  remote_take(value: unknown): unknown {
    this.got.push(value);
    return value;
  }
  remote_count(): number {
    return this.got.length;
  }
  remote_named(first: number, named?: Kwargs): unknown {
    return [first, { ...named?.values }];
  }
  remote_fail(): never {
    throw new RangeError("you asked me to fail");
  }
  remote_caller(): unknown {
    const { caller, connection, method } = currentCall()!;
    return [caller, connection.address, method];
  }
  remote_never(): Promise<never> {
    const { signal } = currentCall()!;
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }
  async remote_signal(): Promise<string> {
    const { signal } = currentCall()!;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    this.got.push(signal.reason.name);
    return "late";
  }
}

// ---- references to objects of one's own

Deno.test("localReference() calls one turn later, in order, and copies nothing", async () => {
  const target = new Target();
  const ref = localReference(target);
  const value = { a: Symbol("not for the wire") };
  const first = ref.callRemote("take", value);
  ref.callRemoteOnly("take", 2);
  await Promise.resolve();
  assert.deepEqual(target.got, []);
  assert.equal(await first, value);
  assert.equal(await ref.callRemote("count"), 2);
  assert.deepEqual(await ref.callRemote("named", 1, kwargs({ b: 2 })), [1, { b: 2 }]);
  assert.deepEqual(await ref.callRemote("caller"), [undefined, "local", "caller"]);
});

Deno.test("localReference() is the same for the same object, and a RemoteReference is its own", async () => {
  const target = new Target();
  assert.equal(localReference(target), localReference(target));
  await using pair = new Pair();
  const ref = await pair.refTo(target);
  assert.equal(localReference(ref), ref);
});

Deno.test("localReference() is never disconnected", async () => {
  const ref = localReference(new Target());
  const watch = ref.notifyOnDisconnect(() => assert.fail("it was called back"));
  ref.dontNotifyOnDisconnect(watch);
  watch[Symbol.dispose]();
  await turns();
  assert.equal(ref.isConnected(), true);
});

Deno.test("a failure reaches the caller of a local reference as it was thrown, and only if it waits", async () => {
  const ref = localReference(new Target());
  assert.ok(await failureOf(ref.callRemote("fail")) instanceof RangeError);
  assert.match((await failureOf(ref.callRemote("nosuch" as "fail"))).message, /no method "remote_nosuch"/);
  ref.callRemoteOnly("fail");
  ref.with({}).callRemoteOnly("fail");
  await turns();
});

Deno.test("calls of a local reference take a signal and a time limit", async () => {
  const target = new Target();
  const clock = new FakeClock();
  const ref = localReference(target, { clock });
  const late = failureOf(ref.with({ timeoutMs: 500 }).callRemote("never"));
  await turns();
  clock.advance(500);
  assert.equal((await late).name, "TimeoutError");
  const stop = new AbortController();
  const stopped = failureOf(ref.with({ timeoutMs: 500 }).with({ signal: stop.signal }).callRemote("signal"));
  await turns();
  stop.abort();
  assert.equal((await stopped).name, "AbortError");
  await turns();
  assert.deepEqual(target.got, ["AbortError"]);
  const given = failureOf(ref.with({ signal: stop.signal }).callRemote("take", 1));
  assert.equal((await given).name, "AbortError");
  await turns();
  assert.deepEqual(target.got, ["AbortError"]);
  assert.throws(() => ref.with({ timeoutMs: -1 }), RangeError);
});

Deno.test("a local call that fails by itself does not tell its method that nobody waits", async () => {
  class Failing extends Referenceable {
    signal: AbortSignal | undefined;
    remote_fail(): never {
      this.signal = currentCall()!.signal;
      throw new RangeError("by itself");
    }
  }
  const target = new Failing();
  await assert.rejects(localReference(target).callRemote("fail"), RangeError);
  await turns();
  assert.equal(target.signal!.aborted, false);
});

Deno.test("a local call whose failure nobody looks at is an unhandled rejection, as a remote one is", async () => {
  const reasons: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    reasons.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", listener);
  try {
    void localReference(new Target()).callRemote("fail");
    await until(() => reasons.length > 0, "it is told");
  } finally {
    globalThis.removeEventListener("unhandledrejection", listener);
  }
  assert.ok(reasons[0] instanceof RangeError);
});

Deno.test("a local reference cannot be sent", () => {
  assert.throws(() => serialize(localReference(new Target())), Violation);
});

// ---- identities

class Identity extends OnlyReferenceable {}

Deno.test("an OnlyReferenceable has an identity, and cannot be sent", async () => {
  const identity = new Identity();
  assert.equal(identity.processUniqueID(), identity);
  await using pair = new Pair();
  const ref = await pair.refTo(new Target());
  const error = await failureOf(ref.callRemote("take", [identity]));
  assert.ok(error instanceof Violation);
  assert.match(error.message, /OnlyReferenceable/);
  assert.equal(error.where, "arguments[0][0]");
  assert.throws(() => serialize(identity), /only a connection can send one/);
  assert.throws(() => serialize([1, new Target()]), /only a connection can send one/);
});

const SHARED = {};
class Face extends Target {
  constructor(readonly name: string) {
    super();
  }
  override processUniqueID(): unknown {
    return SHARED;
  }
  remote_name(): string {
    return this.name;
  }
}

Deno.test("objects of one processUniqueID are one object for a peer, which is the one sent first", async () => {
  await using pair = new Pair();
  const target = new Target();
  const ref = await pair.refTo(target);
  const faces = [new Face("one"), new Face("other")];
  await ref.callRemote("take", faces);
  const [one, other] = target.got.pop() as [typeof ref, typeof ref];
  assert.equal(one, other);
  assert.equal(await one.callRemote("name" as "count"), "one");
  assert.equal(pair.left.broker.tables().exported, 1);
  await one.callRemote("take", one as never);
  assert.equal(faces[0]!.got.pop(), faces[0]);
  target.got.length = 0;
  one[Symbol.dispose]();
  await turns();
  assert.equal(pair.left.broker.tables().exported, 0);
});

Deno.test("a processUniqueID that throws fails its call and leaves nothing behind", async () => {
  class Bad extends Referenceable {
    override processUniqueID(): never {
      throw new RangeError("no identity");
    }
  }
  await using pair = new Pair();
  const ref = await pair.refTo(new Target());
  assert.ok(await failureOf(ref.callRemote("take", [new Target(), new Bad()])) instanceof Violation);
  assert.equal(pair.left.broker.tables().exported, 0);
  assert.equal(await ref.callRemote("count"), 0);
});

// ---- objects of other people's classes

class Counter {
  value = 0;
}
class SubCounter extends Counter {}
class CounterAdapter extends Referenceable {
  constructor(readonly counter: Counter) {
    super();
  }
  remote_increment(): number {
    return ++this.counter.value;
  }
}
registerRemotelyCallable(Counter, (counter) => new CounterAdapter(counter));
class Odd {}
registerRemotelyCallable(Odd, () => ({}) as Referenceable);

Deno.test("registerRemotelyCallable() lets objects travel by reference, and come home as themselves", async () => {
  await using pair = new Pair();
  const target = new Target();
  const ref = await pair.refTo(target);
  const counter = new SubCounter();
  await ref.callRemote("take", [counter, counter]);
  const [one, other] = target.got.pop() as [typeof ref, typeof ref];
  assert.equal(one, other);
  assert.equal(await one.callRemote("increment" as "count"), 1);
  assert.equal(counter.value, 1);
  assert.equal(pair.left.broker.tables().exported, 1);
  assert.equal(await ref.callRemote("take", counter), counter);
});

Deno.test("remotelyCallable() gives the Referenceable that stands for an object", () => {
  const counter = new Counter();
  const adapter = remotelyCallable(counter);
  assert.ok(adapter instanceof CounterAdapter);
  assert.equal(adapter, remotelyCallable(counter));
  assert.notEqual(adapter, remotelyCallable(new Counter()));
  const target = new Target();
  assert.equal(remotelyCallable(target), target);
  assert.throws(() => remotelyCallable(new Map()), TypeError);
});

Deno.test("an adapter that is not a Referenceable is a Violation, and a second one is refused", async () => {
  await using pair = new Pair();
  const ref = await pair.refTo(new Target());
  assert.ok(await failureOf(ref.callRemote("take", new Odd())) instanceof Violation);
  assert.throws(() => registerRemotelyCallable(Counter, (c) => new CounterAdapter(c)), RangeError);
  assert.throws(() => registerRemotelyCallable(Counter, undefined as never), TypeError);
});
