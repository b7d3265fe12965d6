/**
 * What calls cost between two brokers in one process: encoding, decoding, dispatch and the turns of the event loop,
 * without a network.
 */
import { Broker } from "../lib/broker/broker.ts";
import type { BrokerHost } from "../lib/broker/interface.ts";
import { Referenceable } from "../lib/broker/referenceable.ts";
import type { RemoteReference } from "../lib/broker/remote_reference.ts";
import { FurlError } from "../lib/errors.ts";
import { DEFAULT_LIMITS } from "../lib/limits.ts";
import { memoryPair } from "../lib/transport/memory.ts";
import { systemClock } from "../lib/util/clock.ts";

class Target extends Referenceable {
  remote_add(a: number, b: number): number {
    return a + b;
  }
  remote_echo(value: unknown): unknown {
    return value;
  }
}

const target = new Target();

function makeBroker(connection: ReturnType<typeof memoryPair>[0], own: string, peer: string): Broker {
  const host: BrokerHost = {
    tubId: own,
    exposesTracebacks: false,
    exposesRemoteTypes: true,
    furlOf: () => undefined,
    lookup: () => target,
    acquire: () => Promise.reject(new FurlError("There are no gifts here")),
  };
  const broker = new Broker(connection, {
    host,
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
const ref = await left.getReferenceByName("root") as unknown as RemoteReference<Target>;
const held = new Referenceable();
const mebibyte = new Uint8Array(1024 * 1024);

Deno.bench("one call after the other", { group: "calls" }, async () => {
  await ref.callRemote("add", 1, 2);
});

Deno.bench("500 calls outstanding", { group: "calls" }, async () => {
  await Promise.all(Array.from({ length: 500 }, (_, i) => ref.callRemote("add", i, 2)));
});

Deno.bench("500 calls that pass an object there and back", { group: "calls" }, async () => {
  await Promise.all(Array.from({ length: 500 }, () => ref.callRemote("echo", held)));
});

Deno.bench("500 calls that wait for no answer, then one", { group: "calls" }, async () => {
  for (let i = 0; i < 499; i++) ref.callRemoteOnly("add", i, 2);
  await ref.callRemote("add", 1, 2);
});

Deno.bench("1 MiB of bytes there and back", { group: "bytes" }, async () => {
  await ref.callRemote("echo", mebibyte);
});
