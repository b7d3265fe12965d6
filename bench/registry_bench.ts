/**
 * What 100,000 capabilities cost: granted, named, listed and looked up, also by an attenuated FURL. What a call through one
 * costs, `facet_cost.ts` tells.
 */
import { Referenceable } from "../lib/broker/referenceable.ts";
import { deriveName } from "../lib/names/derived_name.ts";
import { CapabilityRegistry } from "../lib/registry/registry.ts";
import { systemRandomBytes } from "../lib/util/random_bytes.ts";

class Target extends Referenceable {
  remote_add(a: number, b: number): number {
    return a + b;
  }
}

function newRegistry(): CapabilityRegistry {
  return new CapabilityRegistry({ randomBytes: systemRandomBytes, trace: () => {} });
}

const MANY = 100_000;
const options = { methods: ["add"], maxCalls: 5 };
const target = new Target();
const full = newRegistry();
const names = Array.from({ length: MANY }, () => full.nameOf(full.grant(target, options).object));
full.find(names[0]!);

Deno.bench(`${MANY} grants`, { group: "many", n: 3, warmup: 1 }, () => {
  const registry = newRegistry();
  for (let i = 0; i < MANY; i++) registry.grant(target, options);
  registry.clear();
});
Deno.bench(
  `${MANY} grants with their names, and the first lookup, by an attenuated FURL`,
  { group: "many", n: 3, warmup: 1 },
  () => {
    const registry = newRegistry();
    let name = "";
    for (let i = 0; i < MANY; i++) name = registry.nameOf(registry.grant(target, options).object);
    registry.find(deriveName(name, [{ type: "uses", uses: 1 }]));
    registry.clear();
  },
);
Deno.bench(`${MANY} listed`, { group: "many", n: 3, warmup: 1 }, () => {
  full.list();
});
Deno.bench(`${MANY} looked up`, { group: "many", n: 3, warmup: 1 }, () => {
  for (const name of names) full.find(name);
});
