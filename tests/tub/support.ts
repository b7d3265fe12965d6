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

async function run(code: string, args: readonly string[]): Promise<{ success: boolean; text: string }> {
  try {
    const command = new Deno.Command("/usr/bin/python3", { args: ["-W", "ignore", "-c", code, ...args] });
    const { success, stdout, stderr } = await command.output();
    return { success, text: new TextDecoder().decode(success ? stdout : stderr).trim() };
  } catch (error) {
    return { success: false, text: String(error) };
  }
}

/** What a piece of Python prints; its error is the test's. */
export async function python(code: string, ...args: string[]): Promise<string> {
  const { success, text } = await run(code, args);
  if (!success) throw new Error(`Python failed: ${text}`);
  return text;
}

const isThere = (await run("import foolscap.api", [])).success;
const isRequired = Deno.env.get("CI") === "true";

/** A test that needs Foolscap for Python: skipped, saying so, where it is absent; on CI it fails there. */
export function pythonTest(name: string, fn: () => Promise<void>): void {
  if (isThere || isRequired) Deno.test(name, fn);
  else Deno.test.ignore(`${name} (skipped: python3-foolscap is not installed)`, fn);
}
