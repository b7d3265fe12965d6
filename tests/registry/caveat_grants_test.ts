import assert from "node:assert/strict";
import { PermissionDenied } from "../../lib/errors.ts";
import { attenuateFurl, type FurlCaveats } from "../../lib/names/attenuate_furl.ts";
import { systemRandomBytes } from "../../lib/util/random_bytes.ts";
import { CapabilityRegistry } from "../../lib/registry/registry.ts";
import { formatTree } from "../../lib/registry/tree.ts";
import { Bench, call, Files, furlName, furlOf, refused, TUB_B } from "./caveat_support.ts";

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
    '#1 Files: everything (registered)\n#2 Files "for Bob": read; 1 call left; used 1 time\n',
  );
  const entry = bench.registry.list().find(({ object }) => object === facet);
  assert.deepEqual([entry?.isImplicit, entry?.capability?.parent, entry?.capability?.callsLeft], [
    true,
    1,
    1,
  ]);
  assert.ok(!Deno.inspect(bench.registry.tree(), { depth: 9 }).includes("cav1"));
});
