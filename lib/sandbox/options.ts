/**
 * What a program says about a sandbox.
 *
 * @module
 */

import type { SandboxEnd } from "../errors.ts";
import { type Limits, MAX_TIMER_MS } from "../limits.ts";
import { checkTerms, type GrantOptions } from "../registry/grant_options.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import type { SandboxPermissions } from "./confinement.ts";

/** How often, and how soon, what has ended is started again. */
export interface SandboxRestarts {
  /** Restarts within `perMs`; one more, and it stays ended. */
  readonly max: number;
  /** In milliseconds. */
  readonly perMs: number;
  /**
   * Milliseconds before the first restart; before each further one within `perMs` twice as many, up to 10,000.
   *
   * @default 100
   */
  readonly backoffMs?: number | undefined;
}

/** How a sandbox has ended, once. */
export interface SandboxExit {
  /** What has happened. */
  readonly reason: SandboxEnd;
  /** The exit code of the process. */
  readonly code: number;
  /** The signal that ended it, such as `SIGKILL`. */
  readonly signal: string | null;
  /** What it printed last, at most 20 lines: text of a stranger, and perhaps with paths of this machine. */
  readonly lastLines: readonly string[];
  /** Whether it is started again. */
  readonly willRestart: boolean;
}

/** Options of {@linkcode grantSandbox}. */
export interface SandboxOptions {
  /**
   * What it may do, of Deno's permissions. Never more than this process may.
   *
   * @default "none"
   */
  readonly permissions?: SandboxPermissions | undefined;
  /**
   * What it is given: objects to call, and values. Its class or function gets this as its first argument, with a reference for
   * each object.
   *
   * @default nothing
   */
  readonly caps?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Further arguments of its class or function.
   *
   * @default none
   */
  readonly args?: readonly unknown[] | undefined;
  /**
   * The name of the module's export: a class that derives from Referenceable, a function that gives an object of one (or a
   * promise), or such an object.
   *
   * @default "default"
   */
  readonly export?: string | undefined;
  /**
   * Files, folders and hosts that its code may be loaded from besides the module itself: absolute paths, or URLs. It can read
   * such files as files, too. The library needs none.
   *
   * @default none: the module imports nothing but the library
   */
  readonly imports?: readonly (string | URL)[] | undefined;
  /**
   * The variables of its environment, all of them. It may read them.
   *
   * @default none
   */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /**
   * Memory for its JavaScript objects, in MiB, from 16. What it has in buffers counts for `maxRssMb` alone.
   *
   * @default 128
   */
  readonly memoryMb?: number | undefined;
  /**
   * Memory of the whole process, in MiB: looked at every `maxSilenceMs / 4`. A Deno process that does nothing has 60 to 90.
   *
   * @default memoryMb + 256
   */
  readonly maxRssMb?: number | undefined;
  /**
   * Time to be ready, in milliseconds.
   *
   * @default 10_000
   */
  readonly startTimeoutMs?: number | undefined;
  /**
   * When it has said nothing for so long, it is ended: it is in an endless loop, say. In milliseconds.
   *
   * @default 10_000
   */
  readonly maxSilenceMs?: number | undefined;
  /**
   * Time to end by itself when it is stopped, in milliseconds.
   *
   * @default 2_000
   */
  readonly stopTimeoutMs?: number | undefined;
  /**
   * Whether it is started again when it ends. `"on-failure"`: five times a minute at most, and not when it has ended with
   * code 0. Numbers: always.
   *
   * @default "never"
   */
  readonly restart?: "never" | "on-failure" | SandboxRestarts | undefined;
  /**
   * What becomes of calls while it is started again: they wait (at most 1,000 of them), or fail at once.
   *
   * @default "wait"
   */
  readonly whileRestarting?: "wait" | "fail" | undefined;
  /**
   * Whether the object gets a FURL, if the Tub has a location; and of which name.
   *
   * @default true: one that nobody can guess
   */
  readonly publish?: boolean | string | undefined;
  /**
   * Limits of its use by others, as {@linkcode CapabilityRegistry.grant} takes them: the FURL is that of a capability then,
   * `sandbox.capability`, which ends with the sandbox. The program's own `sandbox.reference` has none of them.
   *
   * @default none: the FURL gives all that the object can do
   */
  readonly grant?: GrantOptions | undefined;
  /**
   * Where it runs. `"worker"`: a Worker of this process, which only starts if the process runs with `--unstable-worker-options`.
   * Deno ends a process that has it not, and cannot be asked before: so `hasUnstableWorkerOptions` has to be said as well. It is
   * weaker: one in an endless loop is cut off, but its thread goes on, and keeps this process from ending (Deno 2.9.6); its
   * memory is this process's, `memoryMb` is not looked at, and what it prints is printed. See docs/security.md.
   *
   * @default "process"
   */
  readonly in?: "process" | "worker" | undefined;
  /** Says that this process runs with `--unstable-worker-options`. */
  readonly hasUnstableWorkerOptions?: boolean | undefined;
  /**
   * A program that starts the process, with its arguments, for limits that Deno does not have:
   * `["/usr/bin/prlimit", "--cpu=60", "--"]`. It must become the process that it is given (by `exec`).
   *
   * @default none
   */
  readonly launcher?: readonly string[] | undefined;
  /**
   * Whether code that is not in Deno's cache is downloaded. Then a module can send words out, as names of npm packages that it
   * asks for.
   *
   * @default false
   */
  readonly downloads?: boolean | undefined;
  /**
   * What it may make this process spend.
   *
   * @default DEFAULT_LIMITS
   */
  readonly limits?: Partial<Limits> | undefined;
  /**
   * Is given what it prints, line by line: text of a stranger, at most 2,000 characters a line and 1,000 lines a second.
   *
   * @default nobody reads it
   */
  readonly onOutput?: ((line: string) => void) | undefined;
  /** Is told each time that it has ended. */
  readonly onExit?: ((exit: SandboxExit) => void) | undefined;
  /**
   * Is told what happens on the connection with it, and what `onOutput` and `onExit` throw.
   *
   * @default nobody is told
   */
  readonly trace?: Trace | undefined;
  /**
   * The time and the timers.
   *
   * @default the clock of the machine
   */
  readonly clock?: Clock | undefined;
}

const NAMES: Readonly<Record<keyof SandboxOptions, true>> = {
  permissions: true,
  caps: true,
  args: true,
  export: true,
  imports: true,
  env: true,
  memoryMb: true,
  maxRssMb: true,
  startTimeoutMs: true,
  maxSilenceMs: true,
  stopTimeoutMs: true,
  restart: true,
  whileRestarting: true,
  publish: true,
  grant: true,
  in: true,
  hasUnstableWorkerOptions: true,
  launcher: true,
  downloads: true,
  limits: true,
  onOutput: true,
  onExit: true,
  trace: true,
  clock: true,
};

/** Numbers that a sandbox goes by. */
export interface SandboxNumbers {
  readonly memoryMb: number;
  readonly maxRssMb: number;
  readonly startTimeoutMs: number;
  readonly maxSilenceMs: number;
  readonly stopTimeoutMs: number;
}

/**
 * Makes sure of what a program has said.
 *
 * @throws {TypeError} If an option is unknown, or not of its type.
 * @throws {RangeError} If a number is out of its range.
 * @throws {FurlError} If the name of its grant cannot stand in a FURL.
 */
export function checkSandboxOptions(options: SandboxOptions): SandboxNumbers {
  if (typeof options !== "object" || options === null) refuse("the options are not an object");
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(NAMES, name)) {
      refuse(`there is no option ${quoteForeign(name, 64)}; it is one of ${Object.keys(NAMES).join(", ")}`);
    }
  }
  const { restart = "never", whileRestarting = "wait", launcher = [], imports = [] } = options;
  for (const name of ["onOutput", "onExit", "trace"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      refuse(`${name} is not a function`);
    }
  }
  if (whileRestarting !== "wait" && whileRestarting !== "fail") {
    refuse('whileRestarting is neither "wait" nor "fail"');
  }
  if (!Array.isArray(launcher) || !launcher.every((word) => typeof word === "string")) {
    refuse("launcher is not a list of texts");
  }
  if (!Array.isArray(imports)) refuse("imports is not a list");
  const { grant, publish, clock } = options;
  if (grant !== undefined) {
    // Checked here, so that no process is started only to find out that the grant fails.
    checkTerms(grant, (clock ?? systemClock).now());
    if (typeof publish === "string" && grant.name !== undefined) {
      refuse("publish and grant.name both name it");
    }
  }
  checkWhere(options);
  checkRestarts(restart);
  const { memoryMb = 128, startTimeoutMs = 10_000, maxSilenceMs = 10_000, stopTimeoutMs = 2_000 } = options;
  const { maxRssMb = memoryMb + 256 } = options;
  checkRange("memoryMb", memoryMb, 16, 1 << 20);
  checkRange("maxRssMb", maxRssMb, 64, 1 << 21);
  checkRange("startTimeoutMs", startTimeoutMs, 1, MAX_TIMER_MS);
  checkRange("maxSilenceMs", maxSilenceMs, 100, MAX_TIMER_MS);
  checkRange("stopTimeoutMs", stopTimeoutMs, 0, MAX_TIMER_MS);
  return { memoryMb, maxRssMb, startTimeoutMs, maxSilenceMs, stopTimeoutMs };
}

function checkWhere(
  { in: where = "process", hasUnstableWorkerOptions, launcher, env }: SandboxOptions,
): void {
  if (where !== "process" && where !== "worker") refuse('in is neither "process" nor "worker"');
  if (where === "process") return;
  if (hasUnstableWorkerOptions !== true) {
    refuse(
      "a Worker has permissions of its own only with --unstable-worker-options, without which Deno ends this process; " +
        "run with that flag, and say hasUnstableWorkerOptions: true",
    );
  }
  if (launcher !== undefined || env !== undefined) refuse("a Worker has no launcher and no env");
}

function checkRestarts(restart: NonNullable<SandboxOptions["restart"]>): void {
  if (restart === "never" || restart === "on-failure") return;
  if (typeof restart !== "object") refuse('restart is neither "never" nor "on-failure" nor numbers');
  checkRange("restart.max", restart.max, 1, 1_000_000);
  checkRange("restart.perMs", restart.perMs, 1, Number.MAX_SAFE_INTEGER);
  checkRange("restart.backoffMs", restart.backoffMs ?? 100, 0, 10_000);
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (typeof value === "number" && value >= least && value <= most) return;
  throw new RangeError(`Cannot start a sandbox: ${name} is not a number from ${least} to ${most}`);
}

function refuse(why: string): never {
  throw new TypeError(`Cannot start a sandbox: ${why}`);
}
