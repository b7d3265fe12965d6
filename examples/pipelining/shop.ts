/**
 * The program of `examples/pipelining.ts`, which does not know what kind of peer it has.
 *
 * @module
 */

import type { Referenceable, RemoteReference } from "../../mod.ts";

/** An entry of a catalogue. */
export interface Item extends Referenceable {
  /** What it is called. */
  remote_name(): string;
  /** What it costs, in cents. */
  remote_price(): number;
}

/** What a customer buys. */
export interface Basket extends Referenceable {
  /** Puts some of an item in. */
  remote_put(item: RemoteReference<Item>, count: number): Basket;
  /** What all of it costs, in cents. */
  remote_total(): number;
}

/** What customers see of a shop. */
export interface Shop extends Referenceable {
  /** Items with this word in their name. */
  remote_find(word: string): Item[];
  /** A new basket. */
  remote_basket(): Basket;
  /** How many of something are a good choice. */
  remote_usual(name: string): number;
}

/** Buys: eleven calls, of which only the last result is waited for. */
export async function buy(shop: RemoteReference<Shop>): Promise<{ total: number; name: string }> {
  const tea = shop.remote.find("tea").get(0);
  const cake = shop.remote.find("cake").get(0);
  const full = shop.remote.basket()
    .remote.put(tea, shop.remote.usual(tea.remote.name()))
    .remote.put(cake, shop.remote.usual(cake.remote.name()));
  const [total, name] = await Promise.all([full.remote.total(), tea.remote.name()]);
  return { total, name };
}
