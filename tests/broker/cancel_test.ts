import assert from "node:assert/strict";
import { callable } from "../../lib/broker/callable.ts";
import { type CallContext, currentCall } from "../../lib/broker/call_context.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { RemoteFunction, type RemoteReference } from "../../lib/broker/remote_reference.ts";
import { registerRemoteCopy } from "../../lib/graph/copy_types.ts";
import { Copyable } from "../../lib/graph/copyable.ts";
import type { MemoryConnection } from "../../lib/transport/memory.ts";
import { OWN_FEATURES } from "../../lib/util/features.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { type EMPTY, failureOf, Pair, RIGHT, type TestOptions, turns } from "./support.ts";

const FURL = `pb://${RIGHT}@tcp:h:1/carol`;

/** What the methods saw. */
class Target extends Referenceable {
  readonly log: string[] = [];
  readonly contexts: CallContext[] = [];
  readonly gates: PromiseWithResolvers<unknown>[] = [];

  remote_note(text: string, ..._others: unknown[]): string {
    this.log.push(text);
    return text;
  }
  /** Ends when its caller gives it up. */
  async remote_patient(text: string): Promise<void> {
    const { signal } = currentCall()!;
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    this.log.push(`${text} began`);
    await promise;
    this.log.push(`${text}: ${signal.reason.name}`);
    signal.throwIfAborted();
  }
  /** Ends when the test says so, and looks at no signal. */
  async remote_stubborn(): Promise<unknown> {
    this.contexts.push(currentCall()!);
    const gate = Promise.withResolvers<unknown>();
    this.gates.push(gate);
    return await gate.promise;
  }
  remote_function() {
    return callable((text: string) =>
      text === "unheard" ? this.remote_note(text) : this.remote_patient(text)
    );
  }
}

async function withTarget(
  run: (t: {
    ref: RemoteReference<Target>;
    target: Target;
    pair: Pair;
    clock: FakeClock;
    controller: AbortController;
    cancelled: () => string[];
  }) => Promise<void>,
  options: TestOptions = {},
): Promise<void> {
  const clock = new FakeClock();
  await using pair = new Pair({ features: OWN_FEATURES, clock, ...options });
  const target = new Target();
  const ref = await pair.refTo(target);
  const cancelled = () =>
    pair.right.events.flatMap((event) => event.type === "call-cancelled" ? [event.method] : []);
  await run({ ref, target, pair, clock, controller: new AbortController(), cancelled });
  await turns();
  for (const { broker } of [pair.left, pair.right]) {
    if (broker.ended === undefined) assertIdle(broker.tables());
  }
}

function assertIdle({ pendingCalls, activeCalls, pendingGifts }: typeof EMPTY): void {
  assert.deepEqual({ pendingCalls, activeCalls, pendingGifts }, {
    pendingCalls: 0,
    activeCalls: 0,
    pendingGifts: 0,
  });
}

Deno.test("a call that is given up before it is sent is neither sent nor cancelled", () =>
  withTarget(async ({ ref, target, pair, controller, cancelled }) => {
    class Asking extends Copyable {
      static override copytype = "test/CancelAsking";
      override getStateToCopy(): Record<string, unknown> {
        // Has to wait until the message is complete that is being written.
        unsent = failureOf(ref.with({ signal: controller.signal }).callRemote("note", "unsent"));
        controller.abort();
        return {};
      }
    }
    let unsent: Promise<Error> | undefined;
    await failureOf(ref.callRemote("note", "first", new Asking()));
    assert.equal((await unsent!).name, "AbortError");
    const late = ref.with({ signal: controller.signal }).callRemote("note", "late");
    assert.equal((await failureOf(late)).name, "AbortError");
    await turns();
    assert.deepEqual(target.log, []);
    assert.deepEqual(cancelled(), []);
    assert.equal(pair.left.broker.tables().pendingCalls, 0);
  }));

Deno.test("a call that is given up while it is being written goes out, and its cancel after it", () =>
  withTarget(async ({ ref, target, controller, cancelled }) => {
    class Aborting extends Copyable {
      static override copytype = "test/CancelAborting";
      override getStateToCopy(): Record<string, unknown> {
        controller.abort();
        return {};
      }
    }
    registerRemoteCopy(Aborting);
    const call = ref.with({ signal: controller.signal }).callRemote("note", "x", new Aborting());
    assert.equal((await failureOf(call)).name, "AbortError");
    await turns();
    assert.deepEqual(target.log, []);
    assert.deepEqual(cancelled(), ["note"]);
  }));

Deno.test("a call that is given up while it waits for its turn is not made", () =>
  withTarget(async ({ ref, target, controller, cancelled }) => {
    const first = ref.callRemote("note", "first");
    const { signal } = controller;
    const others = Array.from(
      { length: 50 },
      (_, i) => failureOf(ref.with({ signal }).callRemote("note", `${i}`)),
    );
    const last = ref.callRemote("note", "last");
    controller.abort();
    for (const error of await Promise.all(others)) assert.equal(error.name, "AbortError");
    assert.deepEqual(await Promise.all([first, last]), ["first", "last"]);
    assert.deepEqual(target.log, ["first", "last"]);
    assert.equal(cancelled().length, 50);
  }));

for (const position of ["that waits for a gift", "behind one that waits for a gift"]) {
  Deno.test(`a call ${position} is not made when it is given up`, async () => {
    const carol = new Target();
    await using toCarol = new Pair({ prepare: (_left, right) => void right.furls.set(carol, FURL) });
    const gift = await toCarol.refTo(carol);
    await withTarget(async ({ ref, target, pair, controller }) => {
      const fetched = Promise.withResolvers<never>();
      pair.right.host.acquire = () => fetched.promise;
      const given = ref.with(position.startsWith("that") ? { signal: controller.signal } : {});
      const behind = ref.with(position.startsWith("that") ? {} : { signal: controller.signal });
      const calls = [given.callRemote("note", "given", gift), behind.callRemote("note", "behind")];
      await turns();
      assert.equal(pair.right.broker.tables().activeCalls, 2);
      controller.abort();
      const [kept, lost] = position.startsWith("that") ? [calls[1]!, calls[0]!] : calls as [never, never];
      assert.equal((await failureOf(lost)).name, "AbortError");
      await turns();
      assert.deepEqual(target.log, position.startsWith("that") ? ["behind"] : []);
      fetched.resolve(await pair.right.broker.getReferenceByName("none").catch(() => gift as never) as never);
      assert.match(await kept, /given|behind/);
      await turns();
      assert.equal(target.log.length, 1);
    });
  });
}

Deno.test("the method of a call that is given up sees its signal fire, and its failure goes nowhere", () =>
  withTarget(async ({ ref, target, pair, controller }) => {
    const call = ref.with({ signal: controller.signal }).callRemote("patient", "p");
    await turns();
    assert.deepEqual(target.log, ["p began"]);
    controller.abort(new Error("my own reason"));
    assert.equal((await failureOf(call)).message, "my own reason");
    await turns();
    assert.deepEqual(target.log, ["p began", "p: AbortError"]);
    const types = pair.right.events.map(({ type }) => type);
    assert.equal(types.filter((type) => type === "call-failed").length, 0);
    assert.equal(pair.left.events.filter(({ type }) => type === "call-rejected").length, 0);
    assert.ok(!JSON.stringify(pair.right.events).includes("my own reason"));
  }));

Deno.test("a function is given up as a method is", () =>
  withTarget(async ({ ref, target, controller }) => {
    const remote = await ref.callRemote("function");
    assert.ok(remote instanceof RemoteFunction);
    const call = remote.with({ timeoutMs: 1_000 }).with({ signal: controller.signal }).callRemote("f");
    await turns();
    controller.abort();
    assert.equal((await failureOf(call)).name, "AbortError");
    remote.with({ signal: controller.signal }).callRemoteOnly("unheard");
    await turns();
    assert.deepEqual(target.log, ["f began", "f: AbortError", "unheard"]);
    assert.throws(() => remote.with({ timeoutMs: -1 }), RangeError);
  }));

Deno.test("a method that takes no notice counts until it ends, and what it gives is not even written", () =>
  withTarget(async ({ ref, target, pair, controller }) => {
    const call = ref.with({ signal: controller.signal }).callRemote("stubborn");
    await turns();
    controller.abort();
    await failureOf(call);
    await turns();
    assert.equal(pair.right.broker.tables().activeCalls, 1);
    assert.deepEqual(
      pair.right.broker.outstanding().inbound.map(({ method, isCancelled }) => [method, isCancelled]),
      [["stubborn", true]],
    );
    const before = pair.right.broker.tables().exported;
    let written = 0;
    class Asked extends Copyable {
      static override copytype = "test/CancelAsked";
      override getStateToCopy(): Record<string, unknown> {
        written++;
        return {};
      }
    }
    target.gates[0]!.resolve([new Referenceable(), new Asked()]);
    await turns();
    assert.equal(written, 0);
    assert.equal(pair.right.broker.tables().exported, before);
  }));

Deno.test("an answer that is on its way when the call is given up is taken in, with what it brings", () =>
  withTarget(async ({ ref, target, pair, controller, cancelled }) => {
    const call = ref.with({ signal: controller.signal }).callRemote("stubborn");
    await turns();
    pair.right.connection.hold();
    target.gates[0]!.resolve(new Referenceable());
    await turns();
    controller.abort();
    await failureOf(call);
    await turns();
    assert.equal(pair.left.broker.tables().imported, 1);
    pair.right.connection.release();
    await turns();
    assert.equal(pair.left.broker.tables().imported, 2, "counted, so that it can be given back");
    assert.deepEqual(cancelled(), [], "it had been answered");
    assert.equal(pair.left.broker.ended, undefined);
    assert.equal(pair.right.broker.ended, undefined);
  }));

Deno.test("a cancel that comes at the moment of the answer is no offence, and the number can be used again", () =>
  withTarget(async ({ ref, target, pair }) => {
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      const call = ref.with({ signal: controller.signal }).callRemote("stubborn").catch(() => {});
      await turns(3);
      target.gates[i]!.resolve(i);
      if (i % 2 === 0) await turns(i / 2);
      controller.abort();
      await call;
    }
    await turns();
    assert.equal(pair.right.broker.ended, undefined);
    assert.equal(await ref.callRemote("note", "still there"), "still there");
  }));

Deno.test("calls that are given up at once are cancelled in one write", async () => {
  let writes = 0;
  const wrap = (connection: MemoryConnection) => {
    const writer = connection.writable.getWriter();
    const writable = new WritableStream<Uint8Array>({ write: (chunk) => (writes++, writer.write(chunk)) });
    return { readable: connection.readable, writable, close: () => connection.close() };
  };
  await withTarget(async ({ ref, pair, controller }) => {
    const { signal } = controller;
    const calls = Array.from(
      { length: 100 },
      () => failureOf(ref.with({ signal }).callRemote("patient", "x")),
    );
    await turns();
    assert.equal(pair.right.broker.tables().activeCalls, 100);
    writes = 0;
    controller.abort();
    await Promise.all(calls);
    await turns();
    assert.equal(pair.right.broker.tables().activeCalls, 0);
    assert.equal(writes, 1);
  }, { wrap });
});

Deno.test("with a timeoutMs the callee knows its deadline, and learns that the time is over", () =>
  withTarget(async ({ ref, target, clock }) => {
    const stubborn = ref.with({ timeoutMs: 750.9 }).callRemote("stubborn");
    const patient = ref.with({ timeoutMs: 500 }).callRemote("patient", "p");
    await turns();
    const [context] = target.contexts;
    assert.equal(context!.deadline, clock.now() + 750);
    clock.advance(499);
    assert.equal(context!.remainingMs, 251);
    const failed = failureOf(patient), alsoFailed = failureOf(stubborn);
    clock.advance(1);
    assert.equal((await failed).name, "TimeoutError");
    await turns();
    assert.deepEqual(target.log, ["p began", "p: TimeoutError"]);
    clock.advance(1_000);
    assert.equal((await alsoFailed).name, "TimeoutError");
    assert.equal(context!.remainingMs, 0);
    await turns();
    assert.equal(context!.signal.reason.name, "TimeoutError");
    target.gates[0]!.resolve(1);
  }));

Deno.test("the signal fires by the deadline also if the caller's word does not come, and the answer counts", () =>
  withTarget(async ({ ref, target, clock, pair }) => {
    const timers = () => clock.pending;
    const call = ref.with({ timeoutMs: 100 }).callRemote("stubborn");
    await turns();
    const before = timers();
    const { signal } = target.contexts[0]!;
    assert.equal(timers(), before + 1, "a timer only for who asks");
    pair.left.connection.hold();
    const failed = failureOf(call);
    clock.advance(100);
    assert.equal(signal.reason.name, "TimeoutError");
    await failed;
    target.gates[0]!.resolve("late");
    await turns();
    assert.equal(pair.right.broker.tables().activeCalls, 0);
    pair.left.connection.release();
    await turns();
    assert.equal(pair.right.broker.ended, undefined);
  }));

Deno.test("the timer of a signal goes with its call", () =>
  withTarget(async ({ ref, target, clock }) => {
    const call = ref.with({ timeoutMs: 60_000 }).callRemote("stubborn");
    await turns();
    void target.contexts[0]!.signal;
    target.gates[0]!.resolve(1);
    assert.equal(await call, 1);
    assert.ok(
      clock.pending <= 3,
      "only the two watches over writes are left, and when to tell what was seen",
    );
    assert.equal(target.contexts[0]!.isOver, true);
    assert.equal(target.contexts[0]!.signal.aborted, false);
  }));

Deno.test("a call whose time is over before its turn is not made, whether or not its caller says so", async () => {
  const carol = new Target();
  await using toCarol = new Pair({ prepare: (_left, right) => void right.furls.set(carol, FURL) });
  const gift = await toCarol.refTo(carol);
  await withTarget(async ({ ref, target, clock, pair }) => {
    const fetched = Promise.withResolvers<never>();
    pair.right.host.acquire = () => fetched.promise;
    const first = ref.callRemote("note", "first", gift);
    const late = failureOf(ref.with({ timeoutMs: 10 }).callRemote("note", "late"));
    await turns();
    pair.left.connection.hold();
    clock.advance(10);
    assert.equal((await late).name, "TimeoutError");
    fetched.resolve(gift as never);
    assert.equal(await first, "first");
    await turns();
    assert.deepEqual(target.log, ["first"]);
    assert.equal(pair.right.broker.tables().activeCalls, 0);
    pair.left.connection.release();
  });
});

Deno.test("a peer without the features gets Foolscap's messages and no others", () =>
  withTarget(async ({ ref, target, pair, controller, clock, cancelled }) => {
    const call = failureOf(ref.with({ signal: controller.signal, timeoutMs: 5 }).callRemote("stubborn"));
    await turns();
    assert.equal(target.contexts[0]!.deadline, undefined);
    assert.equal(target.contexts[0]!.remainingMs, undefined);
    clock.advance(5);
    assert.equal((await call).name, "TimeoutError");
    target.gates[0]!.resolve(new Referenceable());
    await turns();
    assert.equal(pair.left.broker.tables().imported, 2, "the late answer's object is counted");
    assert.deepEqual(cancelled(), []);
    assert.equal(pair.right.broker.ended, undefined);
  }, { features: new Map() }));

Deno.test("the signal of a call fires with what ended the connection", () =>
  withTarget(async ({ ref, target, pair }) => {
    const call = failureOf(ref.with({ timeoutMs: 100 }).callRemote("stubborn"));
    await turns();
    const { signal } = target.contexts[0]!;
    pair.left.connection.drop();
    await call;
    await turns();
    assert.equal(signal.reason, pair.right.broker.ended);
    target.gates[0]!.resolve(1);
    await turns();
    assert.equal(target.contexts[0]!.isOver, true);
  }));

Deno.test("10,000 calls that are given up leave nothing on either side", async () => {
  await withTarget(async ({ ref, pair, target, clock }) => {
    const before = [pair.left.broker.tables(), pair.right.broker.tables()];
    const timers = clock.pending;
    for (let round = 0; round < 10; round++) {
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 1_000; i++) {
        const controller = new AbortController();
        const limited = ref.with({ signal: controller.signal, timeoutMs: 60_000 });
        calls.push((i % 2 === 0 ? limited.callRemote("patient", "x") : limited.callRemote("note", "x"))
          .catch(() => {}));
        // At once, in this turn, in a later one, or not at all for what is answered anyway.
        if (i % 3 === 0) controller.abort();
        else if (i % 3 === 1) queueMicrotask(() => controller.abort());
        else setTimeout(() => controller.abort(), 0);
      }
      await Promise.all(calls);
      await turns();
    }
    target.log.length = 0;
    assert.deepEqual([pair.left.broker.tables(), pair.right.broker.tables()], before);
    assert.ok(clock.pending <= timers + 2);
  });
});
