/**
 * A Tor of the program's own, as a child process.
 *
 * @module
 */

import { PermissionDenied, ProxyError, toError } from "../errors.ts";
import { MAX_PROXY_LINE_BYTES } from "../limits.ts";
import { requirePermission } from "./permissions.ts";

/** How a Tor of the program's own is started. */
export interface TorLaunchOptions {
  /**
   * The program.
   * @default "tor"
   */
  readonly binary?: string | undefined;
  /**
   * A folder that keeps what Tor knows of its network, so that it is ready sooner the next time. It is made if it is not there.
   * @default a temporary one, removed at the end
   */
  readonly dataDirectory?: string | undefined;
}

/** A running Tor. */
export interface LaunchedTor {
  /** Where its SOCKS port is: `tcp:127.0.0.1:34773`. */
  readonly socks: string;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  /** Ends the process and resolves when it, and the temporary folder, have gone. */
  close(): Promise<void>;
}

const LISTENING = /Opened Socks listener connection \(ready\) on (127\.0\.0\.1:\d+)/;

/**
 * Starts Tor, and waits for its SOCKS port to be open. Tor keeps requests that come before it has found its network.
 *
 * @throws {PermissionDenied} If the program may not start it; names the flag.
 * @throws {ProxyError} If it ends before its port is open, with its last words.
 * @throws The reason of the signal, when it fires first.
 */
export async function launchTor(options: TorLaunchOptions, signal: AbortSignal): Promise<LaunchedTor> {
  const { binary = "tor", dataDirectory } = options;
  requirePermission({ name: "run", command: binary }, "launch Tor");
  signal.throwIfAborted();
  const temporary = dataDirectory === undefined ? makeFolder() : undefined;
  let child: Deno.ChildProcess;
  try {
    child = start(binary, (dataDirectory ?? temporary)!);
  } catch (error) {
    remove(temporary);
    throw new ProxyError(`Cannot launch Tor: ${toError(error).message}`, { cause: error });
  }
  const port = Promise.withResolvers<string>();
  const reading = readLog(child.stdout, port);
  const ended = Promise.all([child.status, reading]).then(() => remove(temporary));
  const close = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    return ended;
  };
  const onAbort = () => port.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return { socks: `tcp:${await port.promise}`, ended, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function start(binary: string, dataDirectory: string): Deno.ChildProcess {
  return new Deno.Command(binary, {
    args: [
      // No configuration of the machine's own Tor, and an end when this process ends in whatever way.
      ...["-f", `${dataDirectory}/torrc`, "--ignore-missing-torrc"],
      ...["--defaults-torrc", `${dataDirectory}/torrc-defaults`],
      ...["--__OwningControllerProcess", String(Deno.pid)],
      ...["--SocksPort", "127.0.0.1:auto", "--DataDirectory", dataDirectory],
      ...["--Log", "notice stdout", "--ClientOnly", "1"],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

/** Reads the log to its end, for a pipe that is full would stop Tor. */
async function readLog(
  output: ReadableStream<Uint8Array>,
  port: PromiseWithResolvers<string>,
): Promise<void> {
  let text = "", last = "";
  try {
    for await (const piece of output.pipeThrough(new TextDecoderStream())) {
      text = (text + piece).slice(-MAX_PROXY_LINE_BYTES);
      const found = LISTENING.exec(text)?.[1];
      if (found !== undefined) port.resolve(found);
      const end = text.lastIndexOf("\n");
      if (end < 0) continue;
      last = text.slice(0, end).split("\n").at(-1) ?? "";
      text = text.slice(end + 1);
    }
  } catch {
    // A pipe that breaks is one that ends.
  }
  const error = new ProxyError("Cannot launch Tor: it ended before its SOCKS port was open");
  // For the program: Tor's words may have paths of this machine.
  error.cause = last;
  port.reject(error);
  port.promise.catch(() => {});
}

function makeFolder(): string {
  try {
    return Deno.makeTempDirSync({ prefix: "foolscap-tor-" });
  } catch (cause) {
    throw new PermissionDenied(
      "Cannot launch Tor: it needs a folder; run with --allow-write, or give a dataDirectory",
      { cause },
    );
  }
}

function remove(folder: string | undefined): void {
  if (folder === undefined) return;
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch {
    // What is left is the system's to clean up.
  }
}
