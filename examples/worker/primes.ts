/**
 * The Worker of `examples/worker.ts`: it counts primes beside the main thread.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import { messagePortStreams, Referenceable, type RemoteReference, Tub } from "../../mod.ts";

interface Progress {
  remote_at(percent: number): void;
}

/** What the main thread calls. */
export class Primes extends Referenceable {
  /** Counts the primes below a limit, and tells `progress` about each quarter. */
  async remote_count(limit: number, progress: RemoteReference<Progress>): Promise<number> {
    let count = 0;
    for (let n = 2; n < limit; n++) {
      if (isPrime(n)) count++;
      if (n % (limit / 4) === 0) await progress.callRemote("at", n * 100 / limit);
    }
    await progress.callRemote("at", 100);
    return count;
  }
}

function isPrime(n: number): boolean {
  for (let i = 2; i * i <= n; i++) {
    if (n % i === 0) return false;
  }
  return true;
}

const tub = await Tub.create();
// A name for a peer that is known; no location, for there is no FURL to be given.
tub.registry.register(new Primes(), "primes");
await tub.attach(messagePortStreams(self), { tls: false, address: "the main thread" });
