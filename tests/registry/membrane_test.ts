import assert from "node:assert/strict";
import {
  type Membrane,
  membrane,
  type MembraneOptions,
  PermissionDenied,
  Referenceable,
  SturdyRef,
} from "../../mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { ALICE, BOB, call, callAs, denial, Rig } from "./support.ts";
import { Node, Point } from "./membrane_support.ts";
import { collectGarbage } from "../support/gc.ts";

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

Deno.test("membrane() survives a policy that is asynchronous and fails: onCall too late, allow by refusing", async () => {
  const rig = new Rig();
  const fail = () => Promise.reject(new TypeError("of the program"));
  const told = rig.registry.membrane(new Node(), { onCall: fail });
  assert.equal(call(told.object, "ping"), 1);
  const asked = rig.registry.membrane(new Node(), { allow: fail as unknown as () => boolean });
  assert.equal(denial(() => call(asked.object, "ping")).limit, "policy");
  await Promise.resolve();
  assert.deepEqual(
    rig.traced.map((event) => event.type === "callback-failed" && event.where),
    ["membrane policy", "membrane policy"],
  );
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
    collectGarbage();
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
