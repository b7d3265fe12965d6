/**
 * What runs in the sandbox: it loads the program's module, makes its object, and hands that to the Tub outside.
 *
 * The module that it loads can do whatever it likes with this realm. So nothing here protects anybody: the permissions of the
 * process do, and the Tub outside takes everything that comes from here for a stranger's.
 *
 * @module
 */

import { Console } from "node:console";
import process from "node:process";
import { Callable, type Publishable } from "../broker/callable.ts";
import { Referenceable } from "../broker/referenceable.ts";
import { type MessagePortLike, messagePortStreams } from "../transport/message_port_streams.ts";
import type { ByteStreams } from "../transport/stream_connection.ts";
import { Tub } from "../tub/tub.ts";
import { encodeText } from "../util/text.ts";
import { closePipes } from "./inherited.ts";

/** The name under which the Tub outside finds the {@linkcode Runner}. */
export const RUNNER_NAME = "runner";

/** What is to be run. */
export interface StartRequest {
  /** The module's URL. */
  readonly module: string;
  /** The name of the export that is the object, its class, or a function that makes it. */
  readonly export: string;
  /** What it is given, by name. */
  readonly caps: unknown;
  /** What its class or function is given after that. */
  readonly args: readonly unknown[];
  /** Files that the process may read until the module has been loaded. */
  readonly readUntilLoaded: readonly string[];
  /** The numbers of pipes and sockets that the process has and is not to have. */
  readonly closes: readonly number[];
}

/** What the Tub outside calls. */
export class Runner extends Referenceable {
  /** Loads the module and makes the object. */
  async remote_start(request: StartRequest): Promise<Publishable> {
    try {
      await closePipes(request.closes);
      const module: Record<string, unknown> = await import(request.module);
      for (const path of request.readUntilLoaded) Deno.permissions.revokeSync({ name: "read", path });
      return await make(module, request);
    } catch (error) {
      // The Tub outside is told no paths. The program is, by what is printed.
      Deno.stderr.writeSync(encodeText(`${Deno.inspect(error)}\n`));
      throw error;
    }
  }

  /** A sign of life, with the memory that the process has in use, in bytes. */
  remote_ping(): number {
    return Deno.memoryUsage().rss;
  }
}

async function make(module: Record<string, unknown>, request: StartRequest): Promise<Publishable> {
  const { export: name, caps, args } = request;
  if (!Object.hasOwn(module, name)) throw new TypeError(`Cannot start: the module has no export "${name}"`);
  const given = module[name];
  const made: unknown = typeof given !== "function"
    ? await given
    : given.prototype instanceof Referenceable
    ? Reflect.construct(given, [caps, ...args])
    : await given(caps, ...args);
  if (made instanceof Referenceable || made instanceof Callable) return made;
  throw new TypeError(
    `Cannot start: "${name}" gave no Referenceable of the library that runs it; import that from ${
      new URL("../../mod.ts", import.meta.url).href
    }`,
  );
}

/** Serves the Tub outside by the process's stdin and stdout, and ends the process with the connection. */
export async function runInProcess(): Promise<void> {
  // The connection takes stdout: what the module prints goes to stderr.
  const streams = { readable: Deno.stdin.readable, writable: Deno.stdout.writable };
  globalThis.console = new Console(process.stderr) as unknown as typeof globalThis.console;
  // Kept on disk and shared by whoever runs under the same name: no place for what is confined.
  for (const name of ["localStorage", "caches"]) Reflect.deleteProperty(globalThis, name);
  await serve(streams);
  Deno.exit(0);
}

/** Serves the Tub outside by the messages of the Worker that this is. */
export async function runInWorker(): Promise<void> {
  await serve(messagePortStreams(globalThis as unknown as MessagePortLike));
  globalThis.close();
}

/** Serves the Tub outside until the connection ends. */
export async function serve(streams: ByteStreams): Promise<void> {
  const tub = await Tub.create({ acceptGifts: false });
  tub.registry.register(new Runner(), RUNNER_NAME);
  const peer = await tub.attach(streams, { tls: false, address: "the Tub outside" });
  await peer.closed;
}
