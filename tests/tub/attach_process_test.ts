import assert from "node:assert/strict";
import { DeadReferenceError, messagePortStreams, Tub } from "../../mod.ts";
import { EMPTY_TABLES, type Target } from "./tubs.ts";

/** What the Worker of attach_worker.ts has. */
interface Fuse {
  remote_ping(): string;
}

function startWorker(): Worker {
  return new Worker(new URL("./attach_worker.ts", import.meta.url), { type: "module" });
}

function fileOf(name: string): string {
  return decodeURIComponent(new URL(name, import.meta.url).pathname);
}

for (const how of ["closes the connection", "kills the child"] as const) {
  Deno.test(`attach() over a child's stdio makes calls in both directions until the program ${how}`, async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--allow-env",
        fileOf("./attach_child.ts"),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    await using tub = await Tub.create();
    const peer = await tub.attach({ readable: child.stdout, writable: child.stdin }, { tls: false });
    const ref = await peer.getReference<Target>("target");
    assert.equal(await ref.callRemote("add", 1, 2), 3);
    const big = new Uint8Array(2 << 20).fill(3);
    assert.deepEqual(await ref.callRemote("echo", big), big);
    if (how === "closes the connection") {
      await peer.close();
      assert.equal((await child.status).success, true);
    } else {
      const waiting = ref.callRemote("wait");
      child.kill("SIGKILL");
      await assert.rejects(waiting, DeadReferenceError);
      await Promise.all([peer.closed, child.status]);
    }
    assert.deepEqual(tub.debug.tables(), EMPTY_TABLES);
  });
}

Deno.test("attach() finds a Worker that begins to listen only after its first await", async () => {
  const worker = startWorker();
  await using tub = await Tub.create();
  const peer = await tub.attach(messagePortStreams(worker), { tls: false });
  const fuse = await peer.getReference<Fuse>("fuse");
  assert.equal(await fuse.callRemote("ping"), "pong");
  await peer.close();
  worker.terminate();
});

Deno.test("calls to a Worker fail with a DeadReferenceError when it ends with an error", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", fileOf("./attach_blown.ts")],
    stdin: "null",
    stderr: "null",
  }).output();
  const said = new TextDecoder().decode(stdout);
  assert.match(said, /^DeadReferenceError: .*The Worker or the port has failed.*blown/);
  assert(success);
});
