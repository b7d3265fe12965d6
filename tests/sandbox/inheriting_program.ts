/**
 * Starts a sandbox in a process that was itself started with a pipe open, number 9, and has the sandbox write there.
 *
 * @module
 */
import { Tub } from "../../mod.ts";
import { startPlugin } from "./support.ts";

await using tub = await Tub.create();
const sandbox = await startPlugin(tub);
// What has that number when the pipe is closed is the sandbox's own, so it may end by this.
await sandbox.reference.callRemote(
  "attempt",
  `const { Socket } = await import("node:net");
   await new Promise((resolve) => {
     const socket = new Socket({ fd: 9, readable: false });
     socket.on("error", resolve);
     socket.write("from the sandbox", resolve);
   });`,
).catch(() => {});
