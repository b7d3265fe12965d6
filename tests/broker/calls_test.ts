import assert from "node:assert/strict";
import type { CallOptions } from "../../lib/broker/call.ts";
import { callable } from "../../lib/broker/callable.ts";
import { type CallContext, currentCall } from "../../lib/broker/call_context.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemoteFunction, RemoteReference } from "../../lib/broker/remote_reference.ts";
import { DeadReferenceError, RemoteException, Violation } from "../../lib/errors.ts";
import { Copyable } from "../../lib/graph/copyable.ts";
import { Kwargs, kwargs } from "../../lib/values/kwargs.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { failureOf, LEFT, Pair, turns } from "./support.ts";

class Target extends Referenceable {
  readonly log: unknown[] = [];
  remote_field = () => "a field";
  // deno-lint-ignore camelcase
  get remote_accessor() {
    return () => "an accessor";
  }
  remote_add(a: number, b: number) {
    return a + b;
  }
  remote_echo(value: unknown) {
    return value;
  }
  remote_all(...args: unknown[]) {
    return args.length;
  }
  remote_kw(...args: unknown[]) {
    const last = args.at(-1);
    return last instanceof Kwargs ? { ...last.values } : null;
  }
  remote_log(value: unknown) {
    this.log.push(value);
  }
  async remote_late(value: unknown) {
    await turns(3);
    return value;
  }
  remote_never() {
    return new Promise<void>(() => {});
  }
  remote_throw(kind: string): unknown {
    if (kind === "text") raise("only text");
    if (kind === "undefined") raise(undefined);
    if (kind === "revoked") {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      raise(proxy);
    }
    throw new RangeError("out of range");
  }
  remote_unsendable() {
    return { deep: [1, Symbol("no")] };
  }
  remote_thenable(kind: string): unknown {
    const thenable = {
      then(resolve: (v: unknown) => void) {
        if (kind === "throws") throw new TypeError("then threw");
        resolve(kind);
        resolve("again");
        if (kind === "resolves and throws") throw new TypeError("too late");
      },
    };
    if (kind !== "getter") return thenable;
    return Object.defineProperty({}, "then", {
      get() {
        throw new TypeError("the getter threw");
      },
    });
  }
  remote_revoked(): unknown {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }
  remote_caller(): unknown {
    return currentCall()?.caller;
  }
}

function raise(thrown: unknown): never {
  throw thrown;
}

async function withTarget(
  run: (ref: RemoteReference, target: Target, pair: Pair) => Promise<void>,
  options: ConstructorParameters<typeof Pair>[0] = {},
): Promise<void> {
  await using pair = new Pair(options);
  const target = new Target();
  const ref = await pair.refTo(target) as unknown as RemoteReference;
  await run(ref, target, pair);
}

Deno.test("callRemote() passes positional and keyword arguments", () =>
  withTarget(async (ref) => {
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    const named = await ref.callRemote("kw", 1, kwargs({ b: 2, a: "x" }));
    assert.deepEqual({ ...named as object }, { a: "x", b: 2 });
    assert.equal(await ref.callRemote("all"), 0);
    assert.equal(await ref.remote.add!(2, 3), 5);
  }));

Deno.test("callRemote() starts calls in the order in which they were made, whatever they take", () =>
  withTarget(async (ref, target) => {
    const calls = Array.from({ length: 500 }, (_, i) => {
      if (i % 3 !== 0) return ref.callRemote("log", i);
      return ref.callRemoteOnly("log", i);
    });
    await Promise.all(calls);
    await turns();
    assert.deepEqual(target.log, Array.from({ length: 500 }, (_, i) => i));
  }));

Deno.test("callRemote() does not wait for a slow call before", () =>
  withTarget(async (ref) => {
    const never = ref.with({ timeoutMs: 10 });
    const slow = ref.callRemote("late", 1);
    assert.equal(await ref.callRemote("echo", 2), 2);
    assert.equal(await slow, 1);
    void never;
  }));

Deno.test("a call runs what it queued before the next one starts", async () => {
  const log: string[] = [];
  class Steps extends Referenceable {
    async remote_step(name: string) {
      log.push(`${name} begins`);
      await Promise.resolve();
      log.push(`${name} goes on`);
    }
  }
  await using pair = new Pair();
  const ref = await pair.refTo(new Steps());
  await Promise.all([ref.callRemote("step", "a"), ref.callRemote("step", "b")]);
  assert.deepEqual(log, ["a begins", "a goes on", "b begins", "b goes on"]);
});

const UNREACHABLE = [
  "field",
  "accessor",
  "constructor",
  "toString",
  "__proto__",
  "doRemoteCall",
  "remote_add",
  "",
  "a b",
  "\u0000",
];
for (const name of UNREACHABLE) {
  Deno.test(`callRemote() cannot reach ${JSON.stringify(name)}`, () =>
    withTarget(async (ref) => {
      const error = await failureOf(ref.callRemote(name));
      assert.ok(error instanceof RemoteException);
      assert.equal(error.check("builtins.AttributeError"), "builtins.AttributeError");
    }));
}

Deno.test("callRemote() cannot reach a method that a subclass hides", async () => {
  class Hiding extends Target {
    override remote_add = undefined as never;
  }
  class HidingByAccessor extends Target {
    // deno-lint-ignore ban-ts-comment
    // @ts-expect-error
    override get remote_add() {
      return undefined;
    }
  }
  await using pair = new Pair();
  for (const object of [new Hiding(), new HidingByAccessor()]) {
    const ref = await pair.refTo(object) as unknown as RemoteReference;
    assert.ok((await failureOf(ref.callRemote("add", 1, 2))) instanceof RemoteException);
    assert.equal(await ref.callRemote("echo", 1), 1);
  }
});

const FAILURES: readonly [method: string, arg: string, type: string, message: RegExp][] = [
  ["throw", "RangeError", "javascript.RangeError", /^out of range$/],
  ["throw", "text", "javascript.Error", /only text/],
  ["throw", "undefined", "javascript.Error", /undefined/],
  ["throw", "revoked", "javascript.Error", /has no text/],
  ["unsendable", "", "foolscap.tokens.Violation", /symbol.*at result\.deep\[1\]/],
  ["thenable", "throws", "javascript.TypeError", /^then threw$/],
  ["thenable", "getter", "javascript.TypeError", /^the getter threw$/],
  ["revoked", "", "javascript.TypeError", /revoked/],
];
for (const [method, arg, type, message] of FAILURES) {
  Deno.test(`callRemote() fails with ${type} when the method is ${method}(${arg})`, () =>
    withTarget(async (ref, _target, pair) => {
      const error = await failureOf(ref.callRemote(method, arg));
      assert.ok(error instanceof RemoteException);
      assert.equal(error.remoteType, type);
      assert.match(error.message, message);
      assert.equal(await ref.callRemote("add", 1, 1), 2);
      assert.equal(pair.right.broker.tables().activeCalls, 0);
    }));
}

Deno.test("callRemote() takes the first thing that a thenable says", () =>
  withTarget(async (ref) => {
    assert.equal(await ref.callRemote("thenable", "one"), "one");
    assert.equal(await ref.callRemote("thenable", "resolves and throws"), "resolves and throws");
  }));

Deno.test("a method may return the RemotePromise of another call", async () => {
  class Relay extends Referenceable {
    remote_relay(ref: RemoteReference, method: string) {
      return ref.callRemote(method, "RangeError");
    }
  }
  await using pair = new Pair();
  const relay = await pair.refTo(new Relay()) as unknown as RemoteReference;
  const mine = new Target();
  assert.equal(await relay.callRemote("relay", mine, "echo"), "RangeError");
  const error = await failureOf(relay.callRemote("relay", mine, "throw"));
  assert.ok(error instanceof RemoteException);
  assert.equal(error.remoteType, "javascript.RangeError");
  assert.equal(error.message, "out of range");
  assert.equal(error.check("builtins.ValueError"), "builtins.ValueError");
  assert.equal(error.check("no.Such", "javascript.Error"), "javascript.Error");
  assert.equal(error.check("no.Such"), undefined);
});

Deno.test("callRemote() with a value that cannot be sent fails here, sends nothing and counts nothing", () =>
  withTarget(async (ref, target, pair) => {
    const before = pair.left.broker.tables();
    const object = new Referenceable();
    const error = await failureOf(ref.callRemote("log", [object, { tags: [1, callable(() => 1), () => 1] }]));
    assert.ok(error instanceof Violation);
    assert.equal(error.where, "arguments[0][1].tags[2]");
    const named = await failureOf(ref.callRemote("log", 1, kwargs({ x: [Symbol("s")] })));
    assert.equal((named as Violation).where, "arguments.x[0]");
    assert.deepEqual(pair.left.broker.tables(), before);
    // The numbers were given back too: both ends still agree on them.
    assert.equal(await ref.callRemote("echo", object), object);
    assert.deepEqual(target.log, []);
  }));

Deno.test("callRemote() of a method name that cannot be sent fails here", () =>
  withTarget(async (ref) => {
    assert.ok((await failureOf(ref.callRemote("\ud800"))) instanceof Violation);
    assert.ok((await failureOf(ref.callRemote("x".repeat(2_000)))) instanceof Violation);
    const number = await failureOf(ref.callRemote(5 as never));
    assert.ok(number instanceof Violation);
    assert.equal(number.message, "Cannot serialize a name: it is not a text, its type is number");
  }));

Deno.test("with() ends a call by its time, and leaves no timer", async () => {
  const clock = new FakeClock();
  await withTarget(async (ref, _target, pair) => {
    const timers = clock.pending;
    const call = ref.with({ timeoutMs: 500 }).callRemote("never");
    await turns();
    clock.advance(499);
    assert.equal(pair.left.broker.tables().pendingCalls, 1);
    clock.advance(1);
    const error = await failureOf(call);
    assert.equal(error.name, "TimeoutError");
    assert.match(error.message, /never within 500 ms/);
    await ref.with({ timeoutMs: 500 }).callRemote("echo", 1);
    assert.ok(clock.pending <= timers + 2, "only the two watches over writes are left");
    assert.equal(pair.left.broker.tables().pendingCalls, 0);
  }, { clock });
});

Deno.test("with() ends a call by its signal, before or after it was sent, and leaves no listener", () =>
  withTarget(async (ref, target) => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal), remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = ((...args: Parameters<typeof add>) => (listeners++, add(...args))) as never;
    signal.removeEventListener = ((...args: Parameters<typeof remove>) => (
      listeners--, remove(...args)
    )) as never;
    await ref.with({ signal }).callRemote("echo", 1);
    assert.equal(listeners, 0);
    const call = ref.with({ signal }).callRemote("never");
    await turns();
    controller.abort();
    assert.equal((await failureOf(call)).name, "AbortError");
    assert.equal(listeners, 0);
    assert.equal((await failureOf(ref.with({ signal }).callRemote("log", 1))).name, "AbortError");
    const reason = new Error("my reason");
    assert.equal(
      await failureOf(ref.with({ signal: AbortSignal.abort(reason) }).callRemote("log", 1)),
      reason,
    );
    await turns();
    assert.deepEqual(target.log, []);
  }));

for (const timeoutMs of [-1, NaN, Infinity, 2 ** 31]) {
  Deno.test(`with() refuses a time of ${timeoutMs} ms`, () =>
    withTarget((ref) => {
      assert.throws(() => ref.with({ timeoutMs }), RangeError);
      return Promise.resolve();
    }));
}

const WRONG_OPTIONS: readonly [options: unknown, message: string][] = [
  [{ timeoutMs: "20" }, "timeoutMs is a string, and has to be a number of milliseconds, such as 500"],
  [{ timeoutMs: 20n }, "timeoutMs is an integer, and has to be a number of milliseconds, such as 500"],
  [{ timeoutMs: null }, "timeoutMs is null, and has to be a number of milliseconds, such as 500"],
  [
    { signal: new AbortController() },
    "signal is an instance of AbortController, and has to be an AbortSignal, " +
    "such as an AbortController has",
  ],
  [{ detached: "no" }, "detached is a string, and has to be true or false"],
  [{ useSchema: 0 }, "useSchema is a number, and has to be true or false"],
  [{ methodConstraint: Number }, "methodConstraint is a function, and has to be what schema.method() makes"],
  [
    { timeout: 5 },
    'there is no option "timeout"; it is one of signal, timeoutMs, detached, useSchema, ' +
    "methodConstraint, resultConstraint",
  ],
  [500, "the options are a number, not an object such as { timeoutMs: 500 }"],
];
for (const [options, message] of WRONG_OPTIONS) {
  Deno.test(`with() says what is expected when it is given ${Deno.inspect(options, { compact: true })}`, () =>
    withTarget((ref) => {
      assert.throws(() => ref.with(options as CallOptions), new TypeError(`Cannot call: ${message}`));
      return Promise.resolve();
    }));
}

Deno.test("with() refuses a signal that is none", () =>
  withTarget((ref) => {
    assert.throws(() => ref.with({ signal: {} as AbortSignal }), TypeError);
    return Promise.resolve();
  }));

Deno.test("currentCall() and doRemoteCall() know the caller, and the signal fires at the loss", async () => {
  let context: CallContext | undefined;
  class Dynamic extends Referenceable {
    override doRemoteCall(name: string, args: unknown[], given: CallContext): unknown {
      context = given;
      assert.equal(currentCall(), given);
      return name === "hang" ? new Promise(() => {}) : [name, ...args];
    }
  }
  await using pair = new Pair();
  const ref = await pair.refTo(new Dynamic()) as unknown as RemoteReference;
  assert.deepEqual(await ref.callRemote("any thing", 1), ["any thing", 1]);
  assert.equal(context?.caller, LEFT);
  assert.equal(context?.method, "any thing");
  assert.equal(context?.connection.address, "memory");
  assert.equal(currentCall(), undefined);
  const hanging = ref.callRemote("hang");
  await turns();
  const { signal } = context!;
  assert.equal(signal.aborted, false);
  pair.left.connection.drop();
  assert.ok((await failureOf(hanging)) instanceof DeadReferenceError);
  await turns();
  assert.equal(signal.aborted, true);
});

Deno.test("interceptInbound() stands between a call and its delivery", () =>
  withTarget(async (ref, target, pair) => {
    const { host } = pair.right;
    host.interceptInbound = (call, deliver) => {
      if (call.method === "log") throw new Violation("not here");
      if (call.method === "add") return Promise.resolve(deliver()).then((sum) => [sum]);
      return deliver();
    };
    assert.deepEqual(await ref.callRemote("add", 1, 2), [3]);
    assert.ok((await failureOf(ref.callRemote("log", 1))) instanceof RemoteException);
    assert.deepEqual(target.log, []);
    host.interceptInbound = () => Promise.reject(new RangeError("later"));
    assert.match((await failureOf(ref.callRemote("add", 1, 2))).message, /later/);
  }));

Deno.test("interceptOutbound() stands between a call and its sending", () =>
  withTarget(async (ref, target, pair) => {
    const seen: string[] = [];
    const refusal = new Violation("not from here");
    pair.left.host.interceptOutbound = (call) => {
      seen.push(`${call.method} ${call.wantsAnswer}`);
      if (call.method === "log") throw refusal;
    };
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    assert.equal(await failureOf(ref.callRemote("log", 1)), refusal);
    ref.callRemoteOnly("log", 2);
    assert.deepEqual(seen, ["add true", "log true", "log false"]);
    pair.left.host.interceptOutbound = (() => Promise.reject(new Error("nobody hears this"))) as never;
    assert.ok((await failureOf(ref.callRemote("log", 1))) instanceof TypeError);
    pair.left.host.interceptOutbound = () => void pair.left.broker.shutdown(refusal);
    assert.ok((await failureOf(ref.callRemote("log", 1))) instanceof DeadReferenceError);
    assert.deepEqual(target.log, []);
  }));

Deno.test("calls made while a message asks the program for its values are sent after it, in order", () =>
  withTarget(async (ref, target) => {
    class Asking extends Copyable {
      static override copytype = "test/Asking";
      override getStateToCopy(): Record<string, unknown> {
        ref.callRemoteOnly("log", "first");
        void ref.callRemote("log", "second");
        ref.callRemoteOnly("log", "third");
        throw new Error("and then it failed");
      }
    }
    const error = await failureOf(ref.callRemote("log", new Asking()));
    assert.ok(error instanceof Violation);
    await ref.callRemote("log", "last");
    assert.deepEqual(target.log, ["first", "second", "third", "last"]);
  }));

Deno.test("a connection that ends while a message is written takes nothing of it", () =>
  withTarget(async (ref, _target, pair) => {
    const { broker } = pair.left;
    class Ending extends Copyable {
      static override copytype = "test/Ending";
      override getStateToCopy(): Record<string, unknown> {
        void broker.shutdown(new Violation("in the middle"));
        return { object: new Referenceable() };
      }
    }
    const sent = failureOf(ref.callRemote("log", [new Referenceable(), new Ending()]));
    assert.ok((await sent) instanceof DeadReferenceError);
    assert.deepEqual(new Set(Object.values(broker.tables())), new Set([0]));
    await turns();
    assert.equal(pair.right.events.filter(({ type }) => type === "protocol-error").length, 0);
  }));

Deno.test("a function travels by reference, is called and comes back as a RemoteFunction", () =>
  withTarget(async (ref, target) => {
    const f = callable((a: number, b: number) => a * b);
    await ref.callRemote("log", f);
    await ref.callRemote("log", f);
    const [far, again] = target.log as RemoteFunction[];
    assert.equal(far, again);
    assert.equal(await far!.callRemote(6, 7), 42);
    assert.match((await failureOf(ref.callRemote("echo", () => 1))).message, /callable/i);
    // The answer of an echo would send it home, which Python does not survive.
    assert.match((await failureOf(ref.callRemote("echo", f))).message, /function back home/);
  }));

Deno.test("a proxy of methods is no value", () =>
  withTarget(async (ref) => {
    assert.equal(await Promise.resolve(ref.remote), ref.remote);
    assert.ok((await failureOf(ref.callRemote("echo", ref.remote))) instanceof Violation);
  }));

Deno.test("a call with a million arguments fails or succeeds, and the connection goes on", () =>
  withTarget(async (ref) => {
    const args = new Array(500_000).fill(1);
    const error = await failureOf(
      ref.callRemote.apply(ref, ["all", ...args.slice(0, 100_000)] as never).then(
        () => Promise.reject(new RangeError("it went well")),
      ),
    );
    assert.ok(error instanceof RemoteException || error instanceof RangeError);
    assert.equal(await ref.callRemote("add", 1, 1), 2);
  }));

Deno.test("a burst of more calls than may be pending is no offence when they are quick", () =>
  withTarget(async (ref, target) => {
    for (let i = 0; i < 60_000; i++) ref.callRemoteOnly("log", i);
    await ref.callRemote("log", 60_000);
    assert.equal(target.log.length, 60_001);
  }));

Deno.test("whenEnded() calls back once, late or not, and survives what the callback throws", async () => {
  await using pair = new Pair();
  const ref = await pair.refTo(new Target());
  const log: string[] = [];
  ref.notifyOnDisconnect(() => {
    log.push("throws");
    throw new Error("mine");
  });
  ref.notifyOnDisconnect((() => Promise.reject(new Error("mine too"))) as () => void);
  const taken = ref.notifyOnDisconnect(() => log.push("never"));
  ref.dontNotifyOnDisconnect(taken);
  ref.dontNotifyOnDisconnect(taken);
  ref.notifyOnDisconnect(async () => {
    log.push((await failureOf(ref.callRemote("add", 1, 2))).name);
    ref.callRemoteOnly("add", 1, 2);
    ref.notifyOnDisconnect(() => log.push("after"));
  });
  await pair.right.broker.shutdown(new Violation("over"));
  await turns();
  assert.deepEqual(log, ["throws", "DeadReferenceError", "after"]);
  assert.equal(pair.left.events.filter(({ type }) => type === "callback-failed").length, 2);
  assert.equal(ref.isConnected(), false);
});

Deno.test("shutdown() without notice runs no callbacks", async () => {
  await using pair = new Pair();
  const ref = await pair.refTo(new Target());
  let calls = 0;
  ref.notifyOnDisconnect(() => calls++);
  await pair.left.broker.shutdown(new Violation("over"), { notify: false });
  await turns();
  assert.equal(calls, 0);
});
