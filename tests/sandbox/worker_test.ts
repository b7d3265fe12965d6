import assert from "node:assert/strict";

Deno.test("a sandbox in a Worker has no permissions, and is ended when it loops for ever", async () => {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--unstable-worker-options", "-A"],
      decodeURIComponent(new URL("./worker_program.ts", import.meta.url).pathname),
    ],
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "fine", new TextDecoder().decode(stderr));
});
