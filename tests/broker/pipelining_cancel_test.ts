/** Calls of results that are not there yet, with all else that two Tubs of this library agree on. */
import assert from "node:assert/strict";
import { type CallContext, currentCall } from "../../lib/broker/call_context.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import type { RemotePromise, RemoteReference } from "../../lib/broker/remote_reference.ts";
import { ProtocolError, Violation } from "../../lib/errors.ts";
import { OWN_FEATURES } from "../../lib/util/features.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { failureOf, Pair, turns, until } from "./support.ts";

class Target extends Referenceable {
  readonly log: string[] = [];
  readonly gates: PromiseWithResolvers<unknown>[] = [];
  readonly contexts: CallContext[] = [];
  readonly peers: RemoteReference[] = [];

  remote_note(text: string, ..._others: unknown[]): string {
    this.log.push(text);
    this.contexts.push(currentCall()!);
    return text;
  }
  remote_wait(): Promise<unknown> {
    const gate = Promise.withResolvers<unknown>();
    this.gates.push(gate);
    return gate.promise;
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_parts(): unknown {
    return {
      when: new Date(5),
      map: new Map<unknown, unknown>([["a", new Date(6)], [{}, undefined]]),
      nothing: undefined,
      error: Object.assign(new RangeError("no"), { secret: "not sent" }),
    };
  }
  remote_kinds(...values: unknown[]): string[] {
    return values.map((value) => Object.prototype.toString.call(value));
  }
  /** Makes a chain of calls for its caller, and waits for the end of it. */
  async remote_chain(of: RemoteReference<Target>): Promise<unknown> {
    const waits = of.remote.wait() as RemotePromise<RemoteReference<Target>>;
    return await (waits.remote.note("of the chain") as Promise<unknown>);
  }
}

type Ref = RemoteReference<Target>;
type Loose = RemotePromise<Ref>;

interface Stage {
  readonly ref: Ref;
  readonly target: Target;
  readonly pair: Pair;
  readonly clock: FakeClock;
  readonly controller: AbortController;
}

const IDLE = { pendingCalls: 0, activeCalls: 0, pendingGifts: 0, keptAnswers: 0 };

/** At the end nothing waits on either side, though the connection is there. */
async function withTarget(run: (stage: Stage) => Promise<void>): Promise<void> {
  const clock = new FakeClock();
  await using pair = new Pair({ features: OWN_FEATURES, clock });
  const target = new Target();
  const ref = await pair.refTo(target);
  await run({ ref, target, pair, clock, controller: new AbortController() });
  await turns();
  for (let i = 0; i < 3; i++) {
    clock.advance(1_000);
    await turns();
  }
  for (const { broker } of [pair.left, pair.right]) {
    assert.equal(broker.ended, undefined);
    const { pendingCalls, activeCalls, pendingGifts, keptAnswers } = broker.tables();
    assert.deepEqual({ pendingCalls, activeCalls, pendingGifts, keptAnswers }, IDLE);
    assert.deepEqual(broker.outstanding(), { inbound: [], outbound: [] });
  }
}

const GIVEN_UP = new DOMException("given up by the test", "AbortError");

Deno.test("a call put aside that is given up is not begun, and frees those behind it", () =>
  withTarget(async ({ ref, target, pair, controller }) => {
    const gate = ref.remote.wait();
    const { signal } = controller;
    const aside = failureOf(ref.with({ signal }).callRemote("note", "aside", gate));
    const behind = ref.callRemote("note", "behind");
    await turns();
    assert.equal(pair.right.broker.tables().activeCalls, 3);
    assert.deepEqual(target.log, []);
    controller.abort(GIVEN_UP);
    assert.equal(await aside, GIVEN_UP);
    assert.equal(await behind, "behind");
    assert.equal(pair.right.broker.tables().activeCalls, 1, "the one that it waited for");
    target.gates[0]!.resolve(1);
    assert.equal(await gate, 1);
    assert.deepEqual(target.log, ["behind"]);
  }));

for (const isStarted of [true, false]) {
  const when = isStarted ? "runs" : "is put aside itself";
  Deno.test(`what depends on a call that is given up fails with its reason, where that ${when}`, () =>
    withTarget(async ({ ref, target, pair, controller }) => {
      const { signal } = controller;
      const gate = ref.remote.wait();
      const limited = ref.with({ signal });
      const given = (isStarted ? limited.callRemote("wait") : limited.callRemote("echo", gate)) as Loose;
      const called = given.remote.echo("called") as Loose;
      const chained = failureOf(called.remote.note("chained"));
      const named = failureOf(ref.callRemote("echo", [given]));
      const other = pair.left.broker.tables().pendingCalls;
      assert.equal(other, 5);
      await turns();
      controller.abort(GIVEN_UP);
      assert.equal(await failureOf(given), GIVEN_UP);
      assert.equal(await failureOf(called), GIVEN_UP);
      assert.equal(await chained, GIVEN_UP);
      assert.equal(await named, GIVEN_UP);
      assert.equal(await failureOf(given.remote.note("later")), GIVEN_UP);
      for (const { resolve } of target.gates) resolve(1);
      assert.equal(await gate, 1);
      assert.equal(await ref.remote.note("goes on"), "goes on");
      assert.deepEqual(target.log, ["goes on"]);
    }));
}

Deno.test("a hundred calls put aside and given up leave nothing behind at a call that never ends", () =>
  withTarget(async ({ ref, target, pair }) => {
    const gate = ref.remote.wait() as Loose;
    for (let round = 0; round < 5; round++) {
      const controller = new AbortController();
      const { signal } = controller;
      const failures = Array.from(
        { length: 20 },
        (_, i) => failureOf(ref.with({ signal }).callRemote("note", `${i}`, gate)),
      );
      await turns();
      assert.equal(pair.right.broker.tables().activeCalls, 21);
      controller.abort(GIVEN_UP);
      await Promise.all(failures);
      await until(() => pair.right.broker.tables().activeCalls === 1, "only the first is left");
    }
    target.gates[0]!.resolve(null);
    await gate;
  }));

Deno.test("a deadline on a call of promised arguments is told to the callee, and ends the wait for them", () =>
  withTarget(async ({ ref, target, clock, pair }) => {
    const gate = ref.remote.wait();
    const late = failureOf(ref.with({ timeoutMs: 100 }).callRemote("note", "late", gate));
    const early = ref.with({ timeoutMs: 500 }).callRemote("note", "early", gate);
    await turns();
    clock.advance(100);
    assert.equal((await late).name, "TimeoutError");
    await turns();
    assert.equal(pair.right.broker.tables().activeCalls, 2);
    target.gates[0]!.resolve(1);
    assert.equal(await early, "early");
    assert.deepEqual(target.log, ["early"]);
    assert.equal(target.contexts[0]!.deadline, clock.now() + 400, "from when it came, not when it began");
  }));

Deno.test("calls of results serve the call that they are made for: they have its deadline and end with it", () =>
  withTarget(async ({ ref, target, clock, pair }) => {
    const mine = new Target();
    const chain = failureOf(ref.with({ timeoutMs: 300 }).callRemote("chain", mine));
    await until(() => mine.gates.length === 1, "the chain has begun");
    await turns();
    assert.equal(pair.right.broker.tables().pendingCalls, 2);
    assert.equal(pair.left.broker.tables().activeCalls, 2);
    clock.advance(300);
    assert.equal((await chain).name, "TimeoutError");
    await turns();
    assert.equal(pair.right.broker.tables().pendingCalls, 0);
    assert.equal(pair.left.broker.tables().activeCalls, 1, "the method that takes no notice");
    mine.gates[0]!.resolve(mine);
    await turns();
    assert.deepEqual([mine.log, target.log], [[], []]);
  }));

Deno.test("a call that is held back here for an argument is dropped from its line when it is given up", () =>
  withTarget(async ({ ref, target, controller }) => {
    const clock = new FakeClock();
    await using elsewhere = new Pair({ features: OWN_FEATURES, clock });
    const far = new Target();
    const pending = (await elsewhere.refTo(far)).remote.wait();
    const { signal } = controller;
    const first = failureOf(ref.with({ signal }).callRemote("note", "first", pending));
    const second = failureOf(ref.with({ signal }).callRemote("note", "second", pending));
    const third = ref.callRemote("note", "third");
    await turns();
    assert.deepEqual(target.log, []);
    controller.abort(GIVEN_UP);
    assert.equal(await first, GIVEN_UP);
    assert.equal(await second, GIVEN_UP);
    assert.equal(await third, "third");
    far.gates[0]!.resolve(1);
    await pending;
    assert.deepEqual(target.log, ["third"]);
  }));

Deno.test("parts of a result that only JavaScript has are promised as such", () =>
  withTarget(async ({ ref }) => {
    const parts = ref.remote.parts() as RemotePromise<unknown>;
    const { get } = parts;
    const at = (...path: string[]) => path.reduce((of, key) => get.call(of, key), parts);
    const kinds = ref.remote.kinds(at("when"), at("map"), at("map", "a"), at("nothing"), at("error"), parts);
    assert.deepEqual(
      await kinds,
      ["Date", "Map", "Date", "Undefined", "Error", "Object"].map((k) => `[object ${k}]`),
    );
    assert.deepEqual(await at("map", "a"), new Date(6));
    assert.deepEqual(await ref.remote.echo([at("when"), at("map", "a")]), [new Date(5), new Date(6)]);
  }));

Deno.test("what an error has of its own is not promised, since it is not sent", () =>
  withTarget(async ({ ref }) => {
    const parts = ref.remote.parts() as RemotePromise<Record<string, Record<string, unknown>>>;
    const failure = await failureOf(ref.remote.echo(parts.get("error").get("secret")));
    assert.match(failure.message, /without that/);
    assert.ok(await failureOf(parts.get("error").get("secret")) instanceof Violation);
  }));

Deno.test("a result of a third Tub is not called by the Tub that holds it, under its own identity", async () => {
  const far = new Target();
  const furl = `pb://${"r".repeat(32)}@tcp:h:1/name`;
  await using toFar = new Pair({ prepare: (_left, right) => void right.furls.set(far, furl) });
  const held = await toFar.refTo(far);
  class Holder extends Target {
    override remote_echo(_value: unknown): unknown {
      return held;
    }
  }
  await using pair = new Pair({ features: OWN_FEATURES });
  const holder = await pair.refTo(new Holder());
  const fetched = Promise.withResolvers<never>();
  pair.left.host.acquire = () => fetched.promise;
  const gift = holder.remote.echo(0) as Loose;
  const refused = await failureOf(gift.remote.note("for the caller"));
  assert.match(refused.message, /the result lives in a third Tub: await it and call it yourself/);
  fetched.reject(new ProtocolError("not reached"));
  assert.equal((await failureOf(gift)).message, "not reached");
  assert.deepEqual(far.log, []);
});
