import assert from "node:assert/strict";
import {
  type Callable,
  callable,
  Copyable,
  currentCall,
  Dict,
  float,
  kwargs,
  localReference,
  type Membrane,
  membrane,
  type MembraneOptions,
  OnlyReferenceable,
  PermissionDenied,
  Referenceable,
  registerRemoteCopy,
  registerRemotelyCallable,
  SturdyRef,
  tuple,
  Violation,
} from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { ALICE, BOB, call, callAs, denial, Rig } from "./support.ts";

/** An object that keeps, gives back and calls whatever it gets. */
class Node extends Referenceable {
  kept: unknown;
  readonly slow = Promise.withResolvers<unknown>();
  signal: AbortSignal | undefined;
  calls = 0;

  remote_keep(...values: unknown[]): void {
    this.kept = values.length === 1 ? values[0] : values;
  }
  remote_give(): unknown {
    return this.kept;
  }
  remote_is(value: unknown): boolean {
    return value === this.kept;
  }
  remote_self(): this {
    return this;
  }
  remote_ping(): number {
    return ++this.calls;
  }
  async remote_call(object: Node | Callable, ...args: unknown[]): Promise<unknown> {
    return object instanceof Referenceable
      ? await call(object, "echo", ...args)
      : await (object.call as (...args: unknown[]) => unknown)(...args);
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
  remote_wait(): Promise<unknown> {
    this.signal = currentCall()!.signal;
    return this.slow.promise;
  }
  remote_throw(): never {
    throw this.kept;
  }
}

class Point extends Copyable {
  static override copytype = "test.membrane/Point";
  constructor(public x: unknown = 0) {
    super();
  }
}
registerRemoteCopy(Point);

/** Sent by this process, and never taken. */
class Parcel extends Copyable {
  static override copytype = "test.membrane/Parcel";
  constructor(public content: unknown) {
    super();
  }
}

class Wheel {
  turns = 0;
}
class WheelAdapter extends Referenceable {
  constructor(readonly wheel: Wheel) {
    super();
  }
  remote_turn(): number {
    return ++this.wheel.turns;
  }
}
registerRemotelyCallable(Wheel, (wheel) => new WheelAdapter(wheel));

/** Places where an object can be. */
const PLACES: readonly (readonly [string, (o: unknown) => unknown, (v: never) => unknown])[] = [
  ["bare", (o) => o, (v) => v],
  ["in a list", (o) => [1, o], (v: unknown[]) => v[1]],
  ["in a tuple", (o) => tuple("a", o), (v: unknown[]) => v[1]],
  ["in a plain object", (o) => ({ a: { b: o } }), (v: { a: { b: unknown } }) => v.a.b],
  [
    "under __proto__",
    (o) => Object.defineProperty({}, "__proto__", { value: o, enumerable: true }),
    (v: object) => Object.getOwnPropertyDescriptor(v, "__proto__")!.value,
  ],
  ["in a Map", (o) => new Map([[1, o]]), (v: Map<number, unknown>) => v.get(1)],
  ["in a Dict", (o) => new Dict([[tuple(1), o]]), (v: Dict<unknown, unknown>) => v.get(tuple(1))],
  ["in a Set", (o) => new Set([o]), (v: Set<unknown>) => [...v][0]],
  ["in a Copyable", (o) => new Point([o]), (v: Point) => (v.x as unknown[])[0]],
  [
    "in an Error's cause",
    (o) => new RangeError("x", { cause: [o] }),
    (v: Error) => (v.cause as unknown[])[0],
  ],
  [
    "in a cycle",
    (o) => {
      const list: unknown[] = [o];
      list.push(list);
      return list;
    },
    (v: unknown[]) => (v[1] as unknown[][])[1]![0],
  ],
];
for (const [place, put, take] of PLACES) {
  Deno.test(`membrane() wraps an object that goes out, and unwraps it on its way back, ${place}`, () => {
    const inside = new Node(), secret = new Node();
    inside.kept = put(secret);
    const { object } = membrane(inside);
    const given = take(call(object, "give") as never) as Node;
    assert.ok(given instanceof Referenceable && !(given instanceof Node));
    assert.equal(take(call(object, "give") as never), given);
    assert.equal(call(given, "ping"), 1);
    call(object, "keep", put(given));
    assert.equal(take(inside.kept as never), secret);
  });
  Deno.test(`membrane() wraps an object that goes in, and unwraps it on its way back, ${place}`, () => {
    const inside = new Node(), outer = new Node();
    const { object } = membrane(inside);
    call(object, "keep", put(outer));
    const got = take(inside.kept as never) as Node;
    assert.ok(got instanceof Referenceable && !(got instanceof Node));
    assert.equal(call(got, "ping"), 1);
    assert.equal(take(call(object, "give") as never), outer);
  });
}

Deno.test("membrane() gives keyword arguments across, and what occurs twice stays one", () => {
  const inside = new Node(), outer = new Node();
  const { object } = membrane(inside);
  const list = [outer];
  call(object, "keep", list, kwargs({ more: list }));
  const [first, { values }] = inside.kept as [unknown[], { values: { more: unknown[] } }];
  assert.equal(values.more, first);
  assert.notEqual(first[0], outer);
});

const KEPT: readonly unknown[] = [
  undefined,
  null,
  1,
  -0,
  1.5,
  1e300,
  2n ** 80n,
  "é",
  true,
  new Uint8Array([1, 2]),
  new Date(5),
  new URL("https://example.org/"),
  new Float64Array([1, 2]),
  float(3),
  [[1], { a: "b" }],
];
for (const value of KEPT) {
  Deno.test(`membrane() lets ${Deno.inspect(value)} cross as it is`, () => {
    const crossed = call(membrane(new Node()).object, "echo", value);
    assert.deepEqual(
      crossed,
      Array.isArray(value) ? [[1], Object.assign(Object.create(null), { a: "b" })] : value,
    );
  });
}

Deno.test("membrane() shares no value that can change", () => {
  const inside = new Node();
  const { object } = membrane(inside);
  const list = [new Uint8Array(1)];
  call(object, "keep", list, list[0]);
  list[0]![0] = 9;
  assert.deepEqual(inside.kept, [[new Uint8Array(1)], new Uint8Array(1)]);
});

Deno.test("membrane() passes on a Copyable that this process does not take", () => {
  const inside = new Node();
  const secret = new Node();
  inside.kept = new Parcel(secret);
  const { object } = membrane(inside);
  const parcel = call(object, "give") as Copyable;
  assert.equal(parcel.getTypeToCopy(), "test.membrane/Parcel");
  const { content } = parcel.getStateToCopy();
  assert.ok(content instanceof Referenceable && content !== secret);
  call(object, "keep", parcel);
  assert.equal((inside.kept as Copyable).getStateToCopy().content, secret);
});

Deno.test("membrane() wraps the adapter of an object, which comes home as the object", () => {
  const inside = new Node();
  const wheel = inside.kept = new Wheel();
  const { object } = membrane(inside);
  const given = call(object, "give") as Referenceable;
  assert.equal(call(given, "turn"), 1);
  assert.equal(call(object, "is", given), true);
  assert.equal(wheel.turns, 1);
});

const NOT_SENT: readonly (readonly [string, unknown])[] = [
  ["a function", () => 1],
  ["a symbol", Symbol("x")],
  ["an instance of an unknown class", new (class Secret {})()],
  ["a Promise in a list", [Promise.resolve(1)]],
  ["an OnlyReferenceable", new OnlyReferenceable()],
  ["a LocalReference", localReference(new Node())],
  ["a SturdyRef, where there is no Tub", new SturdyRef(`pb://${ALICE}@tcp:h:1/x`)],
];
for (const [name, value] of NOT_SENT) {
  Deno.test(`membrane() never lets ${name} pass bare`, () => {
    const inside = new Node();
    const { object } = membrane(inside);
    assert.throws(() => call(object, "keep", value), Violation);
    inside.kept = value;
    assert.throws(() => call(object, "give"), Violation);
  });
}

Deno.test("membrane() wraps functions, of both sides, and their arguments and results", async () => {
  const inside = new Node(), secret = new Node(), outer = new Node();
  const { object, ...handle } = membrane(inside);
  void handle;
  inside.kept = callable((value: unknown) => [value, secret]);
  const f = call(object, "give") as Callable<(value: unknown) => unknown[]>;
  const [same, hidden] = f.call(outer);
  assert.equal(same, outer);
  assert.ok(hidden !== secret && hidden instanceof Referenceable);
  const seen: unknown[] = [];
  const back = callable((value: unknown) => void seen.push(value));
  await call(object, "call", back, 1);
  assert.deepEqual(seen, [1]);
  assert.equal(await call(object, "call", outer, hidden), hidden);
});

Deno.test("Membrane.revoke() cuts both directions, what crossed before, and calls in progress", async () => {
  const inside = new Node(), outer = new Node();
  using lent = membrane(inside);
  const { object } = lent;
  call(object, "keep", outer);
  const inner = inside.kept as Node;
  const self = call(object, "self") as Node;
  assert.equal(self, object);
  const waits = call(object, "wait") as Promise<unknown>;
  const waitsInside = call(inner, "wait") as Promise<unknown>;
  assert.equal(lent.isRevoked, false);
  assert.equal(lent.revoke("it is late"), true);
  assert.equal(lent.revoke(), false);
  for (const promise of [waits, waitsInside]) {
    await assert.rejects(promise, {
      name: "PermissionDenied",
      limit: "revoked",
      message: 'Cannot call "wait": this capability was revoked: "it is late"',
    });
  }
  assert.ok(inside.signal!.aborted && outer.signal!.aborted);
  inside.slow.resolve("too late");
  assert.equal(denial(() => call(object, "ping")).limit, "revoked");
  assert.equal(denial(() => call(inner, "ping")).limit, "revoked");
  assert.equal(inside.calls + outer.calls, 0);
  assert.throws(() => lent.revoke(1 as never), TypeError);
});

Deno.test("Membrane.revoke() by the method itself refuses its result", async () => {
  const lent: Membrane<Node> = membrane(
    new class extends Node {
      override remote_ping(): number {
        lent.revoke();
        return 1;
      }
      override remote_wait(): Promise<unknown> {
        lent.revoke();
        return new Promise(() => {});
      }
    }(),
  );
  assert.equal(denial(() => call(lent.object, "ping")).limit, "revoked");
  assert.equal(lent.isRevoked, true);
  const other: Membrane<Node> = membrane(
    new class extends Node {
      override remote_wait(): Promise<unknown> {
        other.revoke();
        return new Promise(() => {});
      }
    }(),
  );
  await assert.rejects(async () => await call(other.object, "wait"), PermissionDenied);
});

Deno.test("membrane() gives errors of the same class and words, with what hangs on them wrapped", async () => {
  class Trouble extends RangeError {
    override name = "Trouble";
    constructor(readonly culprit: Node) {
      super("trouble", { cause: new TypeError("first", { cause: [culprit] }) });
      Object.assign(this, { secret: new (class Secret {})() });
    }
  }
  const inside = new Node(), culprit = new Node();
  const { object } = membrane(inside);
  inside.kept = new Trouble(culprit);
  let error: unknown;
  try {
    call(object, "throw");
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof Trouble && error !== inside.kept);
  assert.equal(error.message, "trouble");
  assert.ok(error.culprit !== culprit && error.culprit instanceof Referenceable);
  assert.deepEqual([(error.cause as unknown[] & Error).cause], [[error.culprit]]);
  assert.ok(!("secret" in error));
  call(object, "keep", error.culprit);
  assert.equal(inside.kept, culprit);
  inside.kept = new DOMException("enough", "AbortError");
  await assert.rejects(async () => await call(object, "throw"), { name: "AbortError", message: "enough" });
  inside.kept = { thrown: culprit };
  await assert.rejects(
    async () => await call(object, "throw"),
    (thrown: { thrown: unknown }) => thrown.thrown !== culprit && thrown.thrown instanceof Referenceable,
  );
});

const DENIED: readonly (readonly [MembraneOptions, string, RegExp])[] = [
  [{ allow: () => false }, "policy", /^Cannot call "ping": the policy of this membrane does not allow it$/],
  [{ allow: () => "not today" }, "policy", /: "not today"$/],
  [{ allow: () => Promise.resolve(true) as never }, "policy", /does not allow it$/],
  [
    {
      allow: () => {
        throw new Error("secret");
      },
    },
    "policy",
    /does not allow it$/,
  ],
  [
    {
      onCall: () => {
        throw new Error("secret");
      },
    },
    "policy",
    /does not allow it$/,
  ],
  [{ limits: { holders: [BOB] } }, "holders", /for other holders$/],
];
for (const [options, limit, message] of DENIED) {
  Deno.test(`membrane() refuses by ${Deno.inspect(options)}`, () => {
    const inside = new Node();
    const refused = denial(() => call(membrane(inside, options).object, "ping"));
    assert.equal(refused.limit, limit);
    assert.match(refused.message, message);
    assert.equal(inside.calls, 0);
  });
}

Deno.test("membrane() tells its policy of calls of both directions", () => {
  const told: unknown[] = [];
  const inside = new Node(), outer = new Node();
  const { object } = membrane(inside, { label: "lent", onCall: (call) => void told.push(call) });
  call(object, "keep", outer);
  call(inside.kept as Node, "ping");
  assert.deepEqual(told, [
    { direction: "inward", method: "keep", label: "lent", caller: ALICE },
    { direction: "outward", method: "ping", label: "lent", caller: undefined },
  ]);
});

Deno.test("membrane() counts calls of all that is reached through it together, and no others", () => {
  const clock = new FakeClock(1_000);
  const inside = new Node(), outer = new Node();
  inside.kept = new Node();
  const { object } = membrane(inside, { limits: { maxCalls: 3, expires: 2_000 }, clock });
  const other = call(object, "give") as Node;
  call(other, "keep", outer);
  const inner = (inside.kept as Node).kept as Node;
  assert.equal(call(inner, "ping"), 1);
  assert.equal(call(other, "ping"), 1);
  assert.equal(denial(() => call(object, "ping")).limit, "maxCalls");
  assert.equal(call(inner, "ping"), 2);
  clock.advance(1_000);
  assert.equal(denial(() => call(inner, "ping")).limit, "expires");
  assert.equal(denial(() => call(other, "ping")).limit, "expires");
});

const WRONG: readonly (readonly [unknown, MembraneOptions, string])[] = [
  [{}, {}, "TypeError"],
  [() => 1, {}, "TypeError"],
  [new Node(), { allow: true as never }, "TypeError"],
  [new Node(), { label: 1 as never }, "TypeError"],
  [new Node(), { limits: { maxCalls: -1 } }, "RangeError"],
  [new Node(), { limits: { holders: ["me"] } }, "RangeError"],
];
for (const [object, options, name] of WRONG) {
  Deno.test(`membrane() refuses to be made of ${Deno.inspect([object, options])}`, () => {
    assert.throws(() => membrane(object as Node, options), { name });
  });
}

Deno.test("membrane() gives two of them two identities, and one around another works", () => {
  const inside = new Node(), shared = new Node();
  inside.kept = shared;
  const one = membrane(inside), two = membrane(inside), outer = membrane(one.object);
  assert.notEqual(call(one.object, "give"), call(two.object, "give"));
  const twice = call(outer.object, "give") as Node;
  assert.equal(call(outer.object, "is", twice), true);
  one.revoke();
  assert.equal(denial(() => call(twice, "ping")).limit, "revoked");
  assert.equal(call(call(two.object, "give") as Node, "ping"), 1);
});

Deno.test("membrane() keeps no stand-in that nobody holds", async () => {
  const inside = new Node();
  inside.kept = new Node();
  const { object } = membrane(inside);
  const ref = new WeakRef(call(object, "give") as object);
  for (let i = 0; i < 50 && ref.deref() !== undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    (globalThis as unknown as { gc(): void }).gc();
  }
  assert.equal(ref.deref(), undefined);
  assert.equal(call(object, "is", call(object, "give")), true);
});

Deno.test("grant({ deep }) limits, and ends, all that is reached through it", () => {
  const { registry, heard } = new Rig();
  const inside = new Node(), other = new Node();
  inside.kept = other;
  const parent = registry.grant(inside, { deep: true, maxCalls: 5, holders: [ALICE], label: "deep" });
  const child = parent.attenuate({ methods: ["give", "is", "self"] });
  assert.equal(call(child.object, "self"), child.object);
  const given = call(child.object, "give") as Node;
  // The methods are those of the object that was granted.
  assert.equal(call(given, "ping"), 1);
  assert.equal(denial(() => callAs(BOB, given, "ping")).limit, "holders");
  assert.equal(denial(() => call(child.object, "ping")).limit, "method");
  assert.equal(call(child.object, "is", given), true);
  // What another one gives out is another one, and strange to this one.
  assert.equal(child.info().callsLeft, 1);
  assert.notEqual(call(parent.object, "give"), given);
  assert.equal(denial(() => call(given, "ping")).limit, "maxCalls");
  assert.equal(child.info().callsUsed, 4);
  assert.deepEqual([parent.info().callsUsed, parent.info().isDeep, child.info().isDeep], [5, true, true]);
  parent.revoke();
  assert.equal(denial(() => call(given, "ping")).limit, "revoked");
  assert.equal(other.calls, 1);
  assert.deepEqual(
    heard.map((event) => event.type === "granted" ? event.how : event.type),
    [
      "membrane",
      "attenuate",
      ...["used", "used", "used", "denied", "denied", "used", "used", "denied"],
      "revoked",
      "revoked",
      "denied",
    ],
  );
});

Deno.test("grant({ deep }) asks the policies of all that it comes of", () => {
  const { registry, traced } = new Rig();
  const parent = registry.membrane(new Node(), { allow: ({ method }) => method !== "ping" });
  const child = parent.attenuate({
    deep: {
      allow: ({ method }) => {
        if (method === "echo") throw new Error("no idea");
        return true;
      },
    },
  });
  assert.equal(denial(() => call(child.object, "ping")).limit, "policy");
  assert.equal(denial(() => call(child.object, "echo", 1)).limit, "policy");
  assert.equal(call(parent.object, "echo", 1), 1);
  assert.deepEqual(traced.map((event) => "where" in event ? event.where : event.type), ["membrane policy"]);
  assert.throws(() => registry.grant(new Node(), { deep: 1 as never }), TypeError);
  assert.throws(() => registry.grant(new Node(), { deep: { alow: () => true } as never }), TypeError);
});

Deno.test("grant({ deep }) lets SturdyRefs cross as those of what is wrapped, until it ends", () => {
  const { registry } = new Rig();
  const inside = new Node(), other = new Node();
  const refOf = (object: Referenceable) => new SturdyRef(`pb://${ALICE}@tcp:h:1/${registry.nameOf(object)}`);
  const own = refOf(other);
  inside.kept = [own, own];
  const capability = registry.grant(inside, { deep: true });
  const [given, again] = call(capability.object, "give") as SturdyRef[];
  assert.ok(given!.equals(again!) && !given!.equals(own));
  const wrapped = registry.find(given!.name!) as Referenceable;
  assert.ok(wrapped instanceof Referenceable);
  call(capability.object, "keep", given, wrapped);
  const kept = inside.kept as [SturdyRef, unknown];
  assert.ok(kept[0].equals(own));
  capability.revoke();
  assert.equal(registry.find(given!.name!), undefined);
});

Deno.test("tree() and list() show what was reached through a membrane below it", () => {
  const { registry } = new Rig();
  const inside = new Node();
  inside.kept = new Point(new Node());
  const capability = registry.membrane(inside, { label: "lent" });
  const given = (call(capability.object, "give") as Point).x as Referenceable;
  registry.nameOf(given);
  const [node, ...more] = registry.tree();
  assert.deepEqual(more, []);
  assert.deepEqual(node!.children.map(({ kind, type }) => [kind, type]), [["reached", "Node"]]);
  const entry = registry.list().find(({ object }) => object === given)!;
  assert.equal(entry.capability?.label, "lent");
});
