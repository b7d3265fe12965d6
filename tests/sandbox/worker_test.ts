import assert from "node:assert/strict";

Deno.test("a sandbox in a Worker has no permissions, and stops", async () => {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--unstable-worker-options", "-A"],
      decodeURIComponent(new URL("./worker_program.ts", import.meta.url).pathname),
    ],
    signal: AbortSignal.timeout(30_000),
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "fine", new TextDecoder().decode(stderr));
});
