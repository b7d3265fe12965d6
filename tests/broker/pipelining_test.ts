/**
 * Calls of results that are not there yet. Round trips are counted, not timed: while one end's bytes are held, what the
 * other end has begun was begun in the first one.
 */
import assert from "node:assert/strict";
import { callable } from "../../lib/broker/callable.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { registerRemotelyCallable } from "../../lib/broker/remotely_callable.ts";
import {
  RemoteFunction,
  type RemotePromise,
  type RemoteReference,
} from "../../lib/broker/remote_reference.ts";
import { RemoteInterface } from "../../lib/broker/remote_interface.ts";
import { Any, ListOf, method } from "../../lib/broker/schema.ts";
import { DeadReferenceError, RemoteException, Violation } from "../../lib/errors.ts";
import { Copyable } from "../../lib/graph/copyable.ts";
import { registerRemoteCopy } from "../../lib/graph/copy_types.ts";
import type { Dict } from "../../lib/values/dict.ts";
import { type Kwargs, kwargs } from "../../lib/values/kwargs.ts";
import { tuple } from "../../lib/values/tuple.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { EMPTY, failureOf, Pair, type TestOptions, turns, until } from "./support.ts";

const PIPELINE = new Map([["pipeline", 1]]);

class Money extends Copyable {
  static override copytype = "pipelining.Money";
  constructor(public amount = 0, public of: unknown = null) {
    super();
  }
  total() {
    return this.amount;
  }
}
registerRemoteCopy(Money);

class Engine {
  revs = 7;
}
class EngineAdapter extends Referenceable {
  constructor(readonly engine: Engine) {
    super();
  }
  remote_revs() {
    return this.engine.revs;
  }
}
registerRemotelyCallable(Engine, (engine) => new EngineAdapter(engine));

const RIRules = RemoteInterface("RIRules.pipelining", {
  double: method([["value", Number]], Number),
  sum: method([["values", ListOf(Number)]], Number),
  itself: method([], Any()),
});

class Strict extends Referenceable {
  static override remoteInterface = RIRules;
  remote_double(value: number) {
    return value * 2;
  }
  remote_sum(values: number[]) {
    return values.reduce((a, b) => a + b, 0);
  }
  remote_itself() {
    return this;
  }
}

class Node extends Referenceable {
  readonly log: string[] = [];
  readonly list = [1, 2];
  readonly waiting = new Map<string, PromiseWithResolvers<unknown>>();
  secret = "a field";

  remote_next(): Node {
    this.log.push("next");
    return this;
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_record(mark: string, ..._others: unknown[]): string {
    this.log.push(mark);
    return mark;
  }
  remote_add(a: number, b: number): number {
    this.log.push("add");
    return a + b;
  }
  remote_named({ values }: Kwargs): unknown {
    return values.k;
  }
  remote_parts(): unknown {
    return {
      list: [10, [this, 20]],
      money: new Money(5, tuple(1, { deep: "text" })),
      map: new Map<unknown, unknown>([["a", 1], [2, 3]]),
      bytes: new Uint8Array(3),
      __proto__x: 1,
    };
  }
  remote_fail(text: string): never {
    throw new RangeError(text);
  }
  remote_wait(name: string): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>();
    this.waiting.set(name, waiting);
    return waiting.promise;
  }
  remote_release(name: string, value: unknown): void {
    this.waiting.get(name)!.resolve(value);
  }
  remote_internal(): unknown {
    return this.list;
  }
  remote_push(list: number[]): number {
    return list.push(99);
  }
  remote_same(a: unknown, b: unknown): boolean {
    return a === b;
  }
  remote_isMe(value: unknown): boolean {
    return value === this;
  }
  remote_adder(): unknown {
    return callable((a: number, b: number) => a + b);
  }
  remote_engine(): unknown {
    return new Engine();
  }
  remote_unsendable(): unknown {
    return [Symbol("no")];
  }
  remote_isEngine(value: unknown): boolean {
    return value instanceof Engine;
  }
  remote_strict(): Strict {
    return new Strict();
  }
}

type Ref = RemoteReference;
// deno-lint-ignore no-explicit-any
type Loose = RemotePromise<any>;

interface Stage extends AsyncDisposable {
  readonly pair: Pair;
  readonly node: Node;
  readonly ref: Ref;
}

async function stage(options: TestOptions = {}): Promise<Stage> {
  const pair = new Pair({ features: PIPELINE, ...options });
  const node = new Node();
  const ref = await pair.refTo(node) as unknown as Ref;
  return { pair, node, ref, [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]() };
}

const call = (of: Ref | RemotePromise<unknown>, name: string, ...args: unknown[]): RemotePromise<unknown> =>
  (of as Ref).callRemote(name, ...args);

/** What happens with nothing but the first message of the caller: no answer gets through. */
async function inOneTrip(stage: Stage, run: () => RemotePromise<unknown>): Promise<unknown> {
  stage.pair.right.connection.hold();
  const result = run();
  await turns(10);
  // Nothing more of the caller's gets through either.
  stage.pair.left.connection.hold();
  stage.pair.right.connection.release();
  try {
    return await result;
  } finally {
    stage.pair.left.connection.release();
  }
}

for (const count of [4, 10]) {
  Deno.test(`a chain of ${count} calls takes one round trip`, async () => {
    await using s = await stage();
    await inOneTrip(s, () => {
      let last: RemotePromise<unknown> = call(s.ref, "next");
      for (let i = 1; i < count; i++) last = call(last, "next");
      return last;
    });
    assert.deepEqual(s.node.log, Array(count).fill("next"));
  });
}

const ONE_TRIP: Record<string, [run: (ref: Ref) => RemotePromise<unknown>, expected: unknown]> = {
  "a proxy of a promise": [(ref) => call((ref.remote.next!() as Loose).remote.next!(), "add", 1, 2), 3],
  "an argument": [(ref) => call(ref, "add", call(ref, "add", 1, 2), call(ref, "add", 3, 4)), 10],
  "an argument in containers": [
    (ref) => call(ref, "echo", [{ a: call(ref, "echo", 5) }, tuple(call(ref, "echo", 6))]).get(0),
    { a: 5 },
  ],
  "a keyword argument": [(ref) => call(ref, "named", kwargs({ k: call(ref, "echo", 8) })), 8],
  "an element": [(ref) => call(ref, "add", call(ref, "parts").get("list").get(0), 1), 11],
  "a method of a part": [(ref) => call(call(ref, "parts").get("list").get(1).get(0), "add", 1, 1), 2],
  "an attribute of a copy": [(ref) => call(ref, "echo", call(ref, "parts").get("money").get("amount")), 5],
  "a part of a part of a copy": [
    (ref) => call(ref, "echo", call(ref, "parts").get("money").get("of").get(1).get("deep")),
    "text",
  ],
  "an entry of a Map": [(ref) => call(ref, "echo", call(ref, "parts").get("map").get("a")), 1],
  "the object itself": [(ref) => call(ref, "isMe", call(ref, "next")), true],
  "one promise twice": [
    (ref) => {
      const list = call(ref, "internal");
      return call(ref, "same", list, list);
    },
    true,
  ],
  "a function": [(ref) => (call(ref, "adder") as RemotePromise<RemoteFunction>).callFunction(2, 3), 5],
  "an object with an adapter": [(ref) => call(call(ref, "engine"), "revs"), 7],
  "an object with an adapter as an argument": [(ref) => call(ref, "isEngine", call(ref, "engine")), true],
  "rules for a promised argument": [(ref) => call(call(ref, "strict"), "double", call(ref, "add", 2, 2)), 8],
  "rules for a promised element": [(ref) => call(call(ref, "strict"), "sum", [1, call(ref, "add", 2, 2)]), 5],
};

for (const [name, [run, expected]] of Object.entries(ONE_TRIP)) {
  Deno.test(`${name}: in one round trip, and with the same result without the feature`, async () => {
    await using s = await stage();
    const value = await inOneTrip(s, () => run(s.ref));
    await using plain = await stage({ features: new Map() });
    const before = await run(plain.ref);
    if (expected !== undefined) assert.deepEqual(value, toNull(expected));
    assert.deepEqual(value, before);
  });
}

function toNull(value: unknown): unknown {
  return typeof value === "object" ? Object.assign(Object.create(null), value) : value;
}

const FAILURES: Record<
  string,
  [run: (ref: Ref) => RemotePromise<unknown>, type: abstract new (...args: never[]) => Error, message: RegExp]
> = {
  "a method that fails": [(ref) => call(call(ref, "fail", "broken"), "next"), RemoteException, /^broken$/],
  "an argument that fails": [
    (ref) => call(ref, "echo", [call(ref, "fail", "broken")]),
    RemoteException,
    /^broken$/,
  ],
  "a chain behind a failure": [
    (ref) => call(call(call(call(ref, "fail", "broken"), "next"), "next"), "next"),
    RemoteException,
    /^broken$/,
  ],
  "a result without methods": [
    (ref) => call(call(ref, "add", 1, 2), "next"),
    Error,
    /it is a number, not an object/,
  ],
  "an element that is not there": [
    (ref) => call(ref, "echo", call(ref, "parts").get("list").get(7)),
    Error,
    /\[7\]/,
  ],
  "an inherited property": [
    (ref) => call(ref, "echo", call(ref, "parts").get("constructor")),
    Error,
    /constructor/,
  ],
  "__proto__": [(ref) => call(ref, "echo", call(ref, "parts").get("__proto__")), Error, /__proto__/],
  "a method of a copy": [
    (ref) => call(ref, "echo", call(ref, "parts").get("money").get("total")),
    Error,
    /total/,
  ],
  "the length of a list": [(ref) => call(ref, "echo", call(ref, "internal").get("length")), Error, /length/],
  "a field of an object": [(ref) => call(ref, "echo", call(ref, "next").get("secret")), Error, /secret/],
  "a byte of bytes": [
    (ref) => call(ref, "echo", call(ref, "parts").get("bytes").get(0)),
    Error,
    /byte string/,
  ],
  "a result that cannot be sent": [
    (ref) => call(call(ref, "unsendable"), "next"),
    Error,
    /serialize a symbol/,
  ],
  "a rule that a promised argument breaks": [
    (ref) => call(call(ref, "strict"), "double", call(ref, "echo", "text")),
    Error,
    /not a number/,
  ],
};

for (const [name, [run, type, message]] of Object.entries(FAILURES)) {
  for (const features of [PIPELINE, new Map()]) {
    Deno.test(`${name} fails what depends on it, ${features.size > 0 ? "with" : "without"} the feature`, async () => {
      await using s = await stage({ features });
      const error = await failureOf(run(s.ref));
      assert.match(error.message, message);
      assert.ok(error instanceof type);
      assert.ok(error instanceof Violation || error instanceof RemoteException);
      await turns(5);
      assert.equal(s.pair.left.broker.tables().pendingCalls, 0);
      assert.equal(s.pair.right.broker.tables().activeCalls, 0);
      assert.equal(await call(s.ref, "add", 1, 1), 2, "the connection goes on");
    });
  }
}

Deno.test("what depends on one call fails with the very error of that call", async () => {
  for (const features of [PIPELINE, new Map()]) {
    await using s = await stage({ features });
    const first = call(s.ref, "fail", "broken");
    const [a, b] = [call(first, "next"), call(s.ref, "echo", [first])];
    const second = call(a, "next");
    const error = await failureOf(first);
    assert.ok(error instanceof RemoteException && error.check("javascript.RangeError") !== undefined);
    for (const other of [a, b, second]) assert.equal(await failureOf(other), error);
  }
});

Deno.test("a promise of which calls were made need not be caught, nor its parts", async () => {
  await using s = await stage();
  const parts = call(s.ref, "fail", "x");
  await failureOf(call(parts.get("list").get(0), "next"));
  (call(s.ref, "fail", "y") as Loose).callRemoteOnly("next");
  await turns(10);
});

Deno.test("calls of one promise, and of one object, start in the order in which they were made", async () => {
  for (const features of [PIPELINE, new Map()]) {
    await using s = await stage({ features });
    const next = call(s.ref, "next");
    const made = [
      call(next, "record", "1", call(s.ref, "echo", 0)),
      call(next, "record", "2"),
      call(next, "record", "3", [call(s.ref, "echo", 0)]),
      call(next, "record", "4"),
    ];
    await Promise.all(made);
    assert.deepEqual(s.node.log.filter((mark) => mark !== "next"), ["1", "2", "3", "4"]);
    s.node.log.length = 0;
    const direct = [
      call(s.ref, "record", "a", call(s.ref, "echo", 0)),
      call(s.ref, "record", "b"),
      call(s.ref, "record", "c", call(s.ref, "echo", 0)),
    ];
    s.ref.callRemoteOnly("record", "d", call(s.ref, "echo", 0));
    direct.push(call(s.ref, "record", "e"));
    await Promise.all(direct);
    assert.deepEqual(s.node.log, ["a", "b", "c", "d", "e"]);
  }
});

Deno.test("a call that waits for a result does not hold up those of other objects", async () => {
  await using s = await stage();
  const other = new Node();
  s.node.waiting.set("x", Promise.withResolvers());
  const otherRef = await s.pair.refTo(other, "other") as unknown as Ref;
  const waiting = call(s.ref, "wait", "w");
  const aside = call(otherRef, "record", "late", waiting);
  assert.equal(await call(s.ref, "record", "now"), "now");
  assert.deepEqual(other.log, []);
  await call(s.ref, "release", "w", 1);
  await aside;
  assert.deepEqual(other.log, ["late"]);
});

Deno.test("what is named as an argument is not shared with the method that gave it", async () => {
  await using s = await stage();
  assert.equal(await call(s.ref, "push", call(s.ref, "internal")), 3);
  assert.deepEqual(s.node.list, [1, 2]);
});

Deno.test("an object of the caller's is called back", async () => {
  await using s = await stage();
  const mine = new Node();
  assert.equal(await call(call(s.ref, "echo", mine), "record", "mine"), "mine");
  assert.deepEqual(mine.log, ["mine"]);
});

Deno.test("results are kept until the caller has seen them, and not longer than the limits say", async () => {
  const clock = new FakeClock();
  await using s = await stage({ clock, limits: { maxKeptAnswers: 5 } });
  const kept = () => s.pair.right.broker.tables().keptAnswers;
  await call(s.ref, "add", 1, 2);
  assert.equal(kept(), 2, "that of the name as well");
  clock.advance(1_000);
  await until(() => kept() === 0, "the caller says what it has seen");
  await Promise.all(Array.from({ length: 20 }, () => call(s.ref, "add", 1, 2)));
  assert.ok(kept() <= 5);
  clock.advance(1_000);
  await until(() => kept() === 0, "all are seen");
  await Promise.all(Array.from({ length: 31 }, () => call(s.ref, "add", 1, 2)));
  assert.equal(kept(), 5);
  await call(s.ref, "add", 1, 2);
  await until(() => kept() === 0, "after 32 the caller does not wait");
});

Deno.test("a result that is no longer kept is a Violation that says what to do", async () => {
  await using s = await stage({ limits: { maxKeptAnswers: 2 } });
  s.pair.right.connection.hold();
  const first = call(s.ref, "next");
  for (let i = 0; i < 5; i++) void call(s.ref, "add", i, 0);
  await turns(10);
  const late = call(first, "add", 1, 1);
  await turns(10);
  s.pair.right.connection.release();
  assert.match((await failureOf(late)).message, /it is not kept; wait for it/);
  assert.equal(await call(first, "add", 1, 1), 2, "the value itself is there now");
});

Deno.test("whenever the connection is lost, nothing is left", async () => {
  for (const state of ["aside", "held", "on its way", "answered"]) {
    const clock = new FakeClock();
    const s = await stage({ clock, features: state === "held" ? new Map() : PIPELINE });
    const wait = call(s.ref, "wait", "w");
    const made = [wait, call(wait, "next"), call(s.ref, "echo", [wait]), call(s.ref, "next"), wait.get("x")];
    made.push(call(s.ref, "next"));
    s.ref.callRemoteOnly("record", wait);
    const settled = Promise.allSettled(made);
    if (state !== "on its way") await turns(10);
    if (state === "answered") {
      s.pair.right.connection.hold();
      s.node.waiting.get("w")!.resolve(s.node);
      await turns(10);
    }
    s.pair.left.connection.drop();
    for (const { status, reason } of await settled as PromiseRejectedResult[]) {
      assert.equal(status, "rejected");
      assert.ok(reason instanceof DeadReferenceError, String(reason));
    }
    await turns(10);
    for (const { broker } of [s.pair.left, s.pair.right]) assert.deepEqual(broker.tables(), EMPTY);
    await s[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0);
  }
});

Deno.test("promises of another connection, or of none, are waited for", async () => {
  await using one = await stage();
  await using other = await stage();
  const there = call(other.ref, "add", 2, 3);
  assert.equal(await call(one.ref, "add", there, call(one.ref, "add", 1, 1)), 7);
  assert.equal(await call(call(one.ref, "next"), "add", call(other.ref, "add", 2, 3), 1), 6);
  const error = await failureOf(call(one.ref, "echo", [call(other.ref, "fail", "there")]));
  assert.match(error.message, /^there$/);
  const settled = call(one.ref, "add", 4, 4);
  await settled;
  assert.equal(await call(one.ref, "add", settled, 1), 9);
});

Deno.test("a call that was given up while it waited for an argument is not sent, and holds up nothing", async () => {
  await using one = await stage();
  await using other = await stage();
  const never = call(other.ref, "wait", "never");
  const controller = new AbortController();
  const given = (one.ref.with({ signal: controller.signal }).callRemote as typeof one.ref.callRemote)(
    "record",
    "no",
    never,
  );
  const behind = call(one.ref, "record", "yes");
  await turns(5);
  assert.deepEqual(one.node.log, []);
  controller.abort(new RangeError("given up"));
  assert.equal((await failureOf(given)).message, "given up");
  assert.equal(await behind, "yes");
  assert.deepEqual(one.node.log, ["yes"]);
  other.node.waiting.get("never")!.resolve(1);
});

Deno.test("a promise in an answer is a Violation: nobody can wait for it there", async () => {
  await using s = await stage();
  class Back extends Referenceable {
    remote_bad() {
      return [call(s.ref, "wait", "z")];
    }
  }
  const error = await failureOf(
    call(s.ref, "echo", 1).then(() => call(call(s.ref, "echo", new Back()), "bad")),
  );
  assert.match(error.message, /await it first/);
  s.node.waiting.get("z")!.resolve(1);
});

Deno.test("proxies are not thenable, and await of a promise takes no more steps than before", async () => {
  await using s = await stage();
  const proxy = call(s.ref, "next").remote as unknown as Record<string, unknown>;
  assert.equal(proxy.then, undefined);
  assert.equal(await proxy, proxy);
  const promise = call(s.ref, "add", 1, 2);
  assert.equal(Promise.resolve(promise), promise);
  assert.equal(await promise, 3);
  assert.throws(() => promise.get(-1), TypeError);
  assert.ok(await call(s.ref, "adder") instanceof RemoteFunction);
  assert.equal((await call(s.ref, "echo", new Map([[1, 2]])) as Dict<unknown, unknown>).get(1), 2);
});
