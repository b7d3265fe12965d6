/** Calls that are made while another one is served: what they inherit of it. */
import assert from "node:assert/strict";
import { type CallContext, currentCall } from "../../lib/broker/call_context.ts";
import { type LocalReference, localReference } from "../../lib/broker/local_reference.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemoteReference } from "../../lib/broker/remote_reference.ts";
import { Violation } from "../../lib/errors.ts";
import { Copyable } from "../../lib/graph/copyable.ts";
import { OWN_FEATURES } from "../../lib/util/features.ts";
import type { CallOptions } from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { failureOf, Pair, turns } from "./support.ts";

/** The end of a chain. */
class Last extends Referenceable {
  readonly seen: (CallContext | undefined)[] = [];
  readonly gate = Promise.withResolvers<unknown>();

  async remote_wait(): Promise<unknown> {
    const context = currentCall()!;
    this.seen.push(context);
    const aborted = new Promise((_, reject) =>
      context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true })
    );
    return await Promise.race([this.gate.promise, aborted]);
  }
}

/** What stands between. */
class Middle extends Referenceable {
  next: RemoteReference<Last> | undefined;
  local: LocalReference<Last> | undefined;
  readonly failures: Error[] = [];
  readonly gate = Promise.withResolvers<void>();
  context: CallContext | undefined;

  /** Makes a call, not at once. */
  async remote_ask(options: CallOptions = {}): Promise<unknown> {
    this.context = currentCall();
    await turns(2);
    try {
      return await (this.local ?? this.next!).with(options).callRemote("wait");
    } catch (error) {
      this.failures.push(error as Error);
      throw error;
    }
  }
  remote_detached(): Promise<unknown> {
    return this.remote_ask({ detached: true });
  }
  /** Has a call of its own that is shorter. */
  remote_short(): Promise<unknown> {
    return this.remote_ask({ timeoutMs: 10 });
  }
  /** And one that is longer. */
  remote_long(): Promise<unknown> {
    return this.remote_ask({ timeoutMs: 100_000 });
  }
  /** Goes on when it has answered. */
  remote_leave(): string {
    this.remote_ask().catch(() => {});
    return "left";
  }
  /** And has begun a call before. */
  remote_leave_behind(): string {
    this.next!.callRemote("wait").catch((error) => this.failures.push(error));
    return "left";
  }
  remote_leave_later(): string {
    void this.gate.promise.then(() => this.remote_ask()).catch(() => {});
    return "left";
  }
  /** Cleans up when it has been given up. */
  async remote_clean(): Promise<void> {
    const { signal } = currentCall()!;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await this.remote_ask().catch(() => {});
    await this.remote_detached();
  }
}

/** A calls B, which calls C: three ends, two connections. */
async function withChain(
  run: (chain: {
    ref: RemoteReference<Middle>;
    middle: Middle;
    last: Last;
    clock: FakeClock;
    controller: AbortController;
    first: Pair;
    second: Pair;
  }) => Promise<void>,
  second: ConstructorParameters<typeof Pair>[0] = {},
): Promise<void> {
  const clock = new FakeClock();
  const middle = new Middle(), last = new Last();
  await using pair = new Pair({ features: OWN_FEATURES, clock });
  await using other = new Pair({ features: OWN_FEATURES, clock, ...second });
  middle.next = await other.refTo(last);
  const ref = await pair.refTo(middle);
  await run({ ref, middle, last, clock, controller: new AbortController(), first: pair, second: other });
  last.gate.resolve("the end");
  await turns();
  for (const { broker } of [pair.left, pair.right, other.left, other.right]) {
    const { pendingCalls, activeCalls } = broker.tables();
    assert.deepEqual([pendingCalls, activeCalls], [0, 0]);
  }
}

Deno.test("a call is given up by all that serve it", () =>
  withChain(async ({ ref, middle, last, controller, second }) => {
    const call = ref.with({ signal: controller.signal }).callRemote("ask");
    await turns();
    assert.equal(last.seen.length, 1);
    controller.abort();
    assert.equal((await failureOf(call)).name, "AbortError");
    await turns();
    assert.equal(middle.failures[0]!.name, "AbortError");
    assert.equal(last.seen[0]!.signal.reason.name, "AbortError");
    assert.equal(second.right.broker.tables().activeCalls, 0);
  }));

Deno.test("each hop has less time than the one before", () =>
  withChain(async ({ ref, middle, last, clock }) => {
    const call = failureOf(ref.with({ timeoutMs: 1_000 }).callRemote("ask"));
    await turns(1);
    for (let i = 0; middle.context === undefined && i < 20; i++) await turns(1);
    clock.advance(300);
    await turns();
    assert.equal(middle.context!.remainingMs, 700);
    assert.equal(last.seen[0]!.remainingMs, 700);
    assert.equal(last.seen[0]!.deadline, middle.context!.deadline);
    clock.advance(700);
    assert.equal((await call).name, "TimeoutError");
    await turns();
    assert.equal(middle.failures[0]!.name, "TimeoutError");
    assert.equal(last.seen[0]!.signal.reason.name, "TimeoutError");
  }));

for (const [method, remaining] of [["short", 10], ["long", 1_000]] as const) {
  Deno.test(`a ${method} time of its own leaves a call ${remaining} ms of its parent's 1,000`, () =>
    withChain(async ({ ref, last, clock }) => {
      const call = failureOf(ref.with({ timeoutMs: 1_000 }).callRemote(method));
      await turns();
      assert.equal(last.seen[0]!.remainingMs, remaining);
      clock.advance(1_000);
      await call;
      await turns();
    }));
}

Deno.test("with({ detached: true }) keeps a call out of the one that is served", () =>
  withChain(async ({ ref, middle, last, controller, first }) => {
    const call = ref.with({ signal: controller.signal, timeoutMs: 1_000 }).callRemote("detached");
    await turns();
    controller.abort();
    await failureOf(call);
    await turns();
    assert.equal(last.seen[0]!.deadline, undefined);
    assert.equal(last.seen[0]!.signal.aborted, false);
    assert.equal(first.right.broker.tables().activeCalls, 1);
    assert.deepEqual(middle.failures, []);
  }));

Deno.test("what a method has left running is not given up with it", () =>
  withChain(async ({ ref, middle, last, clock, first }) => {
    assert.equal(await ref.with({ timeoutMs: 1_000 }).callRemote("leave"), "left");
    assert.equal(middle.context!.isOver, true);
    assert.equal(await ref.with({ timeoutMs: 1_000 }).callRemote("leave_later"), "left");
    clock.advance(5_000);
    middle.gate.resolve();
    await turns();
    await first.left.broker.shutdown(new Violation("no more"));
    await turns();
    assert.equal(last.seen.length, 2);
    assert.deepEqual(last.seen.map((context) => context!.deadline), [undefined, undefined]);
    assert.deepEqual(last.seen.map((context) => context!.signal.aborted), [false, false]);
    assert.deepEqual(middle.failures, []);
  }));

Deno.test("a call that a method leaves behind is not given up with its connection, and keeps its deadline", () =>
  withChain(async ({ ref, middle, last, clock, first }) => {
    assert.equal(await ref.with({ timeoutMs: 1_000 }).callRemote("leave_behind"), "left");
    await turns();
    await first.left.broker.shutdown(new Violation("no more"));
    await turns();
    assert.equal(middle.failures.length, 0);
    assert.equal(last.seen[0]!.signal.aborted, false);
    clock.advance(1_000);
    await turns();
    assert.equal(middle.failures[0]!.name, "TimeoutError");
  }));

Deno.test("a method that has been given up can still clean up, with detached calls alone", () =>
  withChain(async ({ ref, middle, last, controller }) => {
    const call = ref.with({ signal: controller.signal }).callRemote("clean");
    await turns();
    controller.abort();
    await failureOf(call);
    await turns();
    assert.deepEqual(middle.failures.map(({ name }) => name), ["AbortError"]);
    assert.equal(last.seen.length, 1, "only the detached one was sent");
  }));

Deno.test("the loss of the caller's connection gives up what was made for it, and says what it was", () =>
  withChain(async ({ ref, middle, last, first, controller }) => {
    const call = failureOf(ref.with({ signal: controller.signal }).callRemote("ask"));
    await turns();
    first.left.connection.drop();
    await call;
    await turns();
    assert.equal(middle.failures[0]!.name, "AbortError");
    assert.match(middle.failures[0]!.message, /wait.*the connection of the call that it served is gone/);
    assert.equal(middle.failures[0]!.cause, first.right.broker.ended);
    assert.equal(last.seen[0]!.signal.aborted, true);
  }));

for (const how of ["callRemote", "callRemoteOnly"] as const) {
  Deno.test(`what is made for a plain ${how}() outlives its connection, as in Foolscap`, () =>
    withChain(async ({ ref, middle, last, first }) => {
      const call = ref[how]("ask");
      const over = call?.catch(() => {});
      await turns();
      assert.equal(middle.context!.isCancellable, false);
      const { signal } = middle.context!;
      await first.left.broker.shutdown(new Violation("said enough"));
      await over;
      await turns();
      assert.equal(signal.aborted, true);
      assert.deepEqual(middle.failures, []);
      assert.equal(last.seen[0]!.signal.aborted, false);
    }));
}

Deno.test("a callee that knows no deadlines still leaves its caller its own", () =>
  withChain(async ({ ref, middle, last, clock }) => {
    const call = failureOf(ref.with({ timeoutMs: 100 }).callRemote("ask"));
    await turns();
    assert.equal(last.seen[0]!.deadline, undefined);
    clock.advance(100);
    await call;
    await turns();
    assert.equal(middle.failures[0]!.name, "TimeoutError");
    assert.equal(last.seen[0]!.signal.aborted, false);
  }, { features: new Map() }));

Deno.test("objects of this process are called for the same purpose too", () =>
  withChain(async ({ ref, middle, last, clock, controller }) => {
    middle.local = localReference(last, { clock });
    const call = ref.with({ timeoutMs: 100, signal: controller.signal }).callRemote("ask");
    await turns();
    assert.equal(last.seen[0]!.deadline, clock.now() + 100);
    controller.abort();
    await failureOf(call);
    await turns();
    assert.equal(last.seen[0]!.signal.reason.name, "AbortError");
    assert.equal(middle.failures[0]!.name, "AbortError");
  }));

Deno.test("a call in a circle is given up all around", async () => {
  await using pair = new Pair({ features: OWN_FEATURES });
  class Turning extends Referenceable {
    readonly reasons: unknown[] = [];
    other: RemoteReference<Turning> | undefined;
    async remote_turn(left: number): Promise<void> {
      const { signal } = currentCall()!;
      signal.addEventListener("abort", () => this.reasons.push(signal.reason.name));
      if (left > 0) return void await this.other!.callRemote("turn", left - 1);
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }
  }
  const a = new Turning(), b = new Turning();
  pair.left.host.names.set("a", a);
  a.other = await pair.refTo(b);
  b.other = await pair.right.broker.getReferenceByName("a") as unknown as RemoteReference<Turning>;
  const controller = new AbortController();
  const call = a.other.with({ signal: controller.signal }).callRemote("turn", 9);
  await turns(60);
  assert.equal(pair.left.broker.tables().activeCalls, 5);
  controller.abort();
  await failureOf(call);
  await turns(60);
  assert.deepEqual([a.reasons.length, b.reasons.length], [5, 5]);
  for (const { broker } of [pair.left, pair.right]) {
    assert.deepEqual([broker.tables().pendingCalls, broker.tables().activeCalls], [0, 0]);
  }
});

for (const isCancellable of [true, false]) {
  const what = isCancellable ? "its own call" : "no call";
  const kind = isCancellable ? "one that can be given up" : "any other";
  Deno.test(`currentCall() is ${what} after an await in a method that serves ${kind}`, async () => {
    await using pair = new Pair({ features: OWN_FEATURES });
    const seen: unknown[] = [];
    class State extends Copyable {
      static override copytype = "test/ServingState";
      override getStateToCopy(): Record<string, unknown> {
        seen.push(currentCall()?.isOver);
        return {};
      }
    }
    class Slow extends Referenceable {
      async remote_slow(turnsToWait: number): Promise<unknown> {
        const own = currentCall();
        assert.equal(own!.method, "slow");
        assert.equal(own!.isCancellable, isCancellable);
        const after = isCancellable ? own : undefined;
        await turns(turnsToWait);
        assert.equal(currentCall(), after);
        await new Promise((resolve) => setTimeout(resolve, 0));
        assert.equal(currentCall(), after);
        return turnsToWait;
      }
      remote_thenable(): unknown {
        return { then: (resolve: (v: unknown) => void) => resolve(currentCall()?.method ?? null) };
      }
      remote_state(): unknown {
        return new State();
      }
    }
    const plain = await pair.refTo(new Slow());
    const other = plain.with({ timeoutMs: 60_000 });
    const ref = isCancellable ? other : plain;
    pair.right.host.interceptInbound = (call, deliver) => {
      assert.equal(currentCall(), call.context);
      return deliver();
    };
    // Others in between, so that there are calls to be mixed up.
    const slow = [5, 1, 3].map((n) => [ref.callRemote("slow", n), other.callRemote("thenable")]).flat();
    assert.equal(await ref.callRemote("thenable"), isCancellable ? "thenable" : null);
    await failureOf(ref.callRemote("state"));
    assert.deepEqual(seen, [true], "it has returned");
    assert.deepEqual(await Promise.all(slow), [5, "thenable", 1, "thenable", 3, "thenable"]);
    assert.equal(currentCall(), undefined);
  });
}

Deno.test("a call that is let in by the end of another one does not take over its context", async () => {
  await using pair = new Pair({ features: OWN_FEATURES, limits: { maxMessageBytes: 5_000 } });
  const seen: unknown[] = [];
  class Big extends Referenceable {
    async remote_take(_bytes: Uint8Array): Promise<void> {
      await turns(3);
      seen.push(currentCall()?.isCancellable);
    }
  }
  const ref = await pair.refTo(new Big());
  const limited = ref.with({ timeoutMs: 60_000 });
  // What is active takes more than is begun at once, so that the end of one call begins the next.
  await Promise.all(
    Array.from(
      { length: 12 },
      (_, i) => (i % 2 === 0 ? limited : ref).callRemote("take", new Uint8Array(4_000)),
    ),
  );
  assert.deepEqual(seen.filter((is) => is === true).length, 6);
  assert.deepEqual(seen.filter((is) => is === undefined).length, 6);
});

Deno.test("a connection that is made for a call does not belong to it", async () => {
  const seen: unknown[] = [];
  const opened: Pair[] = [];
  class Watched extends Referenceable {
    remote_nothing(): void {}
  }
  class Opening extends Referenceable {
    async remote_open(): Promise<void> {
      const pair = new Pair({ features: OWN_FEATURES });
      opened.push(pair);
      const ref = await pair.refTo(new Watched());
      assert.equal(currentCall()!.method, "open");
      await ref.callRemote("nothing");
      pair.right.broker.whenEnded(() => void seen.push(currentCall()));
    }
  }
  await using pair = new Pair({ features: OWN_FEATURES });
  await (await pair.refTo(new Opening())).with({ timeoutMs: 60_000 }).callRemote("open");
  opened[0]!.left.connection.drop();
  await turns();
  assert.deepEqual(seen, [undefined]);
  await opened[0]![Symbol.asyncDispose]();
});
