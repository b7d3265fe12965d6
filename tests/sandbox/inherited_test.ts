/**
 * What a sandbox inherits of what the process was started with that starts it.
 */
import assert from "node:assert/strict";
import { inheritedPipes } from "../../lib/sandbox/inherited.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { until } from "../tub/tubs.ts";

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

Deno.test({
  name: "inheritedPipes() gives a launcher up that leaves somebody behind who keeps its output open",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const clock = new FakeClock();
      const launcher = ["/bin/sh", "-c", `sleep 60 & echo $! > ${folder}/pid; wait`];
      const looked = inheritedPipes({ launcher, env: { PATH: "/bin:/usr/bin" }, clock });
      const pid = () => {
        try {
          return Number(Deno.readTextFileSync(`${folder}/pid`));
        } catch {
          return 0;
        }
      };
      await until(() => pid() > 0);
      clock.advance(10_000);
      assert.deepEqual(await looked, []);
      Deno.kill(pid(), "SIGKILL");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
