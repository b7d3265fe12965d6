import assert from "node:assert/strict";
import { Callable, callable } from "../../lib/broker/callable.ts";
import { Referenceable } from "../../lib/broker/referenceable.ts";
import { FurlError, PermissionDenied } from "../../lib/errors.ts";
import { attenuateFurl, type FurlCaveats } from "../../lib/names/attenuate_furl.ts";
import { Bench, call, Files, furlName, furlOf, NOW, refused, TUB_A, TUB_B } from "./caveat_support.ts";

Deno.test("CapabilityRegistry.find() gives one facet for one derived name, with that name", () => {
  const bench = new Bench();
  const [facet, name] = [bench.facet({ methods: ["read"] }), bench.derive({ methods: ["read"] })];
  assert.notEqual(facet, bench.files);
  assert.equal(bench.registry.find(name), facet);
  assert.equal(bench.registry.nameOf(facet), name);
  assert.notEqual(bench.facet({ methods: ["read"], label: "x" }), facet);
  assert.deepEqual(bench.registry.list().find(({ object }) => object === facet)?.isImplicit, true);
});

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
