import assert from "node:assert/strict";
import { FurlError, PermissionDenied } from "../../lib/errors.ts";
import { MemoryCaveatState } from "../../lib/registry/caveat_state.ts";
import { Bench, call, Files, furlOf, METHODS, NOW, refused } from "./caveat_support.ts";

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
