/**
 * A call that is given up, over two hops: a shop asks a warehouse, and both stop as soon as nobody waits.
 *
 *     deno run --allow-net=127.0.0.1 examples/cancellation.ts
 *
 * @module
 */

import { currentCall, Referenceable, type RemoteReference, Tub } from "../mod.ts";

/** Counts for a very long time, unless it hears that nobody wants to know any more. */
class Warehouse extends Referenceable {
  readonly started = Promise.withResolvers<void>();
  readonly stopped = Promise.withResolvers<string>();

  async remote_count(what: string): Promise<number> {
    const { signal, remainingMs } = currentCall()!;
    console.log(
      `  warehouse: counting ${what}, ${remainingMs === undefined ? "no deadline" : "with a deadline"}`,
    );
    this.started.resolve();
    for (let counted = 0;; counted++) {
      if (signal.aborted) {
        this.stopped.resolve(signal.reason.name);
        signal.throwIfAborted();
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Knows nothing of cancellation: what it asks for while it serves a call is given up with that call. */
class Shop extends Referenceable {
  constructor(readonly warehouse: RemoteReference<Warehouse>) {
    super();
  }
  async remote_stock(what: string): Promise<number> {
    return await this.warehouse.callRemote("count", what);
  }
}

async function startTub(): Promise<Tub> {
  const tub = await Tub.create();
  tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
  return tub;
}

await using warehouseTub = await startTub();
await using shopTub = await startTub();
await using customer = await Tub.create();

const idle = () =>
  [warehouseTub, shopTub, customer].every((tub) => {
    const { activeCalls, pendingCalls } = tub.debug.tables();
    return activeCalls === 0 && pendingCalls === 0;
  });

/** One call of the customer, which is given up: how it ends for the customer, and for the warehouse. */
async function giveUp(options: (started: Promise<void>) => { signal?: AbortSignal; timeoutMs?: number }) {
  const warehouse = new Warehouse();
  const counting = await shopTub.getReference<Warehouse>(warehouseTub.registerReference(warehouse));
  const shop = await customer.getReference<Shop>(shopTub.registerReference(new Shop(counting)));
  const stock = shop.with(options(warehouse.started.promise)).callRemote("stock", "paper");
  const [error, stopped] = await Promise.all([
    stock.then(() => "an answer", (error: Error) => error.name),
    warehouse.stopped.promise,
  ]);
  while (!idle()) await new Promise((resolve) => setTimeout(resolve, 1));
  return { customer: error, warehouse: stopped };
}

console.log("given up by its signal");
const bySignal = await giveUp((started) => {
  const controller = new AbortController();
  void started.then(() => controller.abort());
  return { signal: controller.signal };
});
console.log("  ", bySignal);

console.log("given up when its time is over");
const byTime = await giveUp(() => ({ timeoutMs: 500 }));
console.log("  ", byTime);

if (bySignal.warehouse !== "AbortError" || byTime.warehouse !== "TimeoutError") {
  throw new Error("The warehouse was not told what has become of the call");
}
