/**
 * A cache of Perspective Broker that is kept in step: the owner of an auction tells every watcher of each bid, and nobody asks.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run --allow-env=CI examples/pb_cache.ts
 *
 * One watcher is a Deno program, the other one a Twisted program.
 *
 * @module
 */

import { pb } from "../mod.ts";
import { findPython } from "./support/child.ts";

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

const python = await findPython();
if (python !== undefined) {
  await using server = await pb.serve(new House(), "tcp:0:interface=127.0.0.1");
  await using alice = await pb.connect(server.address);
  const auction = await alice.getRootObject().callRemote("auction") as RemoteAuction;

  // Bob is a Twisted program: he bids 12, and again when somebody bids more.
  const program = new URL("python/watch_auction.py", import.meta.url).pathname;
  const bob = new Deno.Command(python, { args: ["-u", program, String(server.port)], stdout: "piped" })
    .spawn();
  while (auction.price < 12) await new Promise((resolve) => setTimeout(resolve, 5));
  await alice.getRootObject().callRemote("bid", auction, 15);
  const { stdout, success } = await bob.output();
  console.log(new TextDecoder().decode(stdout).trimEnd());
  if (!success) throw new Error("The Python watcher failed");
  // What was told before an answer is here before it.
  const late = await alice.getRootObject().callRemote("bid", auction, 16).catch((error: Error) =>
    error.message
  );
  console.log(`Alice sees ${auction.item} at ${auction.price}: ${late}`);
  auction[Symbol.dispose]();
}
