/**
 * What the tests of files and identities share.
 *
 * @module
 */

/** Runs `use` with a new folder, which is removed afterwards. */
export async function inFolder(use: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await use(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** The permission bits of a file. */
export function mode(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

/** What a piece of Python prints; its error is the test's. */
export async function python(code: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command("/usr/bin/python3", { args: ["-W", "ignore", "-c", code, ...args] });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`Python failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}
