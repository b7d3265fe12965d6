/**
 * A Worker as a peer: the main thread calls an object in the Worker, and the Worker calls back.
 *
 *     deno run --allow-read=. examples/worker.ts
 *
 * The permission is Deno's own, to load the Worker's file; a Worker whose URL is remote needs `--allow-import=HOST` instead, or
 * nothing where Deno trusts the host. The library itself needs none: nothing listens and nothing dials. Without TLS no
 * certificate is proved: the program has made the Worker, so it knows who is there.
 *
 * @module
 */

import { messagePortStreams, Referenceable, Tub } from "../mod.ts";
import type { Primes } from "./worker/primes.ts";

class Progress extends Referenceable {
  readonly seen: number[] = [];
  remote_at(percent: number): void {
    this.seen.push(percent);
  }
}

// Relative to this file, so it works from a checkout and from a URL.
const worker = new Worker(new URL("./worker/primes.ts", import.meta.url), { type: "module" });
await using tub = await Tub.create();
const peer = await tub.attach(messagePortStreams(worker), { tls: false, address: "the Worker" });

const primes = await peer.getReference<Primes>("primes");
const progress = new Progress();
console.log("primes below 100,000:", await primes.callRemote("count", 100_000, progress));
console.log("on the way the Worker told:", progress.seen.join(" % "), "%");
if (progress.seen.length !== 4) throw new Error("The Worker did not call back four times");

// Nobody is told when a Worker is terminated, so the connection goes first.
await peer.close();
worker.terminate();
