/**
 * A child that is attached by its stdin and stdout.
 *
 * @module
 */

import { Tub } from "../../mod.ts";
import { Target } from "./tubs.ts";

const tub = await Tub.create();
tub.registry.register(new Target(), "target");
const peer = await tub.attach({ readable: Deno.stdin.readable, writable: Deno.stdout.writable }, {
  tls: false,
});
await peer.closed;
await tub.stop();
