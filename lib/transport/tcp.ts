/**
 * TCP, as `tcp:` hints mean it: plaintext first, TLS on the same socket when the two ends agree.
 *
 * @module
 */

import net from "node:net";
import { PermissionDenied, toError, UnreachableError } from "../errors.ts";
import { dialNode, PlainSocket, type PlainSocketOptions } from "./plain_socket.ts";
import { dialScoped } from "./scoped_socket.ts";
import type { TransportListener, UpgradableConnection } from "./transport.ts";

/** Options of {@linkcode dialTcp}. */
export interface DialTcpOptions extends PlainSocketOptions {
  /** A name, an IPv4 or IPv6 address; IPv6 without brackets, a zone behind `%`. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /**
   * What people are told of where the other end is; behind a proxy that is not where the socket leads.
   * @default the address that is dialled
   */
  readonly peerAddress?: string | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode listenTcp}. */
export interface ListenTcpOptions extends PlainSocketOptions {
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
  /**
   * The address to bind to.
   * @default every address of the machine
   */
  readonly address?: string | undefined;
  /**
   * Is given each accepted connection, in a turn of the event loop of its own. It owns the connection; one
   * for which it throws is closed.
   */
  onConnection(connection: UpgradableConnection): void;
}

/**
 * Opens a TCP connection.
 *
 * @returns Resolves when the connection is open.
 * @throws {UnreachableError} If nothing answers there.
 * @throws {PermissionDenied} If Deno does not allow it.
 * @throws The reason of `signal`, when it fires first.
 */
export async function dialTcp(options: DialTcpOptions): Promise<UpgradableConnection> {
  const { host, port, signal } = options;
  const place = addressOf(host, port);
  signal?.throwIfAborted();
  try {
    const socket = host.includes("%")
      ? await dialScoped(host, port, signal)
      : await dialNode({ host, port, noDelay: true }, signal);
    if (options.keepAliveMs !== undefined && socket instanceof net.Socket) {
      socket.setKeepAlive(true, options.keepAliveMs);
    }
    return new PlainSocket(socket, options.peerAddress ?? place, options);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw explainTcp(`Cannot connect to ${place}`, place, error);
  }
}

/**
 * Accepts TCP connections.
 *
 * @returns Resolves when the port is open.
 * @throws {UnreachableError} If the port cannot be bound: it is taken, or the address is not ours.
 * @throws {PermissionDenied} If Deno does not allow it.
 */
export async function listenTcp(options: ListenTcpOptions): Promise<TransportListener> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const place = addressOf(options.address ?? "::", options.port);
  checkMayListen(`Cannot listen on ${place}`, options.address, options.port);
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.setNoDelay(true);
    if (options.keepAliveMs !== undefined) socket.setKeepAlive(true, options.keepAliveMs);
    const from = addressOf(socket.remoteAddress ?? "", socket.remotePort ?? 0);
    const connection = new PlainSocket(socket, from, options);
    try {
      options.onConnection(connection);
    } catch {
      connection.close();
    }
  });
  try {
    server.once("listening", resolve).on("error", reject);
    // Without an address node takes "::", which on Linux means every address of both kinds.
    server.listen({
      port: options.port,
      ...(options.address === undefined ? {} : { host: options.address }),
    });
    await promise;
  } catch (error) {
    throw explainTcp(`Cannot listen on ${place}`, place, error);
  }
  // A failed accept, for want of file descriptors say, costs that connection and not the listener.
  server.removeListener("error", reject).on("error", () => {});
  const bound = server.address() as net.AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    port: bound.port,
    address: bound.address,
    close: () => {
      closed ??= new Promise((settle) => {
        // node's own callback would wait for the accepted connections, which stay.
        server.close();
        setImmediate(settle);
      });
      return closed;
    },
  };
}

/**
 * Asks for the permission to listen at an address: where it is missing, Deno's `node:net` throws in a turn of its own, which
 * ends the process.
 *
 * @param address What is bound to; without one node throws where it is called.
 * @throws {PermissionDenied} If Deno does not allow it.
 */
export function checkMayListen(action: string, address: string | undefined, port: number): void {
  if (address === undefined || net.isIP(address) === 0) return;
  const plain = address.replace(/%.*/, "");
  const host = `${plain.includes(":") ? `[${plain}]` : plain}:${port}`;
  if (Deno.permissions.requestSync({ name: "net", host }).state === "granted") return;
  throw new PermissionDenied(`${action}: run with --allow-net=${host}`);
}

/** A TCP address as people are shown it. */
export function addressOf(host: string, port: number): string {
  // An IPv4 peer of a socket for both kinds.
  host = host.replace(/^::ffff:(?=\d+\.)/, "");
  return `tcp:${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What keeps a socket from being opened, in the words of this library. */
export function explainTcp(action: string, place: string, thrown: unknown): Error {
  const cause = toError(thrown);
  if (cause.name === "NotCapable" || cause.name === "PermissionDenied") {
    return new PermissionDenied(`${action}: run with --allow-net=${place.replace(/^tcp:/, "")}`, { cause });
  }
  return new UnreachableError(`${action}: ${cause.message}`, new Map([[place, cause]]));
}
