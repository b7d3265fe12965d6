/**
 * A child process as a sandbox: a `deno run` that may do nothing but what it is given.
 *
 * @module
 */

import { SandboxError, toError } from "../errors.ts";
import { requirePermission } from "../tub/permissions.ts";
import { leastFlags } from "../tub/run_flags.ts";
import { readLines } from "./output.ts";
import type { Vessel, VesselPlan } from "./vessel.ts";

/** Files of this library that the child begins with. A `data:` module may import files without a permission to read them. */
const LIBRARY = new URL("../../mod.ts", import.meta.url);
const RUNNER = new URL("./runner.ts", import.meta.url);
const MAIN = `data:text/javascript,${
  encodeURIComponent(
    `import ${JSON.stringify(LIBRARY.href)};` +
      `import { runInProcess } from ${JSON.stringify(RUNNER.href)};` +
      "await runInProcess();",
  )
}`;

/** How long the last of what a process has printed is waited for when it has ended. */
const LAST_WORDS_MS = 500;

/**
 * Starts the process.
 *
 * @throws {PermissionDenied} If this process may not run Deno; names the flag.
 * @throws {SandboxError} If the system does not start it.
 */
export function startProcess(plan: VesselPlan): Vessel {
  const [command, ...args] = [...plan.launcher, Deno.execPath(), ...processArguments(plan)];
  requirePermission({ name: "run", command: command! }, "start a sandbox");
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command!, {
      args,
      clearEnv: true,
      env: { ...surroundings(), ...plan.env },
      // Nothing in it says how code is to be loaded, as a package.json would.
      cwd: "/",
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    throw new SandboxError(`Cannot start a sandbox: ${toError(cause).message}`, "start", { cause });
  }
  const late = new AbortController();
  const reading = readLines(child.stderr, plan.onLine, late.signal);
  const ended = child.status.then(async ({ code, signal }) => {
    // If the child has started a process, that may keep the pipe open after the child has ended.
    using _timer = plan.clock.setTimer(LAST_WORDS_MS, () => late.abort());
    await reading;
    return { code, signal };
  });
  return {
    streams: { readable: child.stdout, writable: child.stdin },
    pid: child.pid,
    ended,
    kill() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    },
  };
}

/** The arguments of the child: exactly the permissions of the plan, and what it takes to load the code. */
export function processArguments(plan: VesselPlan): string[] {
  const { permissions, sources, hosts, env, memoryMb, downloads } = plan;
  const wanted: Deno.PermissionDescriptor[] = [
    ...permissions,
    ...sources.map((path) => ({ name: "read" as const, path })),
    ...hosts.map((host) => ({ name: "import" as const, host })),
    ...Object.keys(env).map((variable) => ({ name: "env" as const, variable })),
  ];
  if (LIBRARY.protocol !== "file:") wanted.push({ name: "import", host: LIBRARY.host });
  const mayImport = wanted.some(({ name }) => name === "import");
  return [
    ...["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-check"],
    // What Deno allows without being asked: to load code from some hosts, and any package of npm, whose name can be a message.
    ...(downloads ? [] : ["--cached-only"]),
    ...(mayImport ? [] : ["--deny-import"]),
    // Storage goes by this name, so that no two sandboxes share any.
    `--location=https://${crypto.randomUUID()}.invalid/`,
    `--v8-flags=--max-old-space-size=${memoryMb}`,
    ...leastFlags(wanted),
    MAIN,
  ];
}

/** The variables that Deno itself needs, and says nothing of to what runs in it. */
export function surroundings(): Record<string, string> {
  const folder = cacheFolder();
  return {
    NO_COLOR: "1",
    DENO_NO_UPDATE_CHECK: "1",
    DENO_NO_PACKAGE_JSON: "1",
    ...(folder === undefined ? {} : { DENO_DIR: folder }),
  };
}

/** Where Deno has the code that this process runs; `undefined` where Deno finds it by itself. */
function cacheFolder(): string | undefined {
  const given = variable("DENO_DIR");
  if (given !== undefined) return given;
  if (Deno.build.os !== "linux") return undefined;
  const cache = variable("XDG_CACHE_HOME");
  if (cache !== undefined) return `${cache}/deno`;
  const home = variable("HOME");
  return home === undefined ? undefined : `${home}/.cache/deno`;
}

function variable(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return Deno.env.get(name) || undefined;
}
