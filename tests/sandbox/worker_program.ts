/**
 * A program with a sandbox in a Worker: run by worker_test.ts, with the flag that this takes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Tub } from "../../mod.ts";
import { startPlugin } from "./support.ts";

await using tub = await Tub.create();
const sandbox = await startPlugin(tub, {
  in: "worker",
  hasUnstableWorkerOptions: true,
  startTimeoutMs: 20_000,
});
const { reference } = sandbox;
assert.equal(await reference.callRemote("add", 1, 2), 3);
const attempt = (code: string) => reference.callRemote("attempt", code);
assert.match(await attempt('return Deno.readTextFileSync("/etc/passwd")'), /NotCapable/);
assert.match(await attempt('return Deno.env.get("HOME")'), /NotCapable/);
assert.match(await attempt('await fetch("http://127.0.0.1:4501/")'), /NotCapable/);
assert.match(
  await attempt('return await import("file:///etc/passwd", { with: { type: "json" } })'),
  /read access/,
);
await sandbox.stop();
assert.equal((await sandbox.ended).reason, "stopped");
Deno.stdout.writeSync(new TextEncoder().encode("fine"));
