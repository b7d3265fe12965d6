import assert from "node:assert/strict";
import { PermissionDenied } from "../../lib/errors.ts";
import { attenuateFurl } from "../../lib/names/attenuate_furl.ts";
import { MemoryCaveatState } from "../../lib/registry/caveat_state.ts";
import { Bench, call, Files, furlName, furlOf, NOW, refused } from "./caveat_support.ts";
import { collectGarbage } from "../support/gc.ts";

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
    collectGarbage();
  }
  assert.deepEqual([bench.state.size, bench.registry.size], [0, 1]);
});
