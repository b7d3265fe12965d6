/**
 * The Python Foolscap peer as a child process.
 *
 * @module
 */

import type { Description } from "./description.ts";
import { LineReader } from "./line_reader.ts";

/** Where Debian's Python is, which has Foolscap: another Python in the path would not. */
const PYTHON = "/usr/bin/python3";
const FOLDER = new URL("../interop/", import.meta.url);
/** Longest wait for an answer, in milliseconds: a peer that hangs must fail its test, not the whole run. */
const ANSWER_TIMEOUT_MS = 30_000;

let available: Promise<boolean> | undefined;

/** Whether Python Foolscap can be run here. Asked once a process; never rejects. */
export function pythonAvailable(): Promise<boolean> {
  return available ??= probe();
}

async function probe(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(PYTHON, {
      args: ["-c", "import foolscap.api"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

const hasPython = await pythonAvailable();
const isRequired = Deno.env.get("CI") === "true";
let wasSaid = false;

/**
 * Registers a test that needs Python Foolscap. Where that is missing the test is ignored and one line says why,
 * except with `CI=true`, where it fails.
 */
export function interopTest(name: string, fn: (t: Deno.TestContext) => void | Promise<void>): void {
  if (hasPython) {
    Deno.test(name, fn);
  } else if (isRequired) {
    Deno.test(name, () => {
      throw new Error(
        "Cannot run: Python Foolscap is missing, and CI=true needs it: apt-get install python3-foolscap",
      );
    });
  } else {
    sayWhy();
    Deno.test({ name, fn, ignore: true });
  }
}

function sayWhy(): void {
  if (wasSaid) return;
  wasSaid = true;
  const why = "Interop tests are ignored: no Python Foolscap here (apt-get install python3-foolscap)\n";
  Deno.stderr.writeSync(new TextEncoder().encode(why));
}

/** What the peer says first. */
export interface PeerReady {
  /** The FURL of its root object; null with `--no-listen`. */
  readonly furl: string | null;
  /** Its TubID. */
  readonly tubid: string;
  /** The TCP port it listens on. */
  readonly port: number;
}

/** A failure, as the peer saw it. */
export interface PeerFailureDetails {
  readonly type: string;
  readonly value: string;
  readonly parents: readonly string[];
  readonly traceback: string;
  /** Whether it came from the other side rather than from the peer itself. */
  readonly remote: boolean;
}

/** An object that the peer printed. */
export type PeerLine = { readonly [key: string]: unknown };

/** A command that the peer failed. */
export class PeerFailure extends Error {
  override name = "PeerFailure";

  /** The failure, with its fields. */
  constructor(readonly failure: PeerFailureDetails) {
    super(`${failure.type}: ${failure.value}`);
  }
}

/**
 * Starts a script of `tests/interop/`, and waits for its first line.
 *
 * @param script Such as `peer.py`.
 * @param args Its options, such as `--port`, `4501`.
 * @throws {Error} If it ends before it is ready, with what it wrote to stderr.
 */
export async function startPython(script = "peer.py", args: readonly string[] = []): Promise<PythonPeer> {
  const child = new Deno.Command(PYTHON, {
    args: ["-B", decodeURIComponent(new URL(script, FOLDER).pathname), ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const peer = new PythonPeer(child);
  try {
    await peer.started();
    return peer;
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    throw error;
  }
}

/** A running Python peer: `await using peer = await startPython("peer.py")`. */
export class PythonPeer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines = new LineReader();
  readonly #errors: Promise<void>;
  readonly #reading: Promise<unknown>;
  #stderr = "";
  #nextId = 1;
  #ready: PeerReady | undefined;

  /** Takes over a child that was just spawned with all three streams piped. */
  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#errors = this.#readErrors();
    this.#reading = Promise.all([this.#readOutput(), this.#errors, child.status]);
  }

  /** What it said first. */
  get ready(): PeerReady {
    if (this.#ready === undefined) {
      throw new TypeError("Cannot tell: the peer is not ready, so await started()");
    }
    return this.#ready;
  }

  /** The FURL of its root object. */
  get furl(): string {
    const { furl } = this.ready;
    if (furl === null) throw new TypeError("Cannot tell a FURL: the peer was started with --no-listen");
    return furl;
  }

  /** Everything it wrote to stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Fulfilled with its first line; rejected if it ends before. */
  async started(): Promise<PeerReady> {
    return this.#ready ??= await this.#next(
      "its first line",
      (line) => line.ready === true,
    ) as unknown as PeerReady;
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @throws {PeerFailure} If the command failed in the peer.
   * @throws {Error} If the peer ends, or is silent for 30 seconds.
   */
  async command(cmd: string, parameters: PeerLine = {}): Promise<PeerLine> {
    const id = this.#nextId++;
    const answer = this.#next(`the answer to ${cmd}`, (line) => line.id === id);
    const text = JSON.stringify({ id, cmd, ...parameters }) + "\n";
    // A peer that has ended is reported through the answer.
    this.#writer.write(new TextEncoder().encode(text)).catch(() => {});
    const line = await answer;
    if (line.failure !== undefined) throw new PeerFailure(line.failure as PeerFailureDetails);
    return line;
  }

  /**
   * Calls a method of an object that the peer holds.
   *
   * @param ref The name under which it holds it.
   * @param method The method's name; undefined if the reference is a function.
   * @returns The description of the result.
   * @throws {PeerFailure} If the call failed.
   */
  async call(ref: string, method?: string, ...args: readonly Description[]): Promise<Description> {
    return await this.callWith(ref, method, { args });
  }

  /** The same with keyword arguments, or with a name for a reference in the result. */
  async callWith(
    ref: string,
    method: string | undefined,
    options: { args?: readonly Description[]; kwargs?: Record<string, Description>; as?: string },
  ): Promise<Description> {
    const { result } = await this.command("call", { ref, method, ...options });
    return result as Description;
  }

  /** Lets the peer get a reference, held under the name `as`. */
  async get(furl: string, as = "root"): Promise<string> {
    return (await this.command("get", { furl, as })).ref as string;
  }

  /** The next event of a kind, which may have come already. Each is given once. */
  event(kind: string): Promise<PeerLine> {
    return this.#next(`an event "${kind}"`, (line) => line.event === kind);
  }

  async #next(what: string, fits: (line: PeerLine) => boolean): Promise<PeerLine> {
    try {
      return await this.#lines.next(fits, ANSWER_TIMEOUT_MS);
    } catch (error) {
      // Of a peer that has ended all of stderr can be had; it may come after the end of stdout.
      if (this.#lines.hasEnded) await this.#errors;
      throw new Error(`Cannot read ${what} of the Python peer. It wrote to stderr:\n${this.#stderr}`, {
        cause: error,
      });
    }
  }

  async #readOutput(): Promise<void> {
    try {
      for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
        this.#lines.push(text);
      }
    } finally {
      this.#lines.end();
    }
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) this.#stderr += text;
  }

  /** Stops the process, lets it go on, or ends it. */
  signal(name: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    this.#child.kill(name);
  }

  /** Ends the process, and waits until all of it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#writer.abort().catch(() => {});
    await this.#reading;
  }
}
