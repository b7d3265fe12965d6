/**
 * Python peers for live tests.
 *
 * @module
 */

import assert from "node:assert/strict";

const PYTHON = "/usr/bin/python3";

/**
 * Whether Python has the modules; says so once if not. On CI (`CI=true`) their absence is an error.
 */
export function hasPython(...modules: string[]): boolean {
  let isThere = false;
  try {
    const args = ["-c", modules.map((module) => `import ${module}`).join("\n")];
    isThere = new Deno.Command(PYTHON, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    // No Python at all.
  }
  if (isThere) return true;
  const missing = `${PYTHON} with ${modules.join(", ")} is missing (apt-get install python3-foolscap)`;
  assert(Deno.env.get("CI") !== "true", missing);
  // deno-lint-ignore no-console
  console.log(`Live tests are skipped: ${missing}`);
  return false;
}

/** A Python program that speaks in lines. */
export class PythonLines implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #rest = "";

  /** @param script The program, in this folder. */
  constructor(script: string, ...args: string[]) {
    const file = new URL(script, import.meta.url);
    this.#process = new Deno.Command(PYTHON, {
      args: ["-W", "ignore", file.pathname, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stdin = this.#process.stdin.getWriter();
  }

  /** Sends a line. */
  async send(line: string): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(`${line}\n`));
  }

  /** The words of the next line. */
  async words(): Promise<string[]> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#lines.read();
      assert(!done, "the Python peer has ended");
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line.split(" ");
  }

  /** Ends the program and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close().catch(() => {});
    while (!(await this.#lines.read()).done);
    await this.#process.status;
  }
}
