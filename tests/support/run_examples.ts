/**
 * Runs every program of `examples/` with the flags that its first comment names, such as
 * `deno run --allow-net examples/calculator.ts`, and shows what it prints. Each must end by itself, with success.
 *
 * @module
 */

import { ROOT } from "./source_files.ts";

/** Longest run of one example, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** Runs one example; what went wrong, or undefined. */
async function run(name: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(new URL(`examples/${name}`, ROOT));
  const command = new RegExp(String.raw`deno run ((?:-[^\s]+ )*)(?:\S*/)?${RegExp.escape(name)}`).exec(text);
  if (command === null) return `its comment has no "deno run ... examples/${name}"`;
  const flags = command[1]!.split(" ").filter((flag) => flag !== "");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...flags, `examples/${name}`],
    cwd: ROOT,
    stdin: "null",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { success, code, stdout, stderr } = await child.output();
  if (success) {
    say(new TextDecoder().decode(stdout).trimEnd().replace(/^/gm, "  "));
    return undefined;
  }
  return `it ended with ${code}\n${new TextDecoder().decode(stdout)}${new TextDecoder().decode(stderr)}`;
}

const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));

if (import.meta.main) {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(new URL("examples/", ROOT))) {
    if (isFile && name.endsWith(".ts")) names.push(name);
  }
  let failed = 0;
  for (const name of names.sort()) {
    say(`examples/${name}`);
    const problem = await run(name);
    say(problem === undefined ? "  ... ok\n" : `  ... FAILED: ${problem}\n`);
    if (problem !== undefined) failed++;
  }
  say(`examples: ${names.length - failed} ran, ${failed} failed`);
  Deno.exitCode = failed > 0 || names.length === 0 ? 1 : 0;
}
