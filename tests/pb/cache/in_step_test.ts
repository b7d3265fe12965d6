import assert from "node:assert/strict";
import { pb } from "../../../mod.ts";
import { PbBroker } from "../../../lib/pb/broker/broker.ts";
import { connect } from "../../../lib/pb/client.ts";
import { PbServer } from "../../../lib/pb/server.ts";
import { resolveSettings } from "../../../lib/pb/broker/options.ts";
import { memoryPair } from "../../../lib/transport/memory.ts";
import { fc } from "../../deps.ts";

const PONDS = 3, CLIENTS = 2;

class Pond extends pb.Cacheable {
  static override copytype = "docs.Step";
  readonly observers = new Set<pb.RemoteCacheObserver>();
  log: number[] = [];

  constructor(readonly index: number) {
    super();
  }
  add(value: number): void {
    this.log.push(value);
    for (const observer of this.observers) observer.callRemoteOnly("add", value);
  }
  override getStateToCacheAndObserveFor(_: unknown, observer: pb.RemoteCacheObserver): unknown {
    this.observers.add(observer);
    return { index: this.index, log: this.log };
  }
  override stoppedObserving(_: unknown, observer: pb.RemoteCacheObserver): void {
    assert.ok(observer.isLive || !observer.broker.isConnected);
    assert.ok(this.observers.delete(observer));
  }
}

class RemotePond extends pb.RemoteCache {
  declare index: number;
  declare log: number[];
  observe_add(value: number): void {
    this.log.push(value);
  }
}

class Root extends pb.Root {
  readonly ponds = Array.from({ length: PONDS }, (_, index) => new Pond(index));
  remote_pond(index: number): Pond {
    return this.ponds[index]!;
  }
  remote_twice(index: number): Pond[] {
    return [this.ponds[index]!, this.ponds[index]!];
  }
  remote_isHome(index: number, pond: unknown): boolean {
    return pond === this.ponds[index];
  }
  remote_ping(): void {}
}

const pond = fc.nat(PONDS - 1), client = fc.nat(CLIENTS - 1);
const step = fc.oneof(
  fc.record({ do: fc.constant("update" as const), pond, client, value: fc.nat(99) }),
  fc.record({
    do: fc.constantFrom("get" as const, "twice" as const, "release" as const, "home" as const),
    pond,
    client,
  }),
  fc.record({ do: fc.constantFrom("wait" as const, "settle" as const), pond, client }),
  fc.record({ do: fc.constant("lose" as const), pond, client }),
);

Deno.test("caches of two clients are kept in step, whatever is updated, sent and given up when", async () => {
  const registry = new pb.CopyRegistry();
  registry.setUnjellyableForClass("docs.Step", RemotePond);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const root = new Root();
      const server = new PbServer(root, PbBroker, resolveSettings({}), undefined);
      const join = async () => {
        const [near, far] = memoryPair({});
        server.accept(near);
        return await connect(far, { registry });
      };
      const clients = [await join(), await join()];
      const held = clients.map(() => new Map<number, RemotePond>());
      let coming: Promise<void>[] = [];
      const check = async () => {
        await Promise.all(coming);
        coming = [];
        for (const [c, one] of clients.entries()) {
          await one.getRootObject().callRemote("ping");
          for (const [p, copy] of held[c]!) assert.deepEqual(copy.log, root.ponds[p]!.log);
        }
        for (const [p, { observers }] of root.ponds.entries()) {
          assert.equal(observers.size, held.filter((ponds) => ponds.has(p)).length);
        }
      };
      for (const one of steps) {
        const { pond: p, client: c } = one;
        const reference = clients[c]!.getRootObject();
        const mine = held[c]!;
        const got = (copy: RemotePond) => {
          assert.equal(copy.index, p);
          const known = mine.get(p);
          if (known !== undefined) assert.equal(copy, known);
          mine.set(p, copy);
        };
        if (one.do === "update") root.ponds[p]!.add(one.value);
        else if (one.do === "get") {
          coming.push(reference.callRemote("pond", p).then((copy) => got(copy as RemotePond)));
        } else if (one.do === "twice") {
          coming.push(
            reference.callRemote("twice", p).then((copies) => {
              const [first, second] = copies as [RemotePond, RemotePond];
              assert.equal(first, second);
              got(first);
            }),
          );
        } else if (one.do === "release") {
          mine.get(p)?.[Symbol.dispose]();
          mine.delete(p);
        } else if (one.do === "home") {
          const copy = mine.get(p);
          if (copy === undefined) continue;
          coming.push(reference.callRemote("isHome", p, copy).then((isHome) => assert.equal(isHome, true)));
        } else if (one.do === "wait") await coming.shift();
        else if (one.do === "settle") await check();
        else {
          await Promise.all(coming);
          coming = [];
          await clients[c]!.close();
          clients[c] = await join();
          mine.clear();
        }
      }
      await check();
      for (const ponds of held) for (const copy of ponds.values()) copy[Symbol.dispose]();
      for (const one of clients) {
        await one.getRootObject().callRemote("ping");
        await one.getRootObject().callRemote("ping");
        assert.equal(one.broker.tables.caches, 0);
      }
      for (const { observers } of root.ponds) assert.equal(observers.size, 0);
      for (const broker of server.brokers) assert.equal(broker.tables.cached, 0);
      await Promise.all([...clients.map((one) => one.close()), server.close()]);
    }),
    { numRuns: 100 },
  );
});
