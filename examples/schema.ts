/**
 * What methods take and give: one declaration that checks calls on both sides and gives both their types.
 *
 *     deno run --allow-net=127.0.0.1 examples/schema.ts
 *
 * @module
 */

import { kwargs, Referenceable, RemoteInterface, type RemoteReference, schema, Tub } from "../mod.ts";

const RIObserver = RemoteInterface("RIObserver.schema.example.com", {
  sold: schema.method([["name", String], ["left", schema.IntegerConstraint()]], null),
});
type RIObserver = schema.InterfaceOf<typeof RIObserver>;

const RIShop = RemoteInterface("RIShop.schema.example.com", {
  watch: schema.method([["observer", RIObserver]], null),
  sell: schema.method([
    ["name", schema.UnicodeConstraint({ maxLength: 40, regexp: /^[a-z ]+$/ })],
    ["count", schema.Optional(schema.IntegerConstraint(), 1)],
  ], schema.IntegerConstraint()),
  stock: schema.method([], schema.DictOf(String, schema.IntegerConstraint(), { maxKeys: 1000 })),
});
type RIShop = schema.InterfaceOf<typeof RIShop>;

class Shop extends Referenceable implements RIShop {
  static override remoteInterface = RIShop;
  readonly #observers = new Set<RemoteReference<RIObserver>>();
  readonly #stock: Record<string, number> = { tea: 12, coffee: 3 };

  remote_watch(observer: RemoteReference<RIObserver>): void {
    this.#observers.add(observer);
  }
  remote_sell(name: string, count: number): number {
    const left = (this.#stock[name] ?? 0) - count;
    if (left < 0) throw new RangeError(`Not enough ${name}`);
    this.#stock[name] = left;
    for (const observer of this.#observers) observer.callRemoteOnly("sold", name, left);
    return left;
  }
  remote_stock(): Record<string, number> {
    return this.#stock;
  }
}

class Observer extends Referenceable implements RIObserver {
  static override remoteInterface = RIObserver;
  remote_sold(name: string, left: number): void {
    console.log(`observer: ${left} ${name} left`);
  }
}

await using server = await Tub.create();
const listener = await server.listenOn("tcp:0:interface=127.0.0.1");
server.setLocation(`tcp:127.0.0.1:${listener.port}`);
const furl = server.registerReference(new Shop());

await using client = await Tub.create();
const shop = await client.getReference<RIShop>(furl);
await shop.callRemote("watch", new Observer());
console.log("left:", await shop.callRemote("sell", "tea", 2));
console.log("left:", await shop.callRemote("sell", kwargs({ name: "coffee", count: 1 })));
console.log("left:", await shop.remote.sell("coffee", 1));
console.log("stock:", { ...await shop.remote.stock() });

// No type stands in the way of this one: the rules do, before it is sent.
const untyped = await client.getReference(furl);
await untyped.callRemote("sell", "NO CAPITALS", 2).catch((error: Error) => {
  console.log(`${error.name}: ${error.message}`);
});
