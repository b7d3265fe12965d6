/**
 * A program whose Worker ends with an error, which Deno writes to stderr whatever the program does about it.
 *
 * @module
 */

import { messagePortStreams, Tub } from "../../mod.ts";

const worker = new Worker(new URL("./attach_worker.ts", import.meta.url), { type: "module" });
// Otherwise the error of a Worker is one of the program.
worker.addEventListener("error", (event) => event.preventDefault());
await using tub = await Tub.create();
const peer = await tub.attach(messagePortStreams(worker), { tls: false });
const fuse = await peer.getReference<{ remote_blow(): Promise<never> }>("fuse");
const error = await fuse.callRemote("blow").catch((error: unknown) => error);
await peer.closed;
// deno-lint-ignore no-console -- the test reads it
console.log(String(error));
worker.terminate();
