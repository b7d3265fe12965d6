/**
 * What a sandbox inherits of what the process was started with that starts it.
 */
import assert from "node:assert/strict";

const PROGRAM = new URL("./inheriting_program.ts", import.meta.url).pathname;

async function run(command: string, args: string[]): Promise<void> {
  const { stderr, success } = await new Deno.Command(command, { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

Deno.test({
  name: "grantSandbox() closes the pipes that its own process was started with, in the sandbox",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/pipe`;
      await run("mkfifo", [path]);
      using pipe = await Deno.open(path, { read: true, write: true });
      // The program itself may do little: what it inherits is found all the same.
      const script = 'exec "$1" run --no-prompt --allow-run --allow-read "$2" 9>"$3"';
      await run("/bin/sh", ["-c", script, "sh", Deno.execPath(), PROGRAM, path]);
      await pipe.write(new TextEncoder().encode("nothing"));
      const bytes = new Uint8Array(100);
      const length = await pipe.read(bytes);
      assert.equal(new TextDecoder().decode(bytes.subarray(0, length!)), "nothing");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
