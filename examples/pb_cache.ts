/**
 * A cache of Perspective Broker that is kept in step: the owner of an auction tells every watcher of each bid, and nobody asks.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 examples/pb_cache.ts
 * ```
 *
 * Either half can be a Twisted program: a `pb.Cacheable` or `pb.RemoteCache` there is one here.
 *
 * @module
 */

import { pb } from "https://example.org/foolscap/mod.ts";

/** The owner's. */
class Auction extends pb.Cacheable {
  static override copytype = "auction.Auction";
  readonly #watchers = new Set<pb.RemoteCacheObserver>();
  #price = 10;

  bid(price: number): void {
    if (price <= this.#price) throw new pb.Error(`bid more than ${this.#price}`);
    this.#price = price;
    for (const watcher of this.#watchers) watcher.callRemoteOnly("price", price);
  }

  override getStateToCacheAndObserveFor(_perspective: unknown, watcher: pb.RemoteCacheObserver) {
    this.#watchers.add(watcher);
    console.log(`${this.#watchers.size} watching`);
    return { item: "a pond", price: this.#price };
  }

  override stoppedObserving(_perspective: unknown, watcher: pb.RemoteCacheObserver) {
    this.#watchers.delete(watcher);
    console.log(`${this.#watchers.size} watching`);
  }
}

/** The watchers' copy. */
class RemoteAuction extends pb.RemoteCache {
  declare item: string;
  declare price: number;
  observe_price(price: number): void {
    this.price = price;
  }
}
pb.setUnjellyableForClass("auction.Auction", RemoteAuction);

class House extends pb.Root {
  readonly #auction = new Auction();
  remote_auction(): Auction {
    return this.#auction;
  }
  /** The watcher's copy comes home as the auction itself. */
  remote_bid(auction: unknown, price: number): void {
    if (auction !== this.#auction) throw new pb.Error("no such auction");
    this.#auction.bid(price);
  }
}

await using server = await pb.serve(new House(), "tcp:0:interface=127.0.0.1");
await using alice = await pb.connect(server.address);
await using bob = await pb.connect(server.address);

const ofAlice = await alice.getRootObject().callRemote("auction") as RemoteAuction;
{
  using ofBob = await bob.getRootObject().callRemote("auction") as RemoteAuction;
  await bob.getRootObject().callRemote("bid", ofBob, 12);
  await alice.getRootObject().callRemote("bid", ofAlice, 15);
  // What was told before an answer is here before it.
  console.log(`alice sees ${ofAlice.item} at ${ofAlice.price}`);
  const late = await bob.getRootObject().callRemote("bid", ofBob, 14).catch((error: Error) => error.message);
  console.log(`bob sees it at ${ofBob.price}: ${late}`);
}
