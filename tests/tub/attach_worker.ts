/**
 * A Worker that is attached by its messages, after the main thread has sent its first one.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import { messagePortStreams, Referenceable, Tub } from "../../mod.ts";

/** Fails in the way that ends a Worker. */
class Fuse extends Referenceable {
  remote_blow(): Promise<never> {
    setTimeout(() => {
      throw new RangeError("blown");
    });
    return new Promise(() => {});
  }
  remote_ping(): string {
    return "pong";
  }
}

const tub = await Tub.create();
await new Promise((resolve) => setTimeout(resolve, 5));
tub.registry.register(new Fuse(), "fuse");
await tub.attach(messagePortStreams(self), { tls: false });
