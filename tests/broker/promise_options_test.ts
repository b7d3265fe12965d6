/** Options of calls of results that are not there yet: with all that two Tubs of this library agree on, and as to Python. */
import assert from "node:assert/strict";
import { callable } from "../../lib/broker/callable.ts";
import { type CallContext, currentCall } from "../../lib/broker/call_context.ts";
import { localReference } from "../../lib/broker/local_reference.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemoteFunction, RemotePromise, RemoteReference } from "../../lib/broker/remote_reference.ts";
import { IntegerConstraint, method } from "../../lib/broker/schema.ts";
import { Violation } from "../../lib/errors.ts";
import { OWN_FEATURES } from "../../lib/util/features.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { failureOf, Pair, turns } from "./support.ts";

class Target extends Referenceable {
  readonly log: string[] = [];
  readonly gates: PromiseWithResolvers<unknown>[] = [];
  readonly contexts: CallContext[] = [];

  remote_note(text: string, ..._others: unknown[]): string {
    this.log.push(text);
    this.contexts.push(currentCall()!);
    return text;
  }
  /** Ends when the test says so. */
  remote_wait(): Promise<Target> {
    this.contexts.push(currentCall()!);
    const gate = Promise.withResolvers<unknown>();
    this.gates.push(gate);
    return gate.promise as Promise<Target>;
  }
  remote_itself(): Target {
    return this;
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_parts(): { list: Target[] } {
    return { list: [this] };
  }
  remote_adder(): RemoteFunction<(a: number, b: number) => number> {
    return callable((a: number, b: number) => a + b) as never;
  }
}

type Ref = RemoteReference<Target>;

interface Stage {
  readonly ref: Ref;
  readonly target: Target;
  readonly pair: Pair;
  readonly clock: FakeClock;
  readonly controller: AbortController;
  readonly hasFeatures: boolean;
}

const IDLE = { pendingCalls: 0, activeCalls: 0, pendingGifts: 0, keptAnswers: 0 };

/** Runs a test with the features and without; at the end nothing waits on either side. */
function onBoth(name: string, run: (stage: Stage) => Promise<void>): void {
  for (const hasFeatures of [true, false]) {
    Deno.test(`${name}, ${hasFeatures ? "with" : "without"} the features of this library`, async () => {
      const clock = new FakeClock();
      await using pair = new Pair(hasFeatures ? { features: OWN_FEATURES, clock } : { clock });
      const target = new Target();
      const ref = await pair.refTo(target);
      const before = clock.pending;
      await run({ ref, target, pair, clock, controller: new AbortController(), hasFeatures });
      for (let i = 0; i < 3; i++) {
        await turns();
        clock.advance(1_000);
      }
      assert.ok(clock.pending <= before, "no timer is left");
      for (const { broker } of [pair.left, pair.right]) {
        assert.equal(broker.ended, undefined);
        const { pendingCalls, activeCalls, pendingGifts, keptAnswers } = broker.tables();
        assert.deepEqual({ pendingCalls, activeCalls, pendingGifts, keptAnswers }, IDLE);
      }
    });
  }
}

const GIVEN_UP = new TypeError("given up by the test");

onBoth("RemotePromise.with() counts timeoutMs from the call on, while the result is not there", async (s) => {
  const waits = s.ref.remote.wait();
  const late = failureOf(waits.with({ timeoutMs: 500 }).remote.note("late"));
  const early = waits.with({ timeoutMs: 501 }).callRemote("note", "early");
  await turns();
  s.clock.advance(499);
  await turns();
  assert.equal(s.pair.left.broker.tables().pendingCalls, s.hasFeatures ? 3 : 1);
  s.clock.advance(1);
  const error = await late;
  assert.deepEqual([error.name, error.message], ["TimeoutError", "No answer to note within 500 ms"]);
  await turns();
  s.target.gates[0]!.resolve(s.target);
  assert.equal(await waits, s.ref);
  assert.equal(await early, "early");
  assert.deepEqual(s.target.log, ["early"]);
});

onBoth("RemotePromise.with() gives up a call that has begun, for all of its time", async (s) => {
  const waits = s.ref.remote.wait();
  const late = failureOf(waits.with({ timeoutMs: 500 }).remote.wait());
  await turns();
  s.clock.advance(300);
  s.target.gates[0]!.resolve(s.target);
  await waits;
  await turns();
  assert.equal(s.target.gates.length, 2);
  const context = s.target.contexts[1]!;
  assert.equal(context.isCancellable, s.hasFeatures);
  s.clock.advance(200);
  const error = await late;
  assert.deepEqual([error.name, error.message], ["TimeoutError", "No answer to wait within 500 ms"]);
  await turns();
  assert.equal(context.signal.aborted, s.hasFeatures);
  s.target.gates[1]!.resolve(null);
});

onBoth("RemotePromise.with() tells how long there is, where the callee takes that", async (s) => {
  const end = s.clock.now() + 500;
  await s.ref.remote.itself().with({ timeoutMs: 500 }).remote.note("x");
  assert.equal(s.target.contexts[0]!.deadline, s.hasFeatures ? end : undefined);
});

onBoth("RemotePromise.with() gives a call up by its signal before the result is there", async (s) => {
  const waits = s.ref.remote.wait();
  const { signal } = s.controller;
  const call = failureOf(waits.with({ signal }).remote.note("given up"));
  const beside = waits.remote.note("beside");
  await turns();
  s.controller.abort(GIVEN_UP);
  assert.equal(await call, GIVEN_UP);
  await turns();
  s.target.gates[0]!.resolve(s.target);
  assert.equal(await beside, "beside");
  assert.deepEqual(s.target.log, ["beside"]);
});

onBoth("RemotePromise.with() gives a call up by its signal when it has begun", async (s) => {
  const { signal } = s.controller;
  const call = failureOf(s.ref.remote.itself().with({ signal }).remote.wait());
  await turns();
  assert.equal(s.target.gates.length, 1);
  s.controller.abort(GIVEN_UP);
  assert.equal(await call, GIVEN_UP);
  await turns();
  assert.equal(s.target.contexts[0]!.signal.aborted, s.hasFeatures);
  s.target.gates[0]!.resolve(null);
});

onBoth("RemotePromise.with() makes no call whose signal has fired before", async (s) => {
  const signal = AbortSignal.abort(GIVEN_UP);
  const itself = s.ref.remote.itself();
  assert.equal(await failureOf(itself.with({ signal }).remote.note("never")), GIVEN_UP);
  assert.equal(await itself, s.ref);
  assert.equal(await failureOf(itself.with({ signal }).remote.note("never")), GIVEN_UP);
  assert.deepEqual(s.target.log, []);
});

onBoth("calls of a call that is given up fail with its reason", async (s) => {
  const { signal } = s.controller;
  const limited = s.ref.remote.wait().with({ signal }).remote.wait();
  const chained = failureOf(limited.remote.note("chained"));
  const argument = failureOf(s.ref.remote.echo([limited]));
  await turns();
  s.controller.abort(GIVEN_UP);
  assert.equal(await failureOf(limited), GIVEN_UP);
  assert.equal(await chained, GIVEN_UP);
  assert.equal(await argument, GIVEN_UP);
  for (const gate of s.target.gates) gate.resolve(s.target);
  await turns();
  assert.deepEqual(s.target.log, []);
});

onBoth("RemotePromise.with() is for parts of the result, before and after they are named", async (s) => {
  const parts = s.ref.remote.parts();
  const options = { timeoutMs: 500 };
  const calls = [
    parts.with(options).get("list").get(0).remote.note("a"),
    parts.get("list").with(options).get(0).callRemote("note", "b"),
    parts.get("list").get(0).with(options).remote.note("c"),
  ];
  assert.deepEqual(await Promise.all(calls), ["a", "b", "c"]);
  if (s.hasFeatures) {
    assert.deepEqual(s.target.contexts.map(({ deadline }) => deadline), Array(3).fill(s.clock.now() + 500));
  }
  const nothing = parts.with(options).get("list").get(1);
  assert.ok(await failureOf(nothing.remote.note("d")) instanceof Violation);
  assert.throws(() => parts.with(options).get(-1 as never), TypeError);
});

onBoth("RemotePromise.with() calls a result that is a function", async (s) => {
  const { signal } = s.controller;
  assert.equal(await s.ref.remote.adder().with({ signal }).callFunction(2, 3), 5);
  s.controller.abort(GIVEN_UP);
  assert.equal(await failureOf(s.ref.remote.adder().with({ signal }).callFunction(2, 3)), GIVEN_UP);
});

onBoth("RemotePromise.with() makes calls that want no answer", async (s) => {
  s.ref.remote.itself().with({ timeoutMs: 500 }).callRemoteOnly("note", "only");
  s.ref.remote.itself().with({ methodConstraint: TAKES_NUMBERS }).callRemoteOnly("note", "refused");
  await turns();
  assert.deepEqual(s.target.log, ["only"]);
});

const TAKES_NUMBERS = method([["value", IntegerConstraint()]], null);

onBoth("RemotePromise.with() checks a call by the rules that it is given", async (s) => {
  const itself = s.ref.remote.itself();
  const ruled = itself.with({ methodConstraint: TAKES_NUMBERS });
  assert.ok(await failureOf(ruled.remote.note("text")) instanceof Violation);
  assert.equal((await failureOf(ruled.remote.echo(5))).name, "Violation", "the answer is not null");
  const answer = itself.with({ resultConstraint: Number });
  assert.equal(await answer.remote.echo(5), 5);
  assert.ok(await failureOf(answer.remote.echo("text")) instanceof Violation);
});

onBoth("RemotePromise.with() keeps the options that later ones do not name", async (s) => {
  const { signal } = s.controller;
  const waits = s.ref.remote.wait();
  const limited = waits.with({ signal, timeoutMs: 1 }).with({ timeoutMs: 500 });
  const [one, other] = [failureOf(limited.remote.note("1")), failureOf(limited.with({}).remote.note("2"))];
  await turns();
  s.clock.advance(499);
  s.controller.abort(GIVEN_UP);
  assert.deepEqual([await one, await other], [GIVEN_UP, GIVEN_UP]);
  await turns();
  s.target.gates[0]!.resolve(s.target);
  await waits;
});

onBoth("RemotePromise.with() refuses options that are none", async (s) => {
  const itself = s.ref.remote.itself();
  for (const timeoutMs of [-1, NaN, 2 ** 31]) {
    assert.throws(() => itself.with({ timeoutMs }), RangeError);
    assert.throws(() => itself.with({}).with({ timeoutMs }), RangeError);
  }
  assert.throws(() => itself.with({ signal: {} as AbortSignal }), TypeError);
  await itself;
});

onBoth("an object that comes home is called with the options of the call", async (s) => {
  const own = new Target();
  const { signal } = s.controller;
  const home = s.ref.remote.echo(own) as RemotePromise<Target>;
  const end = s.clock.now() + 500;
  const call = failureOf(home.with({ signal, timeoutMs: 500 }).remote.wait());
  await turns();
  assert.equal(own.contexts[0]!.deadline, end);
  s.controller.abort(GIVEN_UP);
  assert.equal(await call, GIVEN_UP);
  await turns();
  const { reason } = own.contexts[0]!.signal;
  // Where the call has gone by way of the peer, only that it was given up has come back.
  if (s.hasFeatures) assert.equal((reason as Error).name, "AbortError");
  else assert.equal(reason, GIVEN_UP);
  own.gates[0]!.resolve(null);
  // One that is given up before its turn is not begun.
  const stop = new AbortController();
  const unheard = failureOf(home.with({ signal: stop.signal }).remote.note("not begun"));
  stop.abort(GIVEN_UP);
  assert.equal(await unheard, GIVEN_UP);
  await turns();
  assert.deepEqual(own.log, []);
});

onBoth(
  "a call of a result that waits for an argument of another connection is limited all the time",
  async (s) => {
    await using elsewhere = new Pair({ clock: s.clock });
    const far = new Target();
    const pending = (await elsewhere.refTo(far)).remote.wait();
    const limited = s.ref.remote.itself().with({ timeoutMs: 500 });
    const end = s.clock.now() + 500;
    const [late, early] = [failureOf(limited.remote.wait()), limited.remote.note("early", pending)];
    const dropped = failureOf(s.ref.remote.itself().with({ timeoutMs: 100 }).remote.note("dropped", pending));
    await turns();
    s.clock.advance(100);
    assert.equal((await dropped).name, "TimeoutError");
    far.gates[0]!.resolve(1);
    assert.equal(await early, "early");
    assert.equal(s.target.contexts.at(-1)!.deadline, s.hasFeatures ? end : undefined);
    s.clock.advance(400);
    assert.equal((await late).message, "No answer to wait within 500 ms");
    await turns();
    assert.deepEqual(s.target.log, ["early"]);
    s.target.gates[0]!.resolve(null);
  },
);

onBoth("what serves a call is given up with it, unless it is detached", async (s) => {
  const waits = s.ref.remote.wait();
  const outcomes: Promise<unknown>[] = [];
  class Serving extends Referenceable {
    async remote_serve(): Promise<void> {
      outcomes.push(
        failureOf(waits.remote.note("served")),
        waits.with({ detached: true }).remote.note("detached"),
      );
      await waits;
    }
  }
  const served = failureOf(
    localReference(new Serving(), { clock: s.clock }).with({ timeoutMs: 500 }).callRemote("serve"),
  );
  await turns();
  assert.equal(outcomes.length, 2);
  s.clock.advance(500);
  assert.equal((await served).name, "TimeoutError");
  assert.equal((await outcomes[0] as Error).name, "TimeoutError");
  await turns();
  s.target.gates[0]!.resolve(s.target);
  assert.equal(await outcomes[1], "detached");
  assert.deepEqual(s.target.log, ["detached"]);
});

Deno.test("RemotePromise.with() pipelines: with options too, a chain takes one round trip", async () => {
  await using pair = new Pair({ features: OWN_FEATURES });
  const target = new Target();
  const ref = await pair.refTo(target);
  pair.right.connection.hold();
  const limited = ref.remote.itself().with({ timeoutMs: 500 }).remote.parts();
  const last = limited.with({ timeoutMs: 400 }).get("list").get(0).remote.note("last");
  await turns(10);
  pair.left.connection.hold();
  pair.right.connection.release();
  assert.equal(await last, "last");
  pair.left.connection.release();
});

Deno.test("RemotePromise.with() gives no plain object and nothing to wait for", async () => {
  await using pair = new Pair();
  const itself = (await pair.refTo(new Target())).remote.itself();
  const limited = itself.with({ timeoutMs: 500 });
  assert.equal(await (limited as unknown), limited);
  assert.equal((limited.remote as unknown as { then?: unknown }).then, undefined);
  await itself;
});
