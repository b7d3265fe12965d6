import assert from "node:assert/strict";
import { grantSandbox, SandboxError, type SandboxExit, Tub } from "../../mod.ts";
import type { IncarnationEnd } from "../../lib/sandbox/incarnation.ts";
import { Restarts } from "../../lib/sandbox/restarts.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type Plugin from "./modules/plugin.ts";
import { startPlugin } from "./support.ts";

const crash: IncarnationEnd = { reason: "crashed", code: 1, signal: null, lastLines: [] };

Deno.test("Restarts.next() waits longer each time, and gives up when there were too many", () => {
  const clock = new FakeClock();
  const restarts = new Restarts({ max: 3, perMs: 1_000, backoffMs: 50 }, clock);
  assert.deepEqual([1, 2, 3, 4].map(() => restarts.next(crash)), [50, 100, 200, undefined]);
  clock.advance(1_000);
  assert.equal(restarts.next({ ...crash, reason: "exited" }), 50);
});

for (
  const { restart, reason, expected } of [
    { restart: "never", reason: "crashed", expected: undefined },
    { restart: "on-failure", reason: "crashed", expected: 100 },
    { restart: "on-failure", reason: "memory", expected: 100 },
    { restart: "on-failure", reason: "exited", expected: undefined },
    { restart: "on-failure", reason: "stopped", expected: undefined },
    { restart: { max: 1, perMs: 1 }, reason: "stopped", expected: undefined },
  ] as const
) {
  Deno.test(`Restarts.next() says ${expected} when it has ${reason} and restart is ${JSON.stringify(restart)}`, () => {
    assert.equal(new Restarts(restart, new FakeClock()).next({ ...crash, reason }), expected);
  });
}

Deno.test("a sandbox that crashes is started again under the same FURL, and calls wait for it", async () => {
  await using tub = await Tub.create();
  tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
  await using client = await Tub.create();
  const exits: SandboxExit[] = [];
  const sandbox = await startPlugin(tub, {
    restart: { max: 3, perMs: 60_000, backoffMs: 0 },
    onExit: (exit) => exits.push(exit),
  });
  const plugin = await client.getReference<Plugin>(sandbox.furl!);
  assert.equal(await plugin.callRemote("count"), 1);
  assert.equal(await plugin.callRemote("count"), 2);
  const child = await plugin.callRemote("child");
  await assert.rejects(plugin.callRemote("exit", 3), (error) => {
    assert.equal((error as { remoteType?: string }).remoteType, "javascript.SandboxError");
    assert.match(
      (error as Error).message,
      /Cannot call "exit": the sandbox has ended, its process has crashed/,
    );
    return true;
  });
  // Another process, which has counted nothing.
  assert.equal(await plugin.callRemote("count"), 1);
  assert.equal(sandbox.restarts, 1);
  assert.deepEqual(exits.map(({ reason, code, willRestart }) => ({ reason, code, willRestart })), [
    { reason: "crashed", code: 3, willRestart: true },
  ]);
  await assert.rejects(child.callRemote("name"));
  assert.equal(await plugin.callRemote("isSelf", plugin), true);
});

Deno.test("calls fail at once while a sandbox is started again, if the program says so", async () => {
  await using tub = await Tub.create();
  const sandbox = await startPlugin(tub, {
    restart: { max: 3, perMs: 60_000, backoffMs: 10_000 },
    whileRestarting: "fail",
  });
  await assert.rejects(sandbox.reference.callRemote("exit", 0), SandboxError);
  await assert.rejects(
    sandbox.reference.callRemote("count"),
    (error) => error instanceof SandboxError && error.reason === "exited",
  );
  assert.equal(sandbox.state, "restarting");
  await sandbox.stop();
  assert.equal((await sandbox.ended).reason, "stopped");
});

Deno.test("calls that wait fail when a sandbox is stopped before it was started again", async () => {
  await using tub = await Tub.create();
  const sandbox = await startPlugin(tub, { restart: { max: 3, perMs: 60_000, backoffMs: 10_000 } });
  await assert.rejects(sandbox.reference.callRemote("exit", 1), SandboxError);
  const waiting = assert.rejects(sandbox.reference.callRemote("count"), SandboxError);
  await assert.rejects(
    sandbox.reference.with({ timeoutMs: 20 }).callRemote("count"),
    (error) => (error as Error).name === "TimeoutError",
  );
  await sandbox.stop();
  await waiting;
});

Deno.test("a sandbox whose module has gone is given up after as many restarts as it may have", async () => {
  await using tub = await Tub.create();
  const folder = await Deno.makeTempDir();
  const file = `${folder}/plugin.ts`;
  await Deno.writeTextFile(
    file,
    `import { Referenceable } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
     export default class extends Referenceable { remote_exit() { Deno.exit(1); } }`,
  );
  const exits: SandboxExit[] = [];
  const sandbox = await grantSandbox<{ remote_exit(): void }>(tub, file, {
    restart: { max: 2, perMs: 60_000, backoffMs: 0 },
    onExit: (exit) => exits.push(exit),
  });
  await Deno.remove(folder, { recursive: true });
  await assert.rejects(sandbox.reference.callRemote("exit"), SandboxError);
  assert.equal((await sandbox.ended).reason, "start");
  assert.deepEqual(exits.map(({ reason, willRestart }) => [reason, willRestart]), [
    ["crashed", true],
    ["start", true],
    ["start", false],
  ]);
});

Deno.test("a sandbox survives callbacks of its program that reject, and tells the trace", async () => {
  await using tub = await Tub.create();
  const failed: string[] = [];
  const fail = () => Promise.reject(new TypeError("of the program"));
  const sandbox = await startPlugin(tub, {
    onExit: fail,
    trace: (event) => event.type === "callback-failed" && failed.push(event.where),
  });
  await sandbox.stop();
  assert.deepEqual(failed, ["onExit of a sandbox"]);
});
