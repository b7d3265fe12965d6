import assert from "node:assert/strict";
import type { Publishable } from "../../lib/broker/callable.ts";
import type { FurlCaveats } from "../../lib/names/attenuate_furl.ts";
import { fc } from "../deps.ts";
import { Bench, call, furlOf, METHODS, NOW, TUB_A, TUB_B } from "./caveat_support.ts";

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
