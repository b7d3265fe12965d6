/**
 * Random worlds of three Tubs: one grants, attenuates, surrounds and revokes; the others call, pass on, store and give back
 * whatever they get, and derive FURLs from it on their own. A model that knows only through what each reference leads says what may happen; nothing else does.
 */
import assert from "node:assert/strict";
import {
  attenuateFurl,
  localReference,
  PermissionDenied,
  Referenceable,
  RemoteException,
  RemoteReference,
  type Tub,
} from "../../mod.ts";
import { fc } from "../deps.ts";
import { startTub } from "../tub/tubs.ts";
import {
  argument,
  chainOf,
  clock,
  type Granted,
  isFor,
  isOver,
  isRevoked,
  keyOf,
  type Layer,
  type Method,
  METHODS,
  type Options,
  passes,
  result,
  type Value,
} from "./authority_model.ts";

type Step = Method | "grant" | "attenuate" | "derive" | "revoke" | "pass" | "wait";
/** How often each of them comes, in worlds where time stands still. */
const STEPS: readonly Step[] = [
  ...METHODS,
  ...METHODS,
  ...["put", "put", "take", "take", "take", "poke", "poke", "peek", "pass"] as const,
  ...["grant", "attenuate", "derive", "derive", "revoke"] as const,
];
/** The same where it passes. */
const TIMED_STEPS: readonly Step[] = [...STEPS, "wait"];
const HOLDERS = 2;
const NODES = 4;
const MAX_NUMBER = 1_000;

/** Tokens of the calls that were made. */
const done = new Set<number>();
/** By the tokens of calls that will hang: what to tell that they have begun. */
const begun = new Map<number, () => void>();

function act(object: unknown, token: number): Promise<unknown> {
  return localReference(object as RemoteReference).callRemote("act", token);
}

/** An object of a graph, which keeps whatever it is given. */
class Node extends Referenceable {
  next!: Node;
  stored: unknown = null;
  readonly hanging = Promise.withResolvers<void>();

  remote_act(token: number): void {
    done.add(token);
  }
  remote_peek(): Node {
    return this.next;
  }
  remote_put(value: unknown): void {
    this.stored = value;
  }
  remote_take(): unknown {
    return this.stored;
  }
  async remote_poke(object: unknown, token: number): Promise<void> {
    await act(object, token);
  }
  async remote_hang(token: number): Promise<void> {
    begun.get(token)!();
    await this.hanging.promise;
    done.add(token);
  }
}

/** What each of the other Tubs gives others to reach it by, and to be called back. */
class Keeper extends Referenceable {
  kept: unknown;
  remote_keep(value: unknown): void {
    this.kept = value;
  }
  remote_act(token: number): void {
    done.add(token);
  }
}

/** What a Tub holds. */
interface Entry {
  readonly ref: unknown;
  readonly value: Value;
}

interface Hanging {
  readonly layers: readonly Layer[];
  readonly outcome: Promise<unknown>;
  readonly token: number;
}

/**
 * Whether a name is refused as it may be: that of what is over, and what derives from it, leads nowhere, and an attenuated
 * FURL that is for others leads nowhere for this one.
 */
function leadsNowhere(error: unknown, { layers: [outer] }: Value, holder: number): boolean {
  if (outer === undefined) return false;
  const isForOthers = outer.isRoot && outer.granted.capability === undefined && !isFor(outer.granted, holder);
  return (isForOthers || isOver(outer.granted)) && (error instanceof PermissionDenied ||
    error instanceof RemoteException && error.message.includes("unable to find reference"));
}

/** Rather one of the latest: what leads far was reached by many steps. */
function recent(held: readonly Entry[], number: number): Entry {
  return held.at(-1 - Math.floor((number / MAX_NUMBER) ** 2 * held.length))!;
}

/** One run. */
class World {
  readonly #isTimed: boolean;
  readonly #tubs: readonly Tub[];
  readonly #keepers: readonly Keeper[];
  readonly #keeperRefs: readonly (readonly RemoteReference<Keeper>[])[];
  readonly #nodes = Array.from({ length: NODES }, () => new Node());
  readonly #stored: (Value | undefined)[] = [];
  readonly #grants: Granted[] = [];
  readonly #held: Entry[][] = [[], []];
  #hanging: Hanging[] = [];
  #tokens = 0;

  /** @param isTimed Whether time passes, and grants are for some holders alone. */
  constructor(
    isTimed: boolean,
    tubs: readonly Tub[],
    keepers: readonly Keeper[],
    refs: readonly (readonly RemoteReference<Keeper>[])[],
  ) {
    this.#isTimed = isTimed;
    this.#tubs = tubs;
    this.#keepers = keepers;
    this.#keeperRefs = refs;
    done.clear();
    begun.clear();
    this.#nodes.forEach((node, i) => node.next = this.#nodes[(i + 1) % NODES]!);
    // Everybody has what calls itself back.
    keepers.forEach((keeper, i) => this.#take(i, keeper, { base: `keeper ${i}`, layers: [] }));
  }

  async step(op: Step, a: number, b: number, c: number): Promise<void> {
    const holder = a % HOLDERS;
    const held = this.#held[holder]!;
    const one = recent(held, b), two = recent(held, c);
    switch (op) {
      case "grant":
        return await this.#grant(holder, b, c);
      case "attenuate":
        return await this.#attenuate(holder, b, c);
      case "derive":
        return await this.#derive(holder, one, c);
      case "revoke":
        return await this.#revoke(b);
      case "pass":
        return await this.#pass(holder, one);
      case "wait":
        return clock.advance(1_000);
      case "act":
        return await this.#act(holder, one);
      case "peek":
      case "take":
        return await this.#get(holder, one, op);
      case "put":
        return await this.#put(holder, one, two);
      case "poke":
        return await this.#poke(holder, one, two);
      case "hang":
        return await this.#hang(holder, one);
    }
  }

  /** What is left of each grant is what the model says. */
  check(): void {
    for (const granted of this.#grants) {
      if (granted.capability === undefined || isOver(granted)) continue;
      const left = Math.min(...chainOf(granted).map(({ callsLeft }) => callsLeft));
      assert.equal(granted.capability.info().callsLeft ?? Infinity, left, `calls left of ${granted.id}`);
    }
  }

  /** Lets go of what hangs; what was not revoked succeeds. */
  async end(): Promise<void> {
    for (const node of this.#nodes) node.hanging.resolve();
    for (const { outcome, token } of this.#hanging) {
      assert.equal(await outcome, undefined);
      assert.ok(done.has(token));
    }
    for (const granted of this.#grants) if (granted.capability !== undefined) granted.revoke();
  }

  #optionsOf(bits: number): Options & { readonly deep: boolean } {
    const methods = bits % 4 === 0
      ? METHODS.filter((_, i) => (bits * 7 >> i) % 2 === 0 || i === bits % 6)
      : undefined;
    const maxCalls = bits % 7 === 0 ? 2 + bits % 11 : undefined;
    const holders = this.#isTimed && bits % 9 === 4 ? [bits % HOLDERS] : undefined;
    const expiresAt = this.#isTimed && bits % 6 === 5 ? clock.now() + 1_000 * (1 + bits % 8) : undefined;
    return { methods, maxCalls, holders, expiresAt, deep: bits % 5 !== 1 };
  }

  /** The same for the registry. */
  #terms({ methods, maxCalls, holders, expiresAt }: Options) {
    return { methods, maxCalls, holders: holders?.map((i) => this.#tubs[i + 1]!.tubId), expires: expiresAt };
  }

  async #grant(holder: number, b: number, c: number): Promise<void> {
    const node = b % NODES;
    const options = this.#optionsOf(c);
    const { deep } = options;
    const capability = this.#tubs[0]!.registry.grant(this.#nodes[node]!, { ...this.#terms(options), deep });
    await this.#hand(holder, {
      capability,
      parent: undefined,
      target: { base: node, layers: [] },
      isDeep: deep,
      ...this.#model(options),
      revoke: () => void capability.revoke(),
    });
  }

  async #attenuate(holder: number, b: number, c: number): Promise<void> {
    const granted = this.#grants.filter(({ capability }) => capability !== undefined);
    const parent = granted[b % granted.length];
    if (parent === undefined) return;
    const options = this.#optionsOf(c);
    const allowed = chainOf(parent).flatMap(({ methods }) => methods === undefined ? [] : [methods]);
    const methods = (options.methods ?? METHODS).filter((name) =>
      allowed.every((list) => list.includes(name))
    );
    const holders = options.holders?.every((holder) => isFor(parent, holder)) ? options.holders : undefined;
    const narrower = { ...options, methods, holders };
    const { deep } = options;
    const attenuate = () => parent.capability!.attenuate({ ...this.#terms(narrower), deep });
    if (isOver(parent)) return void assert.throws(attenuate, PermissionDenied);
    const capability = attenuate();
    const isDeep = parent.isDeep || deep;
    await this.#hand(holder, {
      capability,
      parent,
      target: parent.target,
      isDeep,
      ...this.#model(narrower),
      revoke: () => void capability.revoke(),
    });
  }

  #model({ methods, maxCalls, holders, expiresAt = Infinity }: Options) {
    const id = this.#grants.length;
    return { id, methods, holders, expiresAt, callsLeft: maxCalls ?? Infinity, isRevoked: false };
  }

  /** The holder makes a FURL of what it has, asking nobody, and gets a reference by it. */
  async #derive(holder: number, { ref, value }: Entry, bits: number): Promise<void> {
    const [outer] = value.layers;
    // Keepers are none of the owner's.
    if (outer === undefined && typeof value.base !== "number") return;
    const { methods, holders, expiresAt } = this.#optionsOf(bits);
    const maxCalls = bits % 3 === 0 ? 1 + bits % 5 : undefined;
    const from = (ref as RemoteReference).getSturdyRef().url!;
    const furl = attenuateFurl(from, {
      methods,
      uses: maxCalls,
      until: expiresAt,
      forTub: holders && this.#tubs[holders[0]! + 1]!.tubId,
      label: `${this.#grants.length}`,
    });
    const isOfFurl = outer !== undefined && outer.isRoot && outer.granted.capability === undefined;
    const granted: Granted = {
      capability: undefined,
      parent: isOfFurl ? outer.granted : undefined,
      target: isOfFurl ? outer.granted.target : value,
      // What an object inside has been given from outside is no part of what the membrane gives out.
      isDeep: isOfFurl ? outer.granted.isDeep : outer?.isInward === true && outer.granted.isDeep,
      ...this.#model({ methods, maxCalls, holders, expiresAt }),
      revoke: () => void this.#tubs[0]!.registry.revokeFurl(furl),
    };
    const layer = { granted, isInward: true, isRoot: true };
    const derived = { base: value.base, layers: [layer, ...granted.target.layers] };
    let got: unknown;
    try {
      got = await this.#tubs[holder + 1]!.getReference(furl);
    } catch (error) {
      if (leadsNowhere(error, derived, holder)) return;
      throw error;
    }
    this.#grants.push(granted);
    this.#take(holder, got, derived);
  }

  async #hand(holder: number, granted: Granted): Promise<void> {
    this.#grants.push(granted);
    await this.#keeperRefs[0]![holder]!.callRemote("keep", granted.capability!.object);
    const { kept } = this.#keepers[holder]!;
    const layers = [{ granted, isInward: true, isRoot: true }];
    this.#take(holder, kept, { base: granted.target.base, layers });
  }

  async #revoke(b: number): Promise<void> {
    // Of one whose time is over, calls may still go on.
    const open = this.#grants.filter((granted) => !isRevoked(granted));
    const granted = open[b % open.length];
    if (granted === undefined) return;
    granted.isRevoked = true;
    granted.revoke();
    const cut = this.#hanging.filter(({ layers }) => layers.some(({ granted }) => isRevoked(granted)));
    this.#hanging = this.#hanging.filter((hanging) => !cut.includes(hanging));
    for (const { outcome } of cut) {
      const error = await outcome;
      assert.ok(error instanceof PermissionDenied && error.limit === "revoked", Deno.inspect(error));
    }
  }

  async #pass(holder: number, { ref, value }: Entry): Promise<void> {
    const other = 1 - holder;
    try {
      await this.#keeperRefs[holder + 1]![other]!.callRemote("keep", ref);
    } catch (error) {
      if (leadsNowhere(error, value, other)) return;
      throw error;
    }
    this.#take(other, this.#keepers[other]!.kept, value);
  }

  async #act(holder: number, { ref, value }: Entry): Promise<void> {
    const token = ++this.#tokens;
    const may = passes(value.layers, { method: "act", holder });
    await this.#expect(may, act(ref, token), keyOf(value));
    assert.equal(done.has(token), may, keyOf(value));
  }

  async #get(holder: number, { ref, value }: Entry, method: "peek" | "take"): Promise<void> {
    if (typeof value.base !== "number") return;
    const may = passes(value.layers, { method, holder });
    const got = await this.#expect(may, (ref as RemoteReference).callRemote(method), keyOf(value));
    if (!may) return;
    const inside: Value | undefined = method === "peek"
      ? { base: (value.base + 1) % NODES, layers: [] }
      : this.#stored[value.base];
    if (inside === undefined) return assert.equal(got, null);
    this.#take(holder, got, result(inside, value.layers));
  }

  async #put(holder: number, { ref, value }: Entry, what: Entry): Promise<void> {
    if (typeof value.base !== "number") return;
    const may = passes(value.layers, { method: "put", holder });
    await this.#expect(may, (ref as RemoteReference).callRemote("put", what.ref), keyOf(value));
    if (may) this.#stored[value.base] = argument(what.value, value.layers);
  }

  async #poke(holder: number, { ref, value }: Entry, what: Entry): Promise<void> {
    if (typeof value.base !== "number") return;
    const token = ++this.#tokens;
    const may = passes(value.layers, { method: "poke", holder }) &&
      passes(argument(what.value, value.layers).layers, { method: "act", holder: undefined });
    await this.#expect(may, (ref as RemoteReference).callRemote("poke", what.ref, token), keyOf(value));
    assert.equal(done.has(token), may, `${keyOf(value)} pokes ${keyOf(what.value)}`);
  }

  /** It has begun, and is counted, before anything else happens: other calls may come by another connection. */
  async #hang(holder: number, { ref, value }: Entry): Promise<void> {
    const { base, layers } = value;
    if (typeof base !== "number") return;
    const token = ++this.#tokens;
    const may = passes(layers, { method: "hang", holder });
    const hangs = new Promise<"hangs">((resolve) => begun.set(token, () => resolve("hangs")));
    const outcome = Promise.resolve((ref as RemoteReference).callRemote("hang", token))
      .then(() => undefined, (error) => error);
    const first = await Promise.race([hangs, outcome]);
    if (may) {
      assert.equal(first, "hangs", keyOf(value));
      this.#hanging.push({ layers, outcome, token });
    } else {
      assert.ok(first instanceof PermissionDenied, `${keyOf(value)} hangs: ${Deno.inspect(first)}`);
    }
  }

  /** The same reference is held for what is the same to the model, and for nothing else. */
  #take(holder: number, ref: unknown, value: Value): void {
    const isOwn = value.layers.length === 0 && value.base === `keeper ${holder}`;
    assert.equal(ref instanceof RemoteReference, !isOwn, keyOf(value));
    const held = this.#held[holder]!;
    for (const other of held) {
      assert.equal(
        other.ref === ref,
        keyOf(other.value) === keyOf(value),
        `${keyOf(other.value)}, ${keyOf(value)}`,
      );
    }
    if (held.every((other) => other.ref !== ref)) held.push({ ref, value });
  }

  async #expect(may: boolean, promise: PromiseLike<unknown>, path: string): Promise<unknown> {
    try {
      const value = await promise;
      assert.ok(may, `it was not refused: ${path}`);
      return value;
    } catch (error) {
      if (may || !(error instanceof PermissionDenied)) throw error;
      return undefined;
    }
  }
}

/** What waits without end is a fault too, and is to be told with the world that it happened in. */
async function inTime(step: Promise<void>, name: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it waits without end: ${name}`)), 20_000);
  });
  try {
    await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Worlds in which something was wrong. */
const KNOWN = [
  // What was reached by a FURL that derives from what a revoked grant gave out lived on.
  { seed: -794361135, path: "26" },
  { seed: -726191974, path: "31" },
  // A call of such a thing went on.
  { seed: 2024116471, path: "128" },
  // A call by way of a membrane that was cut was counted, and told, or not, as it came from a peer or from this process.
  { seed: 5, path: "231" },
];

for (const isTimed of [false, true]) {
  const where = isTimed ? "time passes" : "time stands still";
  Deno.test(`no path of calls exceeds the grant that it begins with, or survives its revocation, where ${where}`, async () => {
    // The same worlds each time; SEED=... and RUNS=... in the environment try others.
    const seed = Number(Deno.env.get("SEED") ?? 42), numRuns = Number(Deno.env.get("RUNS") ?? 25);
    await tryWorlds({ numRuns, seed }, isTimed);
  });
}

for (const { seed, path } of KNOWN) {
  Deno.test(`no path of calls exceeds its grant in world ${path} of ${seed}`, async () => {
    await tryWorlds({ seed, path, numRuns: 1 }, false);
  });
}

async function tryWorlds(
  which: { numRuns: number; seed?: number; path?: string },
  isTimed: boolean,
): Promise<void> {
  const steps = isTimed ? TIMED_STEPS : STEPS;
  await using owner = await startTub({ clock });
  await using first = await startTub();
  await using second = await startTub();
  const tubs = [owner, first, second];
  const keepers = [new Keeper(), new Keeper()];
  const furls = keepers.map((keeper, i) => tubs[i + 1]!.registerReference(keeper));
  const refs = await Promise.all(
    tubs.map((tub) => Promise.all(furls.map((furl) => tub.getReference<Keeper>(furl)))),
  );
  // All of them alike: small ones would make the same few objects meet again and again.
  const number = fc.noBias(fc.nat({ max: MAX_NUMBER - 1 }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(number, number, number, number), { minLength: 100, maxLength: 150, size: "max" }),
      async (numbers) => {
        const world = new World(isTimed, tubs, keepers, refs);
        for (const holder of [0, 1, 0]) await inTime(world.step("grant", holder, holder, 1), "grant");
        for (const [op, a, b, c] of numbers) {
          const step = steps[op % steps.length]!;
          await inTime(world.step(step, a, b, c), `${step} ${a} ${b} ${c}`);
          world.check();
        }
        await inTime(world.end(), "end");
      },
    ),
    { ...which, endOnFailure: true },
  );
}
