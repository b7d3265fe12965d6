/**
 * What a capability costs: a call through a facet, or a membrane, beside a plain one, between two brokers in one process; and 100,000 of
 * them granted, listed and looked up.
 */
import { Broker } from "../lib/broker/broker.ts";
import { Referenceable } from "../lib/broker/referenceable.ts";
import type { RemoteReference } from "../lib/broker/remote_reference.ts";
import { FurlError } from "../lib/errors.ts";
import { DEFAULT_LIMITS } from "../lib/limits.ts";
import { systemRandomBytes } from "../lib/util/random_bytes.ts";
import { CapabilityRegistry } from "../lib/registry/registry.ts";
import { memoryPair } from "../lib/transport/memory.ts";
import { systemClock } from "../lib/util/clock.ts";

class Target extends Referenceable {
  remote_add(a: number, b: number): number {
    return a + b;
  }
  remote_sum(numbers: number[]): number {
    return numbers.reduce((sum, number) => sum + number, 0);
  }
  remote_add_later(a: number, b: number): Promise<number> {
    return Promise.resolve(a + b);
  }
}

function newRegistry(): CapabilityRegistry {
  return new CapabilityRegistry({ randomBytes: systemRandomBytes, trace: () => {} });
}

const registry = newRegistry();
registry.register(new Target(), "plain");
registry.grant(new Target(), { name: "facet", methods: ["add", "add_later"] });
registry.grant(new Target(), { name: "membrane", deep: true });
registry.grant(new Target(), {
  name: "limited",
  methods: ["add", "add_later"],
  expires: "PT1H",
  maxCalls: Number.MAX_SAFE_INTEGER,
  rate: { calls: 1e9, perMs: 1 },
  holders: ["l".repeat(32)],
});

function makeBroker(connection: ReturnType<typeof memoryPair>[0], own: string, peer: string): Broker {
  const broker = new Broker(connection, {
    host: {
      tubId: own,
      exposesTracebacks: false,
      exposesRemoteTypes: true,
      furlOf: () => undefined,
      lookup: (name) => registry.lookup(name),
      acquire: () => Promise.reject(new FurlError("There are no gifts here")),
    },
    limits: DEFAULT_LIMITS,
    clock: systemClock,
    trace: () => {},
    vocabTable: 1,
    peer: { tubId: peer, address: "memory" },
  });
  broker.start();
  return broker;
}

const [a, b] = memoryPair();
const left = makeBroker(a, "l".repeat(32), "r".repeat(32));
makeBroker(b, "r".repeat(32), "l".repeat(32));

for (const name of ["plain", "facet", "limited", "membrane"]) {
  const ref = await left.getReferenceByName(name) as unknown as RemoteReference<Target>;
  Deno.bench(`${name}: one call after the other`, { group: "one", baseline: name === "plain" }, async () => {
    await ref.callRemote("add", 1, 2);
  });
  Deno.bench(`${name}: 500 calls outstanding`, { group: "500", baseline: name === "plain" }, async () => {
    await Promise.all(Array.from({ length: 500 }, (_, i) => ref.callRemote("add", i, 2)));
  });
  Deno.bench(
    `${name}: 500 calls that take a turn`,
    { group: "later", baseline: name === "plain" },
    async () => {
      await Promise.all(Array.from({ length: 500 }, (_, i) => ref.callRemote("add_later", i, 2)));
    },
  );
}

const NUMBERS = Array.from({ length: 10 }, (_, i) => i);
for (const name of ["plain", "membrane"]) {
  const ref = await left.getReferenceByName(name) as unknown as RemoteReference<Target>;
  Deno.bench(
    `${name}: 500 calls with a list, outstanding`,
    { group: "list", baseline: name === "plain" },
    async () => {
      await Promise.all(Array.from({ length: 500 }, () => ref.callRemote("sum", NUMBERS)));
    },
  );
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
  `${MANY} grants with their names, and the first lookup`,
  { group: "many", n: 3, warmup: 1 },
  () => {
    const registry = newRegistry();
    for (let i = 0; i < MANY; i++) registry.nameOf(registry.grant(target, options).object);
    registry.find("none");
    registry.clear();
  },
);
Deno.bench(`${MANY} listed`, { group: "many", n: 3, warmup: 1 }, () => {
  full.list();
});
Deno.bench(`${MANY} looked up`, { group: "many", n: 3, warmup: 1 }, () => {
  for (const name of names) full.find(name);
});
