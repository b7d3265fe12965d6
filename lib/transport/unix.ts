/**
 * Unix sockets: plaintext first, TLS on the same socket when the two ends agree, as with TCP.
 *
 * @module
 */

import net from "node:net";
import { PermissionDenied, toError, UnreachableError } from "../errors.ts";
import { dialNode, PlainSocket, type PlainSocketOptions } from "./plain_socket.ts";
import type { UpgradableConnection } from "./transport.ts";

/** Options of {@linkcode dialUnix}. */
export interface DialUnixOptions extends PlainSocketOptions {
  /** Where the socket is. */
  readonly path: string;
  /**
   * What people are told of where the other end is; behind a proxy that is not where the socket leads.
   * @default the address that is dialled
   */
  readonly peerAddress?: string | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode listenUnix}. */
export interface ListenUnixOptions extends PlainSocketOptions {
  /** Where the socket is to be; its folder must be there. */
  readonly path: string;
  /** Who may connect, as the permission bits of the socket's file: `0o600` is this user only. */
  readonly mode: number;
  /**
   * Is given each accepted connection, in a turn of the event loop of its own. It owns the connection; one
   * for which it throws is closed.
   */
  onConnection(connection: UpgradableConnection): void;
}

/** A unix socket that accepts connections. */
export interface UnixListener {
  /** Where the socket is. */
  readonly path: string;
  /** Stops accepting and removes the socket's file. Connections that were accepted stay. */
  close(): Promise<void>;
}

/**
 * Connects to a unix socket.
 *
 * @throws {UnreachableError} If nobody listens there.
 * @throws {PermissionDenied} If Deno, or the mode of the socket's file, does not allow it.
 * @throws The reason of `signal`, when it fires first.
 */
export async function dialUnix(options: DialUnixOptions): Promise<UpgradableConnection> {
  const { path, signal } = options;
  signal?.throwIfAborted();
  try {
    const socket = await dialNode({ path }, signal);
    return new PlainSocket(socket, options.peerAddress ?? `unix:${path}`, options);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw explain("Cannot connect to", path, error);
  }
}

/**
 * Accepts connections on a unix socket.
 *
 * A socket's file that a process left when it died is replaced. Between the moment in which the socket is there and that
 * in which its file has its mode, which is no turn of the event loop, the process's umask says who may connect.
 *
 * @throws {UnreachableError} If somebody listens there, something else than a socket has that name, or the folder is not
 * there.
 * @throws {PermissionDenied} If Deno or the file system does not allow it.
 */
export async function listenUnix(options: ListenUnixOptions): Promise<UnixListener> {
  const { path } = options;
  let server: net.Server;
  try {
    server = await bind(options).catch(async (error) => {
      if (codeOf(error) !== "EADDRINUSE") throw error;
      await removeStale(path);
      return await bind(options);
    });
  } catch (error) {
    throw explain("Cannot listen on", path, error);
  }
  // A failed accept costs that connection and not the listener.
  server.on("error", () => {});
  const own = identityOf(path);
  let closed: Promise<void> | undefined;
  return {
    path,
    close: () => closed ??= unbind(server, path, own),
  };
}

async function bind(options: ListenUnixOptions): Promise<net.Server> {
  const { path, mode, onConnection } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = net.createServer((socket) => {
    const connection = new PlainSocket(socket, `unix:${path}`, options);
    try {
      onConnection(connection);
    } catch {
      connection.close();
    }
  });
  server.once("listening", resolve).once("error", reject);
  server.listen({ path });
  try {
    // At once, where binding was: only then is there a file, and nobody has been accepted yet.
    if (server.listening) Deno.chmodSync(path, mode);
    await promise;
  } catch (error) {
    server.close();
    throw error;
  }
  server.removeListener("error", reject);
  return server;
}

/** Removes the file of a socket that nobody listens on. */
async function removeStale(path: string): Promise<void> {
  const found = Deno.lstatSync(path);
  if (found.isSocket !== true) {
    throw new UnreachableError(`Cannot listen on unix:${path}: there is something that is not a socket`);
  }
  try {
    const socket = await dialNode({ path }, undefined);
    socket.destroy();
  } catch (error) {
    const isSame = identityOf(path) === `${found.dev}:${found.ino}`;
    if (codeOf(error) === "ECONNREFUSED" && isSame) return Deno.removeSync(path);
    // Whoever made it anew in the meantime, or may not be asked, listens.
  }
  throw new UnreachableError(`Cannot listen on unix:${path}: another program listens there`);
}

async function unbind(server: net.Server, path: string, own: string | undefined): Promise<void> {
  // node's own callback would wait for the accepted connections, which stay. Deno removes the file.
  server.close();
  await new Promise((settle) => setImmediate(settle));
  if (own === undefined || identityOf(path) !== own) return;
  try {
    Deno.removeSync(path);
  } catch {
    // It has gone in the meantime.
  }
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = Deno.lstatSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function explain(action: string, path: string, thrown: unknown): Error {
  if (thrown instanceof UnreachableError) return thrown;
  const cause = toError(thrown);
  const place = `unix:${path}`;
  if (cause.name === "NotCapable") {
    return new PermissionDenied(
      `${action} ${place}: run with --allow-net=${place} --allow-read=${path} --allow-write=${path}`,
      { cause },
    );
  }
  if (cause.name === "PermissionDenied" || codeOf(cause) === "EACCES") {
    return new PermissionDenied(`${action} ${place}: the file system does not allow it`, { cause });
  }
  return new UnreachableError(`${action} ${place}: ${cause.message}`, new Map([[place, cause]]));
}
