/**
 * Pipes and sockets that a process was started with, and hands on to those that it starts.
 *
 * Whoever started this process (a shell, a supervisor, systemd with a socket) may have left some open in it. Deno's own are
 * closed in a child, these are not, and Deno asks for no permission where `node:net` opens one by its number: what runs in a
 * sandbox could read, write and listen there.
 *
 * @module
 */

import { hasPermission } from "../tub/permissions.ts";
import type { Clock } from "../util/clock.ts";

/** Prints their numbers. Only who may do everything may look into /proc. */
const LOOK = `data:text/javascript,${
  encodeURIComponent(`
    const found = [];
    for (const { name } of Deno.readDirSync("/proc/self/fdinfo")) {
      if (Number(name) < 3) continue;
      try {
        const [, flags] = /^flags:\\s*(\\d+)/m.exec(Deno.readTextFileSync("/proc/self/fdinfo/" + name));
        const { isFifo, isSocket } = Deno.statSync("/proc/self/fd/" + name);
        const isClosedInChildren = (parseInt(flags, 8) & 0o2000000) !== 0;
        if (!isClosedInChildren && (isFifo || isSocket)) found.push(Number(name));
      } catch {
        // It was what the folder is read by.
      }
    }
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(found)));`)
}`;

/** How long the look may take, in milliseconds. */
const LOOK_MS = 10_000;
/** What it may print, in characters. */
const MAX_LOOK = 65_536;

/** How processes are started. */
export interface Starting {
  /** A program, with its arguments, that runs the one that is named after that. */
  readonly launcher: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

/** By launcher: it may close some of them, or open others. What a process was started with does not change. */
const known = new Map<string, Promise<readonly number[]>>();

/**
 * Which pipes and sockets a child of this process has that are not meant for it. Another child looks, once: it has the same,
 * and this process may not look into itself unless it may do everything.
 *
 * @returns Their numbers; none where that cannot be known: on other systems than Linux, or without /proc. Never rejects.
 */
export function inheritedPipes(starting: Starting): Promise<readonly number[]> {
  if (Deno.build.os !== "linux") return Promise.resolve([]);
  // Deno would prompt. Whoever starts the sandbox says what is missing.
  const command = starting.launcher[0] ?? Deno.execPath();
  if (!hasPermission({ name: "run", command })) return Promise.resolve([]);
  const key = JSON.stringify(starting.launcher);
  return known.getOrInsertComputed(key, async () => {
    try {
      return await look(starting);
    } catch {
      // Perhaps it may be looked later: the permission may have been missing.
      known.delete(key);
      return [];
    }
  });
}

async function look({ launcher, env, clock }: Starting): Promise<readonly number[]> {
  const [command, ...args] = [
    ...launcher,
    Deno.execPath(),
    ...["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-check", "--allow-all", LOOK],
  ];
  const child = new Deno.Command(command!, {
    args,
    clearEnv: true,
    env: { ...env },
    cwd: "/",
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const giveUp = () => {
    // What a launcher has started itself may keep the pipe open when the launcher is gone.
    reader.cancel().catch(() => {});
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  using _timer = clock.setTimer(LOOK_MS, giveUp);
  const decoder = new TextDecoder();
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += decoder.decode(read.value, { stream: true });
    if (text.length > MAX_LOOK) giveUp();
  }
  await child.status;
  const found: unknown = JSON.parse(text);
  if (Array.isArray(found) && found.every((fd) => Number.isSafeInteger(fd) && fd > 2)) return found;
  throw new TypeError("Cannot tell what children inherit: the look printed something else");
}

/** Closes pipes and sockets of this process, by their numbers. One that is none, or is closed already, is fine. */
export async function closePipes(fds: readonly number[]): Promise<void> {
  if (fds.length === 0) return;
  const { Socket } = await import("node:net");
  for (const fd of fds) {
    const closed = Promise.withResolvers<void>();
    try {
      const socket = new Socket({ fd, readable: false, writable: false });
      socket.on("error", () => {});
      socket.once("close", () => closed.resolve());
      socket.destroy();
    } catch {
      // What cannot be opened here, the module that is about to be loaded cannot open either.
      continue;
    }
    await closed.promise;
  }
}
