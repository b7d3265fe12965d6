/**
 * Random programs of calls over results that are not there yet, against the same programs where each step is awaited: the
 * results and the failures are the same, and nothing is left on either side.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { callable } from "../../lib/broker/callable.ts";
import { currentCall } from "../../lib/broker/call_context.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { RemoteFunction, type RemotePromise, RemoteReference } from "../../lib/broker/remote_reference.ts";
import { ProtocolError, RemoteException } from "../../lib/errors.ts";
import { Tuple, tuple } from "../../lib/values/tuple.ts";
import { type Features, OWN_FEATURES } from "../../lib/util/features.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { EMPTY, Pair, turns } from "./support.ts";

const WITHOUT: Features = new Map([...OWN_FEATURES].filter(([name]) => name !== "pipeline"));

/** An object of either side. What its methods give depends on their arguments only, and on how long they take. */
class Node extends Referenceable {
  readonly children = new Map<string, Node>();
  constructor(readonly path: string) {
    super();
  }
  remote_child(name: unknown): Node {
    if (typeof name !== "string") throw new TypeError(`a child by ${typeof name}`);
    return this.children.getOrInsertComputed(name, () => new Node(`${this.path}/${name}`));
  }
  remote_path(): string {
    return this.path;
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  async remote_later(value: unknown): Promise<unknown> {
    await turns(2);
    return value;
  }
  remote_pack(...values: unknown[]): unknown {
    return { list: values, first: values[0], pair: tuple(this, values[0]), map: new Map([["a", values[0]]]) };
  }
  remote_size(value: unknown): number {
    return sizeOf(value);
  }
  remote_fail(text: unknown): never {
    throw new RangeError(`failed with ${typeof text}`);
  }
  remote_adder(): unknown {
    return callable((a: unknown, b: unknown) => `${typeof a} ${typeof b} at ${this.path}`);
  }
  remote_nothing(): void {}
  /** Asks another object, of whichever side, for its path. */
  async remote_ask(other: unknown): Promise<unknown> {
    if (other instanceof Node) return other.path;
    if (other instanceof RemoteReference) return await (other as RemoteReference).callRemote("path");
    throw new TypeError("nobody to ask");
  }
  /** Until its caller has given it up. */
  remote_hang(): Promise<unknown> {
    const { signal } = currentCall()!;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}

function sizeOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  if (value instanceof Node || value instanceof RemoteReference || value instanceof RemoteFunction) {
    return 100;
  }
  if (value instanceof Map) return value.values().reduce((sum, v) => sum + sizeOf(v), 1);
  return Object.values(value).reduce((sum: number, v) => sum + sizeOf(v), 1);
}

/** An argument: something given, a result, or something with results in it. */
type Argument =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "step"; readonly step: number }
  | { readonly kind: "list" | "tuple" | "map" | "object"; readonly items: readonly Argument[] }
  | { readonly kind: "own" | "root" };

interface Step {
  /** Of which step's result a method is called, or a part taken; `undefined`: the root. */
  readonly of: number | undefined;
  readonly key?: string | number;
  readonly method?: string;
  readonly args: readonly Argument[];
  readonly isOnly: boolean;
  /** Turns before the next step is made. */
  readonly pause: number;
}

function random(seed: number): (below: number) => number {
  let state = seed * 2654435761 >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 4294967296 * below);
  };
}

const METHODS = [
  "child",
  "child",
  "path",
  "echo",
  "later",
  "later",
  "pack",
  "size",
  "fail",
  "adder",
  "nothing",
  "ask",
];
const KEYS = ["list", "first", "pair", "map", "a", 0, 0, 1, "missing", "__proto__"];

function programOf(rand: (below: number) => number, length: number): Step[] {
  const steps: Step[] = [];
  const argument = (depth: number): Argument => {
    const kind = rand(depth > 2 ? 6 : 10);
    if (kind < 3 && steps.length > 0) return { kind: "step", step: rand(steps.length) };
    if (kind === 3) return { kind: "own" };
    if (kind === 4) return { kind: "root" };
    if (kind < 7) return { kind: "value", value: [1, "x", "y", null, true][rand(5)] };
    const items = Array.from({ length: rand(3) }, () => argument(depth + 1));
    return { kind: (["list", "tuple", "map", "object"] as const)[rand(4)]!, items };
  };
  for (let i = 0; i < length; i++) {
    const of = i > 0 && rand(4) > 0 ? Math.max(0, i - 1 - rand(4)) : undefined;
    const pause = rand(12) === 0 ? 1 + rand(6) : 0;
    if (of !== undefined && rand(3) === 0) {
      steps.push({ of, key: KEYS[rand(KEYS.length)]!, args: [], isOnly: false, pause });
      continue;
    }
    const method = METHODS[rand(METHODS.length)]!;
    const args = method === "child" && rand(5) > 0
      ? [{ kind: "value", value: "abc"[rand(3)]! } as const]
      : Array.from({ length: method === "pack" ? rand(4) : 1 }, () => argument(0));
    steps.push({ of, method: rand(25) === 0 ? "" : method, args, isOnly: rand(15) === 0, pause });
  }
  return steps;
}

type Promised = RemotePromise<unknown>;
type Ref = RemoteReference;

/** One run: the promises of a program's steps. */
class Run {
  readonly promises: Promised[] = [];
  readonly own = new Node("own");

  constructor(readonly pair: Pair, readonly root: Ref, readonly isAwaited: boolean) {}

  async make(steps: readonly Step[], options: (step: number) => { signal?: AbortSignal } = () => ({})) {
    for (const [i, step] of steps.entries()) {
      const promise = this.#promise(step, options(i));
      promise.catch(() => {});
      this.promises.push(promise);
      if (this.isAwaited) await promise.catch(() => {});
      else if (step.pause > 0) await turns(step.pause);
    }
  }

  #promise(step: Step, options: { signal?: AbortSignal }): Promised {
    const target = step.of === undefined ? undefined : this.promises[step.of]!;
    if (step.key !== undefined) {
      return (target as RemotePromise<Record<string, unknown>>).get(step.key as string);
    }
    const args = step.args.map((argument) => this.#value(argument));
    const method = step.method!;
    const ref = target === undefined ? this.root.with(options) : target as unknown as Ref;
    if (step.isOnly) ref.callRemoteOnly(method, ...args);
    return ref.callRemote(method, ...args) as Promised;
  }

  #value(argument: Argument): unknown {
    switch (argument.kind) {
      case "value":
        return argument.value;
      case "step":
        return this.promises[argument.step];
      case "own":
        return this.own;
      case "root":
        return this.root;
    }
    const items = argument.items.map((item) => this.#value(item));
    switch (argument.kind) {
      case "list":
        return items;
      case "tuple":
        return tuple(...items);
      case "map":
        return new Map(items.map((item, i) => [`k${i}`, item]));
      case "object":
        return Object.fromEntries(items.map((item, i) => [i === 0 ? "first" : `k${i}`, item]));
    }
  }

  async outcomes(): Promise<unknown[]> {
    const settled = await Promise.allSettled(this.promises);
    return await Promise.all(
      settled.map((s) =>
        s.status === "fulfilled" ? this.#described(s.value) : new Failed(described(s.reason))
      ),
    );
  }

  /** A result as text: objects by the way to them. */
  async #described(value: unknown): Promise<unknown> {
    if (value instanceof Node) return `mine ${value.path}`;
    if (value instanceof RemoteFunction) return "function";
    if (value instanceof RemoteReference) {
      return `theirs ${await (value as Ref).callRemote("path").catch(() => "dead")}`;
    }
    if (value instanceof Map) return { map: await this.#described([...value]) };
    if (Array.isArray(value)) {
      const items = await Promise.all(value.map((item) => this.#described(item)));
      return value instanceof Tuple ? { tuple: items } : items;
    }
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(async ([key, item]) => [key, await this.#described(item)]);
    return Object.fromEntries(await Promise.all(entries));
  }
}

/** Where the same thing is refused here, or over there, it is the same. */
/** Whether two outcomes are the same; of several things that fail, whichever was the first may be told. */
function isSame(
  run: readonly unknown[],
  model: readonly unknown[],
  steps: readonly Step[],
  i: number,
): boolean {
  if (isDeepStrictEqual(run[i], model[i])) return true;
  if (!isFailure(run[i])) return false;
  const failures = [...ancestors(steps, i)].filter((n) => isFailure(model[n]));
  return failures.some((n) => isDeepStrictEqual(run[n], run[i]) || isDeepStrictEqual(model[n], run[i]));
}

function ancestors(steps: readonly Step[], i: number, found: Set<number> = new Set()): Set<number> {
  for (const n of [steps[i]!.of, ...steps[i]!.args.flatMap(stepsIn)]) {
    if (n === undefined || found.has(n)) continue;
    found.add(n);
    ancestors(steps, n, found);
  }
  return found;
}

const isFailure = (outcome: unknown) => outcome instanceof Failed;

function stepsIn(argument: Argument): number[] {
  if (argument.kind === "step") return [argument.step];
  return "items" in argument ? argument.items.flatMap(stepsIn) : [];
}

class Failed {
  constructor(readonly text: string) {}
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return `not an Error: ${String(error)}`;
  const type = error instanceof RemoteException ? error.remoteType : error.name;
  if (/Violation/.test(type)) return "Violation";
  return `${type.split(".").at(-1)}: ${error.message}`;
}

async function start(features: Features, isAwaited: boolean): Promise<Run> {
  const pair = new Pair({ features, clock: new FakeClock() });
  return new Run(pair, await pair.refTo(new Node("root")) as unknown as Ref, isAwaited);
}

async function assertIdle({ pair }: Run): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await turns(8);
  }
  for (const { broker } of [pair.left, pair.right]) {
    const { pendingCalls, activeCalls, pendingGifts } = broker.tables();
    assert.deepEqual({ pendingCalls, activeCalls, pendingGifts }, {
      pendingCalls: 0,
      activeCalls: 0,
      pendingGifts: 0,
    });
    assert.deepEqual(broker.outstanding(), { inbound: [], outbound: [] });
    assert.equal(broker.ended, undefined);
  }
}

async function end({ pair }: Run): Promise<void> {
  await pair[Symbol.asyncDispose]();
  assert.deepEqual(pair.left.broker.tables(), EMPTY);
  assert.deepEqual(pair.right.broker.tables(), EMPTY);
}

const SEEDS = Number(Deno.env.get("SEEDS") ?? 60);
const FIRST = Number(Deno.env.get("FIRST") ?? 1);

for (
  const [who, features] of [["a Tub of this library", OWN_FEATURES], [
    "one without pipelining",
    WITHOUT,
  ]] as const
) {
  Deno.test(`random programs of dependent calls have the outcome of awaiting each step, with ${who}`, async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const rand = random(seed);
      const steps = programOf(rand, 4 + rand(30));
      const model = await start(WITHOUT, true);
      await model.make(steps);
      const expected = await model.outcomes();
      const run = await start(features, false);
      await run.make(steps);
      const actual = await run.outcomes();
      for (const [i, step] of steps.entries()) {
        const what = `seed ${seed}, step ${i}: ${JSON.stringify(step)}`;
        if (!isSame(actual, expected, steps, i)) assert.deepEqual(actual[i], expected[i], what);
      }
      await assertIdle(run);
      await end(run);
      await end(model);
    }
  });

  Deno.test(`random programs that are given up or cut off at random settle, and leave nothing, with ${who}`, async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const rand = random(seed + 1_000_000);
      const steps = programOf(rand, 4 + rand(30));
      const model = await start(WITHOUT, true);
      await model.make(steps);
      const expected = await model.outcomes();
      await end(model);

      const run = await start(features, false);
      const controllers = steps.map(() => new AbortController());
      const isCut = rand(3) === 0;
      const making = run.make(steps, (step) => ({ signal: controllers[step]!.signal }));
      for (let i = 0; i < 6; i++) {
        await turns(rand(3));
        controllers[rand(steps.length)]!.abort(new Error("given up"));
      }
      if (isCut) {
        await turns(rand(4));
        void run.pair[rand(2) === 0 ? "left" : "right"].broker.shutdown(new ProtocolError("cut off"));
      }
      await making;
      const actual = await run.outcomes();
      for (const [i, step] of steps.entries()) {
        const text = JSON.stringify(actual[i]);
        if (/given up|DeadReferenceError|Connection|dead/.test(text)) continue;
        const what = `seed ${seed}, step ${i}: ${JSON.stringify(step)}`;
        if (!isSame(actual, expected, steps, i)) assert.deepEqual(actual[i], expected[i], what);
      }
      if (!isCut) await assertIdle(run);
      await end(run);
    }
  });
}
