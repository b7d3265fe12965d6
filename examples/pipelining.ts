/**
 * Eleven calls that depend on each other: one round trip between two Deno Tubs, and the same program with a Python Tub,
 * where each call is made when what it needs is there.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run --allow-env=CI examples/pipelining.ts
 *
 * @module
 */

import { Referenceable, Tub } from "../mod.ts";
import { buy, type Shop } from "./pipelining/shop.ts";
import { findPython, startChild } from "./support/child.ts";

class Item extends Referenceable {
  constructor(readonly name: string, readonly price: number) {
    super();
  }
  remote_name(): string {
    return this.name;
  }
  remote_price(): number {
    return this.price;
  }
}

class Basket extends Referenceable {
  #total = 0;
  // An object of this Tub's that comes home is the object itself.
  remote_put(item: unknown, count: number): Basket {
    this.#total += (item as Item).price * count;
    return this;
  }
  remote_total(): number {
    return this.#total;
  }
}

class DenoShop extends Referenceable {
  readonly items = [new Item("green tea", 450), new Item("black tea", 380), new Item("cheesecake", 2200)];
  remote_find(word: string): Item[] {
    return this.items.filter(({ name }) => name.includes(word));
  }
  remote_basket(): Basket {
    return new Basket();
  }
  remote_usual(name: string): number {
    return name.includes("cake") ? 1 : 3;
  }
}

/** Buys in the shop of a FURL, and counts how often calls were sent that had to wait for an answer before. */
async function visit(furl: string): Promise<{ bought: string; trips: number }> {
  let calls = 0, trips = 0, isNewTrip = true;
  await using customer = await Tub.create({
    trace(event) {
      if (event.type !== "call-sent" || event.requestId === 0) return;
      calls++;
      if (isNewTrip) trips++;
      isNewTrip = false;
      // What is sent in the same turn of the event loop goes out together.
      setTimeout(() => isNewTrip = true, 0);
    },
  });
  const shop = await customer.getReference<Shop>(furl);
  await new Promise((resolve) => setTimeout(resolve, 10));
  calls = trips = 0;
  const { total, name } = await buy(shop);
  return { bought: `${calls} calls: ${name} and cake for ${total / 100}`, trips };
}

await using server = await Tub.create();
server.setLocation((await server.listenOn("tcp:0:interface=127.0.0.1")).hint);
const deno = await visit(server.registerReference(new DenoShop()));
console.log("Deno:  ", deno.bought);
console.log("        round trips:", deno.trips);
if (deno.trips !== 1) throw new Error("The calls did not go out together");

const python = await findPython();
if (python !== undefined) {
  await using shop = await startChild(python, ["-u", new URL("python/shop.py", import.meta.url).pathname]);
  const there = await visit(shop.firstLine);
  console.log("Python:", there.bought);
  console.log("        round trips:", there.trips);
  if (there.bought !== deno.bought) throw new Error("The two shops do not agree");
}
