/**
 * Programs that an example runs beside itself.
 *
 * @module
 */

/** A program that was started, and the first line that it printed. */
export interface Child extends AsyncDisposable {
  readonly firstLine: string;
  /** Ends it the hard way. */
  kill(): Promise<void>;
}

/** Starts a program and waits for its first line. Disposing it ends its input, on which it is to end. */
export async function startChild(command: string, args: readonly string[]): Promise<Child> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${command} ended before it printed a line`);
    text += value;
  }
  const ended = async () => {
    while (!(await reader.read()).done);
    await child.status;
  };
  return {
    firstLine: text.slice(0, text.indexOf("\n")).trim(),
    async kill() {
      child.kill("SIGKILL");
      await child.stdin.close().catch(() => {});
      await ended();
    },
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await ended();
    },
  };
}

/** Starts another Deno program with these permissions, and arguments of its own. */
export function startDeno(
  program: URL,
  permissions: readonly string[],
  args: readonly string[] = [],
): Promise<Child> {
  return startChild(Deno.execPath(), ["run", "--no-prompt", ...permissions, program.pathname, ...args]);
}

const PYTHON = "/usr/bin/python3";

/** A Python that has Foolscap; where there is none, says so and gives `undefined`. */
export async function findPython(): Promise<string | undefined> {
  try {
    const { success } = await new Deno.Command(PYTHON, {
      args: ["-c", "import foolscap.api"],
      stdout: "null",
      stderr: "null",
    }).output();
    if (success) return PYTHON;
  } catch {
    // No Python at all.
  }
  if (Deno.env.get("CI") === "true") throw new Error("Python Foolscap is not installed, and CI needs it");
  console.log("skipped: Python Foolscap is not installed (apt-get install python3-foolscap)");
  return undefined;
}
