/**
 * A Worker as a sandbox: weaker than a process, and quicker to start.
 *
 * @module
 */

import { SandboxError, toError } from "../errors.ts";
import { messagePortStreams } from "../transport/message_port_streams.ts";
import { SCOPES } from "./confinement.ts";
import type { Vessel, VesselEnd, VesselPlan } from "./vessel.ts";

const RUNNER = new URL("./runner.ts", import.meta.url);
const LIBRARY = new URL("../../mod.ts", import.meta.url);
const MAIN = `data:text/javascript,${
  encodeURIComponent(
    `import ${JSON.stringify(LIBRARY.href)};` +
      `import { runInWorker } from ${JSON.stringify(RUNNER.href)};` +
      "await runInWorker();",
  )
}`;

/**
 * Starts the Worker. Deno ends the process if that has not been run with `--unstable-worker-options`.
 *
 * @throws {SandboxError} If Deno does not start it.
 */
export function startWorker({ permissions, sources, hosts, onLine }: VesselPlan): Vessel {
  const ended = Promise.withResolvers<VesselEnd>();
  let worker: Worker;
  try {
    worker = new Worker(MAIN, {
      type: "module",
      deno: {
        permissions: permissionsOf([
          ...permissions,
          ...sources.map((path) => ({ name: "read" as const, path })),
          ...hosts.map((host) => ({ name: "import" as const, host })),
        ]),
      },
    });
  } catch (cause) {
    throw new SandboxError(`Cannot start a sandbox: ${toError(cause).message}`, "start", { cause });
  }
  worker.addEventListener("error", (event) => {
    // Without this, an error that the Worker does not handle ends this process too.
    event.preventDefault();
    onLine(event.message);
    ended.resolve({ code: 1, signal: null });
  });
  const streams = messagePortStreams(worker);
  return {
    streams: {
      readable: streams.readable,
      writable: streams.writable,
      close: async () => {
        await streams.close?.();
        worker.terminate();
        ended.resolve({ code: 0, signal: null });
      },
    },
    pid: undefined,
    ended: ended.promise,
    kill() {
      worker.terminate();
      ended.resolve({ code: 0, signal: "SIGKILL" });
    },
  };
}

/** Permissions as a Worker takes them. */
function permissionsOf(descriptors: readonly Deno.PermissionDescriptor[]): Deno.PermissionOptionsObject {
  const kinds: Record<string, boolean | (string | URL)[]> = {};
  for (const kind of Object.keys(SCOPES)) kinds[kind] = false;
  for (const descriptor of descriptors) {
    const scope =
      (descriptor as unknown as Record<string, string | URL | undefined>)[SCOPES[descriptor.name]];
    const known = kinds[descriptor.name];
    if (scope === undefined) kinds[descriptor.name] = true;
    else if (Array.isArray(known)) known.push(scope);
    else if (known !== true) kinds[descriptor.name] = [scope];
  }
  return kinds as Deno.PermissionOptionsObject;
}
