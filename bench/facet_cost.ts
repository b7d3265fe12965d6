/**
 * What a call through a capability costs beside a plain one, end to end: between two brokers in memory, and between two Tubs
 * over TCP and TLS.
 *
 *     deno run --allow-net=127.0.0.1 --allow-env bench/facet_cost.ts [rounds]
 *
 * The three are called in turns, in another order each time, and the time that counts is that of the processor: a machine that
 * is shared, a cold start and a collection of garbage fall on all of them alike. The median of the rounds' ratios is printed.
 *
 * @module
 */

import process from "node:process";
import { Broker } from "../lib/broker/broker.ts";
import { Referenceable } from "../lib/broker/referenceable.ts";
import type { RemoteReference } from "../lib/broker/remote_reference.ts";
import { FurlError } from "../lib/errors.ts";
import { DEFAULT_LIMITS } from "../lib/limits.ts";
import { CapabilityRegistry } from "../lib/registry/registry.ts";
import type { GrantOptions } from "../lib/registry/grant_options.ts";
import { memoryPair } from "../lib/transport/memory.ts";
import { Tub } from "../lib/tub/tub.ts";
import { systemClock } from "../lib/util/clock.ts";
import { systemRandomBytes } from "../lib/util/random_bytes.ts";

class Target extends Referenceable {
  remote_add(a: number, b: number): number {
    return a + b;
  }
}

type Call = () => Promise<unknown>;
const KINDS = ["plain", "facet", "limited"] as const;
type Kind = (typeof KINDS)[number];
const OUTSTANDING = 500;

/** The options of a grant with everything that a call is asked about. */
function limited(holder: string): GrantOptions {
  return {
    methods: ["add"],
    expires: "PT1H",
    maxCalls: Number.MAX_SAFE_INTEGER,
    rate: { calls: 1e9, perMs: 1 },
    holders: [holder],
  };
}

async function inMemory(): Promise<Record<Kind, RemoteReference<Target>>> {
  const registry = new CapabilityRegistry({ randomBytes: systemRandomBytes, trace: () => {} });
  const caller = "l".repeat(32);
  registry.register(new Target(), "plain");
  registry.grant(new Target(), { name: "facet", methods: ["add"] });
  registry.grant(new Target(), { name: "limited", ...limited(caller) });
  const make = (connection: ReturnType<typeof memoryPair>[0], own: string, peer: string): Broker => {
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
  };
  const [a, b] = memoryPair();
  const left = make(a, caller, "r".repeat(32));
  make(b, "r".repeat(32), caller);
  const get = async (name: Kind) => await left.getReferenceByName(name) as unknown as RemoteReference<Target>;
  return { plain: await get("plain"), facet: await get("facet"), limited: await get("limited") };
}

async function overTcp(server: Tub, client: Tub): Promise<Record<Kind, RemoteReference<Target>>> {
  server.setLocation((await server.listenOn("tcp:0:interface=127.0.0.1")).hint);
  const { registry } = server;
  return {
    plain: await client.getReference<Target>(server.registerReference(new Target())),
    facet: await client.getReference<Target>(registry.grant(new Target(), { methods: ["add"] }).furl),
    limited: await client.getReference<Target>(registry.grant(new Target(), limited(client.tubId)).furl),
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

async function cost(call: Call, times: number): Promise<number> {
  const before = cpuMs();
  for (let i = 0; i < times; i++) await call();
  return cpuMs() - before;
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
}

async function compare(
  title: string,
  calls: Record<Kind, Call>,
  times: number,
  each: number,
  rounds: number,
) {
  const ratios: Record<Kind, number[]> = { plain: [], facet: [], limited: [] };
  const plain: number[] = [];
  for (let round = -3; round < rounds; round++) {
    const took = {} as Record<Kind, number>;
    // Each order as often as any other.
    const order = KINDS.map((_, i) => KINDS[(i + round + 3) % 3]!);
    for (const kind of round % 2 === 0 ? order : order.reverse()) took[kind] = await cost(calls[kind], times);
    if (round < 0) continue;
    plain.push(took.plain);
    for (const kind of KINDS) ratios[kind].push(took[kind] / took.plain);
  }
  const us = (median(plain) * 1_000 / times / each).toFixed(1);
  const percent = (kind: Kind) => `${kind} ${((median(ratios[kind]) - 1) * 100).toFixed(1)} %`;
  console.log(`${title}: plain ${us} us a call; more than that: ${percent("facet")}, ${percent("limited")}`);
}

function oneByOne(refs: Record<Kind, RemoteReference<Target>>): Record<Kind, Call> {
  const call = (kind: Kind) => () => refs[kind].callRemote("add", 1, 2);
  return { plain: call("plain"), facet: call("facet"), limited: call("limited") };
}

function many(refs: Record<Kind, RemoteReference<Target>>): Record<Kind, Call> {
  const call = (kind: Kind) => () =>
    Promise.all(Array.from({ length: OUTSTANDING }, (_, i) => refs[kind].callRemote("add", i, 2)));
  return { plain: call("plain"), facet: call("facet"), limited: call("limited") };
}

const rounds = Number(Deno.args[0] ?? 31);
const memory = await inMemory();
await compare("in memory, one by one", oneByOne(memory), 2_000, 1, rounds);
await compare(`in memory, ${OUTSTANDING} outstanding`, many(memory), 8, OUTSTANDING, rounds);
await using server = await Tub.create();
await using client = await Tub.create();
const tcp = await overTcp(server, client);
await compare("over TCP, one by one", oneByOne(tcp), 500, 1, rounds);
await compare(`over TCP, ${OUTSTANDING} outstanding`, many(tcp), 8, OUTSTANDING, rounds);
