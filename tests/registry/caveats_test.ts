import assert from "node:assert/strict";
import { Callable, callable, type Publishable } from "../../lib/broker/callable.ts";
import { CallContext, runInCall } from "../../lib/broker/call_context.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { FurlError, PermissionDenied } from "../../lib/errors.ts";
import { attenuateFurl, type FurlCaveats } from "../../lib/names/attenuate_furl.ts";
import { systemRandomBytes } from "../../lib/names/swissnum.ts";
import { MemoryCaveatState } from "../../lib/registry/caveat_state.ts";
import { CapabilityRegistry } from "../../lib/registry/registry.ts";
import { formatTree } from "../../lib/registry/tree.ts";
import { fc } from "../deps.ts";
import { FakeClock } from "../support/fake_clock.ts";

const TUB_A = "w6i2oohuba2eeyts27gkq4etwr4nndeb";
const TUB_B = "abcdefghijklmnopqrstuvwxyz234567";
const METHODS = ["list", "read", "write"];

class Files extends Referenceable {
  calls = 0;
  readonly gate = Promise.withResolvers<string>();
  remote_list(): string {
    this.calls++;
    return "list";
  }
  remote_read(): string {
    this.calls++;
    return "read";
  }
  remote_write(): string {
    this.calls++;
    return "write";
  }
  remote_wait(): Promise<string> {
    return this.gate.promise;
  }
  remote_self(): this {
    return this;
  }
}

/** A registry with one object, and names that derive from its own. */
class Bench {
  readonly clock = new FakeClock();
  readonly state: MemoryCaveatState;
  readonly registry: CapabilityRegistry;
  readonly files = new Files();
  readonly name: string;

  constructor(state = new MemoryCaveatState()) {
    this.state = state;
    this.registry = new CapabilityRegistry({
      randomBytes: systemRandomBytes,
      trace() {},
      clock: this.clock,
      caveatState: state,
    });
    this.name = this.registry.register(this.files);
  }

  derive(...all: FurlCaveats[]): string {
    return furlName(all.reduce((furl, one) => attenuateFurl(furl, one), furlOf(this.name)));
  }

  facet(...all: FurlCaveats[]): Publishable {
    return this.registry.find(this.derive(...all))!;
  }
}

const furlOf = (name: string) => `pb://${TUB_A}@/${name}`;
const furlName = (furl: string) => furl.slice(furlOf("").length);

async function call(object: Publishable | undefined, method: string, caller: string | undefined = TUB_A) {
  const context = new CallContext({ tubId: caller, address: "test" }, method, false);
  return await runInCall(
    context,
    () =>
      object instanceof Callable
        ? (object.call as () => unknown)()
        : object!.doRemoteCall(method, [], context),
    undefined,
  );
}

const refused = (about: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PermissionDenied);
  assert.match(error.message, about);
  return true;
};

// ---- what a derived name leads to

Deno.test("CapabilityRegistry.find() gives one facet for one derived name, with that name", () => {
  const bench = new Bench();
  const [facet, name] = [bench.facet({ methods: ["read"] }), bench.derive({ methods: ["read"] })];
  assert.notEqual(facet, bench.files);
  assert.equal(bench.registry.find(name), facet);
  assert.equal(bench.registry.nameOf(facet), name);
  assert.notEqual(bench.facet({ methods: ["read"], label: "x" }), facet);
  assert.deepEqual(bench.registry.list().find(({ object }) => object === facet)?.isImplicit, true);
});

const NOW = new FakeClock().now();
const ROWS: readonly [
  what: string,
  caveats: FurlCaveats,
  allowed: string,
  refused: string,
  caller: string,
  about: RegExp,
][] = [
  [
    "methods",
    { methods: ["list", "read"] },
    "read",
    "write",
    TUB_A,
    /^Cannot call "write": .* allows only list, read$/,
  ],
  ["no methods", { methods: [] }, "", "read", TUB_A, /allows no method$/],
  [
    "another holder",
    { forTub: TUB_A },
    "read",
    "read",
    TUB_B,
    /^Cannot call "read": .* is for other holders$/,
  ],
  ["uses", { uses: 1 }, "read", "read", TUB_A, /all of this capability's 1 calls are used$/],
  ["no uses", { uses: 0 }, "", "read", TUB_A, /all of this capability's 0 calls are used$/],
];
for (const [what, caveats, allowed, denied, caller, about] of ROWS) {
  Deno.test(`a facet of an attenuated name refuses by ${what}, and says so`, async () => {
    const bench = new Bench();
    const facet = bench.facet(caveats);
    if (allowed !== "") assert.equal(await call(facet, allowed), allowed);
    const { calls } = bench.files;
    await assert.rejects(call(facet, denied, caller), refused(about));
    assert.equal(bench.files.calls, calls);
  });
}

Deno.test("a facet of an attenuated name refuses from its time on, and so does the lookup", async () => {
  const bench = new Bench();
  const name = bench.derive({ until: NOW + 1000 });
  const facet = bench.registry.find(name);
  bench.clock.advance(999);
  assert.equal(await call(facet, "read"), "read");
  bench.clock.advance(1);
  await assert.rejects(call(facet, "read"), refused(/^Cannot call "read": this capability has expired$/));
  assert.equal(bench.registry.find(name), undefined);
  await assert.rejects(
    bench.registry.lookup(name, TUB_A),
    refused(/^Cannot get a reference: .* has expired$/),
  );
});

Deno.test("CapabilityRegistry.lookup() tells who is not the holder so, and gives the object to who is", async () => {
  const bench = new Bench();
  const name = bench.derive({ forTub: TUB_A });
  await assert.rejects(bench.registry.lookup(name, TUB_B), refused(/for other holders$/));
  await assert.rejects(bench.registry.lookup(name), refused(/for other holders$/));
  assert.equal(await bench.registry.lookup(name, TUB_A), bench.registry.find(name));
  const nobody = bench.derive({ forTub: TUB_A }, { forTub: TUB_B });
  for (const asker of [TUB_A, TUB_B]) {
    await assert.rejects(bench.registry.lookup(nobody, asker), PermissionDenied);
  }
});

Deno.test("a facet of an attenuated function limits its calls", async () => {
  const bench = new Bench();
  const name = bench.registry.register(callable(() => "called"));
  const facet = bench.registry.find(furlName(attenuateFurl(furlOf(name), { uses: 1, forTub: TUB_B })));
  assert.ok(facet instanceof Callable);
  await assert.rejects(call(facet, "", TUB_A), refused(/^Cannot call the function: .* other holders$/));
  assert.equal(await call(facet, "", TUB_B), "called");
  await assert.rejects(call(facet, "", TUB_B), refused(/calls are used$/));
});

Deno.test("a facet of an attenuated name is given where its object gives itself", async () => {
  const bench = new Bench();
  const facet = bench.facet({ uses: 5 });
  assert.equal(await call(facet, "self"), facet);
});

Deno.test("CapabilityRegistry.find() finds by derived names what has the names that come and go", () => {
  const bench = new Bench();
  const objects = Array.from({ length: 20 }, () => new Files());
  const names = objects.map((object, i) =>
    bench.registry.register(object, i % 2 ? `chosen ${i}` : undefined)
  );
  const derived = names.map((name) => furlName(attenuateFurl(furlOf(name), { uses: 1 })));
  for (const name of derived) assert.ok(bench.registry.find(name) !== undefined);
  bench.registry.unregister(objects[3]!);
  assert.deepEqual(
    derived.map((name) => bench.registry.find(name) === undefined),
    derived.map((_, i) => i === 3),
  );
});

// ---- what is not genuine

Deno.test("CapabilityRegistry.find() makes no state for a forged name, and asks no handler for it", async () => {
  const bench = new Bench();
  let asked = 0;
  bench.registry.addLookup(() => {
    asked++;
    return new Referenceable();
  });
  const good = bench.derive({ uses: 3 });
  const forged = [
    `${good.slice(0, -4)}AAAA`,
    `cav1-${"A".repeat(80)}`,
    "cav1-",
    "cav2-x",
    furlName(attenuateFurl(furlOf("a name that nothing has"), { uses: 1 })),
  ];
  for (const name of forged) {
    assert.equal(bench.registry.find(name), undefined);
    assert.equal(await bench.registry.lookup(name, TUB_A), undefined);
    assert.equal(bench.registry.revokeFurl(furlOf(name)), false);
  }
  assert.deepEqual([bench.registry.size, bench.state.size, asked], [1, 0, 0]);
});

for (const name of ["cav1-", "cav1-abc", "cav7-x"]) {
  Deno.test(`CapabilityRegistry.register() refuses the name ${name}, which is kept for derived ones`, () => {
    const bench = new Bench();
    assert.throws(() => bench.registry.register(new Referenceable(), name), FurlError);
    assert.equal(bench.registry.size, 1);
  });
}

// ---- uses

Deno.test("uses are not renewed by deriving again, nor by another reference", async () => {
  const bench = new Bench();
  await call(bench.facet({ uses: 3 }), "read");
  await call(bench.facet({ uses: 3 }, { label: "again" }), "read");
  await call(bench.facet({ uses: 3 }, { uses: 100 }, { methods: ["read"] }), "read");
  for (const more of [[], [{ label: "more" }], [{ uses: 7 }]]) {
    await assert.rejects(
      call(bench.facet({ uses: 3 }, ...more), "read"),
      refused(/all of this capability's 3 calls/),
    );
  }
  // Another FURL of the same object has its own.
  assert.equal(await call(bench.facet({ uses: 3, label: "other" }), "read"), "read");
  assert.equal(bench.files.calls, 4);
});

Deno.test("uses of a child are not used up by its siblings, but by its own children", async () => {
  const bench = new Bench();
  await call(bench.facet({ uses: 9 }, { uses: 1 }), "read");
  await assert.rejects(call(bench.facet({ uses: 9 }, { uses: 1 }, { label: "x" }), "read"), PermissionDenied);
  assert.equal(await call(bench.facet({ uses: 9 }, { uses: 1, label: "y" }), "read"), "read");
});

Deno.test("a call that is refused counts as no use", async () => {
  const bench = new Bench();
  const facet = bench.facet({ uses: 1, methods: ["read"] });
  await assert.rejects(call(facet, "write"), PermissionDenied);
  assert.equal(bench.state.size, 0);
  assert.equal(await call(facet, "read"), "read");
});

Deno.test("a call is refused where its use cannot be counted, and no count makes way for it", async () => {
  const bench = new Bench(new MemoryCaveatState({ counts: 3, countsOfName: 2 }));
  const other = bench.registry.register(new Files(), "other");
  const ofOther = (label: string) =>
    bench.registry.find(furlName(attenuateFurl(furlOf(other), { uses: 1, label })));
  const [a, b, c] = ["a", "b", "c"].map((label) => bench.facet({ uses: 1, label }));
  await call(a, "read");
  await call(b, "read");
  await assert.rejects(call(c, "read"), refused(/counts the calls of too many FURLs/));
  await assert.rejects(call(a, "read"), refused(/all of this capability's 1 calls/));
  // Who has one name uses up nothing of those who have another one, while there is room at all.
  assert.equal(await call(ofOther("a"), "read"), "read");
  await assert.rejects(call(ofOther("b"), "read"), refused(/too many/));
  assert.equal(await call(bench.facet({ methods: ["read"] }), "read"), "read");
});

Deno.test("counts that have an end make room when it has come, and stay over if the clock is set back", async () => {
  const bench = new Bench(new MemoryCaveatState({ counts: 1 }));
  const used = bench.facet({ uses: 1, until: NOW + 1000 });
  await call(used, "read");
  const waiting = bench.facet({ uses: 1, label: "next" });
  await assert.rejects(call(waiting, "read"), refused(/too many/));
  bench.clock.advance(2000);
  assert.equal(await call(waiting, "read"), "read");
  assert.equal(bench.state.size, 1);
  bench.clock.advance(-1500);
  await assert.rejects(call(used, "read"), refused(/has expired/));
  await assert.rejects(
    bench.registry.lookup(bench.derive({ uses: 1, until: NOW + 1000 })),
    refused(/has expired/),
  );
});

Deno.test("a time that was set behind the uses does not end their count", async () => {
  const bench = new Bench(new MemoryCaveatState({ counts: 1 }));
  await call(bench.facet({ uses: 1 }, { until: NOW + 1 }), "read");
  bench.clock.advance(5000);
  await assert.rejects(call(bench.facet({ uses: 1, label: "other" }), "read"), refused(/too many/));
  await assert.rejects(call(bench.facet({ uses: 1 }), "read"), refused(/all of this capability's 1 calls/));
});

Deno.test("counts survive that an object loses its name and gets it again", async () => {
  const bench = new Bench();
  await call(bench.facet({ uses: 1 }), "read");
  bench.registry.unregister(bench.files);
  bench.registry.register(bench.files, bench.name);
  await assert.rejects(call(bench.facet({ uses: 1 }), "read"), refused(/calls are used/));
});

// ---- revoking

Deno.test("CapabilityRegistry.revokeFurl() ends a FURL and all that derive from it, and no other", async () => {
  const bench = new Bench();
  const chain = [{ methods: METHODS }, { uses: 9 }, { label: "x" }];
  const [whole, middle, short] = [chain, chain.slice(0, 2), chain.slice(0, 1)].map((all) =>
    bench.facet(...all)
  );
  const sibling = bench.facet({ methods: METHODS }, { uses: 8 });
  assert.equal(bench.registry.revokeFurl(furlOf(bench.derive(...chain.slice(0, 2)))), true);
  for (const facet of [whole, middle]) {
    await assert.rejects(call(facet, "read"), refused(/^Cannot call "read": this capability was revoked$/));
  }
  for (const facet of [short, sibling]) assert.equal(await call(facet, "read"), "read");
  const later = bench.derive(...chain, { label: "made after" });
  assert.equal(bench.registry.find(later), undefined);
  await assert.rejects(
    bench.registry.lookup(later),
    refused(/^Cannot get a reference: this capability was revoked$/),
  );
  assert.equal(bench.registry.revokeFurl(furlOf(later)), false);
});

Deno.test("CapabilityRegistry.revokeFurl() refuses an object's own FURL, and what is none", () => {
  const bench = new Bench();
  assert.throws(() => bench.registry.revokeFurl(furlOf(bench.name)), FurlError);
  assert.throws(() => bench.registry.revokeFurl("http://x"), FurlError);
});

Deno.test("CapabilityRegistry.revokeFurl() fails loudly when no more are kept, and forgets none", () => {
  const bench = new Bench(new MemoryCaveatState({ revocations: 2 }));
  const names = ["a", "b", "c"].map((label) => bench.derive({ label }));
  const ended = bench.derive({ label: "d", until: NOW + 1 });
  assert.ok(bench.registry.revokeFurl(furlOf(names[0]!)) && bench.registry.revokeFurl(furlOf(ended)));
  assert.throws(() => bench.registry.revokeFurl(furlOf(names[1]!)), RangeError);
  bench.clock.advance(5000);
  assert.ok(bench.registry.revokeFurl(furlOf(names[1]!)));
  assert.throws(() => bench.registry.revokeFurl(furlOf(names[2]!)), RangeError);
  assert.deepEqual(names.map((name) => bench.registry.find(name) === undefined), [true, true, false]);
});

const ENDINGS: readonly [what: string, end: (bench: Bench) => unknown][] = [
  [
    "CapabilityRegistry.revokeFurl()",
    (bench) => bench.registry.revokeFurl(furlOf(bench.derive({ uses: 5 }))),
  ],
  ["CapabilityRegistry.unregister() of the object", (bench) => bench.registry.unregister(bench.files)],
  [
    "CapabilityRegistry.unregister() of the facet",
    (bench) => bench.registry.unregister(bench.facet({ uses: 5 })),
  ],
];
for (const [what, end] of ENDINGS) {
  Deno.test(`${what} refuses the answers of calls that are being served`, async () => {
    const bench = new Bench();
    const [parent, child] = [bench.facet({ uses: 5 }), bench.facet({ uses: 5 }, { label: "x" })];
    const waiting = [call(parent, "wait"), call(child, "wait")];
    assert.equal(end(bench), true);
    bench.files.gate.resolve("too late");
    for (const one of waiting) await assert.rejects(one, refused(/was revoked$/));
    for (const facet of [parent, child]) await assert.rejects(call(facet, "read"), refused(/was revoked$/));
    assert.equal(bench.files.calls, 0);
    assert.equal(bench.registry.find(bench.derive({ uses: 5 })), undefined);
  });
}

Deno.test("an object that gets its name again has its attenuated FURLs again, by other references", async () => {
  const bench = new Bench();
  const before = bench.facet({ methods: ["read"] });
  bench.registry.unregister(bench.files);
  const another = new Files();
  bench.registry.register(another, bench.name);
  const after = bench.facet({ methods: ["read"] });
  assert.notEqual(after, before);
  assert.equal(await call(after, "read"), "read");
  assert.deepEqual([bench.files.calls, another.calls], [0, 1]);
  await assert.rejects(call(before, "read"), refused(/was revoked$/));
});

// ---- with grants

Deno.test("an attenuated FURL of a grant has the limits of both, and ends with the grant", async () => {
  const bench = new Bench();
  const granted = bench.registry.grant(new Files(), {
    methods: ["list", "read"],
    maxCalls: 3,
    name: "granted",
  });
  const derive = (...all: FurlCaveats[]) =>
    furlName(all.reduce((furl, one) => attenuateFurl(furl, one), furlOf("granted")));
  const facet = bench.registry.find(derive({ methods: ["read", "write"] }));
  assert.equal(await call(facet, "read"), "read");
  await assert.rejects(call(facet, "list"), refused(/allows only read, write$/));
  await assert.rejects(call(facet, "write"), refused(/allows only list, read$/));
  const used = bench.registry.find(derive({ uses: 2 }));
  await call(used, "read");
  await call(used, "list");
  await assert.rejects(call(facet, "read"), refused(/all of this capability's 3 calls are used$/));
  const waiting = bench.registry.grant(bench.files, { name: "waiting" });
  const other = bench.registry.find(furlName(attenuateFurl(furlOf("waiting"), { uses: 9 })));
  const call1 = call(other, "wait");
  granted.revoke();
  waiting.revoke();
  await assert.rejects(call1, refused(/was revoked$/));
  for (const one of [facet, used, other]) await assert.rejects(call(one, "read"), refused(/was revoked$/));
  assert.equal(bench.registry.find(derive({ uses: 9 })), undefined);
});

Deno.test("a call that the grant refuses is no use of the attenuated FURL", async () => {
  const bench = new Bench();
  bench.registry.grant(bench.files, { methods: ["read"], name: "granted" });
  const facet = bench.registry.find(furlName(attenuateFurl(furlOf("granted"), { uses: 1 })));
  await assert.rejects(call(facet, "write"), refused(/allows only read$/));
  assert.equal(await call(facet, "read"), "read");
});

Deno.test("an attenuated FURL of a grant that has expired says that it has", async () => {
  const bench = new Bench();
  bench.registry.grant(bench.files, { name: "hour", expires: "PT1H" });
  const facet = bench.registry.find(furlName(attenuateFurl(furlOf("hour"), { methods: ["read"] })));
  assert.equal(await call(facet, "read"), "read");
  bench.clock.advance(3_600_000);
  await assert.rejects(call(facet, "read"), refused(/has expired$/));
});

Deno.test("CapabilityRegistry.grant() of a facet of an attenuated FURL keeps that one's limits", async () => {
  const bench = new Bench();
  const granted = bench.registry.grant(bench.facet({ methods: ["read"], uses: 1 }), { maxCalls: 5 });
  await assert.rejects(call(granted.object, "list"), refused(/allows only read$/));
  await call(granted.object, "read");
  await assert.rejects(call(granted.object, "read"), refused(/1 calls are used$/));
});

Deno.test("an attenuated FURL cannot do what its object's class needs a permission for", async () => {
  class Needy extends Files {
    static override requires = [{ name: "read", path: "/srv/data" }] as const;
  }
  let state: Deno.PermissionState = "granted";
  const registry = new CapabilityRegistry({
    randomBytes: systemRandomBytes,
    trace() {},
    permissions: { query: () => state, flagFor: () => "--allow-read=/srv/data" },
  });
  const name = registry.register(new Needy());
  const facet = registry.find(furlName(attenuateFurl(furlOf(name), { methods: ["read"] })));
  assert.equal(await call(facet, "read"), "read");
  await new Promise((resolve) => setTimeout(resolve, 0));
  state = "denied";
  await assert.rejects(call(facet, "read"), (error) => {
    assert.ok(error instanceof PermissionDenied && error.limit === "requires");
    return !error.message.includes("/srv");
  });
});

Deno.test("CapabilityRegistry.events() tells of attenuated FURLs, and of none of their secrets", async () => {
  const bench = new Bench();
  using events = bench.registry.events();
  const name = bench.derive({ methods: ["read"], label: "for Bob" });
  const facet = await bench.registry.lookup(name, TUB_B);
  bench.registry.given(facet!, TUB_B);
  await call(facet, "read", TUB_B);
  await assert.rejects(call(facet, "write", TUB_B));
  bench.registry.revokeFurl(furlOf(name));
  await assert.rejects(call(facet, "read", TUB_B));
  const told = [];
  for await (const event of events) if (told.push(event) === 6) break;
  assert.deepEqual(told.map(({ type, label }) => `${type} ${label}`), [
    "granted for Bob",
    "introduced for Bob",
    "used for Bob",
    "denied for Bob",
    "revoked for Bob",
    "denied for Bob",
  ]);
  assert.ok(told[0]!.type === "granted" && told[0]!.parent === 1 && told[0]!.how === "furl");
  const text = JSON.stringify(told);
  assert.ok(!text.includes("cav1") && !text.includes(bench.name));
});

Deno.test("CapabilityRegistry.tree() and list() show the attenuated FURLs that are in use", async () => {
  const bench = new Bench();
  const facet = bench.facet({ methods: ["read"], uses: 2, label: "for Bob" });
  await call(facet, "read");
  assert.equal(
    formatTree(bench.registry.tree()),
    '#1 Files: everything (registered)\n#2 Files "for Bob": read; 1 calls left; used 1 times\n',
  );
  const entry = bench.registry.list().find(({ object }) => object === facet);
  assert.deepEqual([entry?.isImplicit, entry?.capability?.parent, entry?.capability?.callsLeft], [
    true,
    1,
    1,
  ]);
  assert.ok(!Deno.inspect(bench.registry.tree(), { depth: 9 }).includes("cav1"));
});

// ---- memory

Deno.test("counts go with an object that nobody registered and nobody holds any more", async () => {
  const bench = new Bench();
  const use = async () => {
    const implicit = new Files();
    const name = bench.registry.nameOf(implicit);
    await call(bench.registry.find(furlName(attenuateFurl(furlOf(name), { uses: 9 }))), "read");
    assert.equal(bench.state.size, 1);
  };
  await use();
  for (let i = 0; i < 50 && (bench.state.size > 0 || bench.registry.size > 1); i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    (globalThis as unknown as { gc(): void }).gc();
  }
  assert.deepEqual([bench.state.size, bench.registry.size], [0, 1]);
});

Deno.test("CapabilityRegistry.clear() ends what came of attenuated FURLs", async () => {
  const bench = new Bench();
  const facet = bench.facet({ uses: 9 });
  const waiting = call(facet, "wait");
  await call(facet, "read");
  bench.registry.clear();
  await assert.rejects(waiting, PermissionDenied);
  await assert.rejects(call(facet, "read"), PermissionDenied);
  assert.deepEqual([bench.state.size, bench.registry.size], [0, 0]);
});

// ---- authority

const caveats: fc.Arbitrary<FurlCaveats> = fc.record({
  label: fc.constantFrom("a", "b"),
  forTub: fc.constantFrom(TUB_A, TUB_B),
  methods: fc.subarray(METHODS),
  until: fc.integer({ min: 0, max: 20 }).map((ms) => NOW + ms),
  uses: fc.integer({ min: 0, max: 3 }),
}, { requiredKeys: [] }).filter((given) => Object.keys(given).length > 0);

type Step =
  | { readonly do: "call"; readonly node: number; readonly method: string; readonly caller: string }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "revoke"; readonly node: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("call"),
      node: fc.nat(20),
      method: fc.constantFrom(...METHODS),
      caller: fc.constantFrom(TUB_A, TUB_B),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("advance"), ms: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("revoke"), node: fc.nat(20) }) },
) as fc.Arbitrary<Step>;

/** One caveat by itself. */
interface One {
  readonly what: FurlCaveats;
  /** The chain up to it, as text. */
  readonly key: string;
}

/** Chains that were made in other steps are one chain if they have the same caveats. */
function onesOf(all: readonly FurlCaveats[]): One[] {
  const ones: One[] = [];
  for (const given of all) {
    for (const name of ["label", "forTub", "methods", "until", "uses"] as const) {
      if (given[name] === undefined) continue;
      const key = `${ones.at(-1)?.key ?? ""}/${name}:${[given[name]].flat().toSorted().join()}`;
      ones.push({ what: { [name]: given[name] }, key });
    }
  }
  return ones;
}

Deno.test("no attenuated FURL does what one that it comes of may not, whatever was derived, used, revoked", async () => {
  const trees = fc.array(fc.tuple(fc.nat(20), caveats), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(trees, fc.array(step, { maxLength: 60 }), async (tree, steps) => {
      const bench = new Bench();
      const nodes: (readonly FurlCaveats[])[] = [];
      for (const [at, own] of tree) nodes.push([...nodes[at % (nodes.length + 1)] ?? [], own]);
      // References that were got at the beginning: what is over by then has none.
      const facets = nodes.map((all) => bench.facet(...all));
      const used = new Map<string, number>();
      const revoked = new Set<string>();
      for (const one of steps) {
        if (one.do === "advance") {
          bench.clock.advance(one.ms);
          continue;
        }
        const index = one.node % nodes.length;
        const ones = onesOf(nodes[index]!);
        if (one.do === "revoke") {
          const isGood = bench.registry.revokeFurl(furlOf(bench.derive(...nodes[index]!)));
          if (isGood) revoked.add(ones.at(-1)!.key);
          continue;
        }
        const isAllowed = ones.every(({ what, key }) =>
          !revoked.has(key) && (what.methods?.includes(one.method) ?? true) &&
          (what.forTub ?? one.caller) === one.caller &&
          bench.clock.now() < Number(what.until ?? Infinity) &&
          (used.get(key) ?? 0) < (what.uses ?? Infinity)
        );
        const before = bench.files.calls;
        const facet = facets[index] as Publishable | undefined;
        const fails = facet === undefined ||
          await call(facet, one.method, one.caller).then(() => false, () => true);
        assert.equal(bench.files.calls - before, isAllowed ? 1 : 0);
        assert.equal(fails, !isAllowed);
        if (!isAllowed) continue;
        for (const { what, key } of ones) {
          if (what.uses !== undefined) used.set(key, (used.get(key) ?? 0) + 1);
        }
      }
    }),
    { numRuns: 200 },
  );
});
