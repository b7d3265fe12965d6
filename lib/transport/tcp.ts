/**
 * TCP, as `tcp:` hints mean it: plaintext first, TLS on the same socket when the two ends agree.
 *
 * @module
 */

import net from "node:net";
import type { Duplex } from "node:stream";
import { PermissionDenied, toError, UnreachableError } from "../errors.ts";
import type { Clock } from "../util/clock.ts";
import { dialScoped } from "./scoped_socket.ts";
import { SocketConnection } from "./socket_connection.ts";
import { handshake } from "./starttls.ts";
import { floorOnSocket } from "./tls_floor.ts";
import type { Connection, StartTlsOptions, TransportListener, UpgradableConnection } from "./transport.ts";

/** What both directions may be told about ending a connection. */
export interface TcpOptions {
  /**
   * How long `close()` of a connection waits for the peer, in milliseconds.
   * @default 1000
   */
  readonly closeTimeoutMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/** Options of {@linkcode dialTcp}. */
export interface DialTcpOptions extends TcpOptions {
  /** A name, an IPv4 or IPv6 address; IPv6 without brackets, a zone behind `%`. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode listenTcp}. */
export interface ListenTcpOptions extends TcpOptions {
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
      : await dialNode(host, port, signal);
    return new TcpConnection(socket, place, options);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw explain(`Cannot connect to ${place}`, place, error);
  }
}

async function dialNode(host: string, port: number, signal: AbortSignal | undefined): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal?.reason);
  let socket: net.Socket | undefined;
  try {
    signal?.addEventListener("abort", onAbort);
    socket = net.connect({ host, port, noDelay: true });
    socket.once("connect", resolve).on("error", reject);
    await promise;
    socket.setNoDelay(true);
    socket.removeListener("error", reject);
    return socket;
  } catch (error) {
    socket?.on("error", () => {});
    socket?.destroy();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
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
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.setNoDelay(true);
    const from = addressOf(socket.remoteAddress ?? "", socket.remotePort ?? 0);
    const connection = new TcpConnection(socket, from, options);
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
    throw explain(`Cannot listen on ${place}`, place, error);
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

/** An open socket, not yet TLS. */
class TcpConnection implements UpgradableConnection {
  readonly peerCertificate = undefined;
  readonly peerAddress: string;
  readonly #socket: Duplex;
  readonly #plain: SocketConnection;
  readonly #options: TcpOptions;
  #handshake: Promise<Connection> | undefined;
  #secure: Connection | undefined;

  constructor(socket: Duplex, peerAddress: string, options: TcpOptions) {
    this.#socket = socket;
    this.#options = options;
    this.peerAddress = peerAddress;
    const { closeTimeoutMs, clock } = options;
    this.#plain = new SocketConnection(socket, { peerAddress, isReadOnDemand: true, closeTimeoutMs, clock });
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#plain.readable;
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#plain.writable;
  }

  async startTls(options: StartTlsOptions): Promise<Connection> {
    const floor = floorOnSocket(this.#plain.detach());
    const { closeTimeoutMs, clock } = this.#options;
    const gone = socketGone(this.#socket);
    const close = () => {
      this.#socket.destroy();
      return gone;
    };
    this.#handshake = handshake(
      floor,
      { peerAddress: this.peerAddress, close, closeTimeoutMs, clock },
      options,
    );
    return this.#secure = await this.#handshake;
  }

  async close(): Promise<void> {
    if (this.#handshake === undefined) return await this.#plain.close();
    // A handshake on its way is cut; it then ends what it has made so far.
    if (this.#secure === undefined) this.#socket.destroy();
    await this.#handshake.then((secure) => secure.close(), () => {});
  }
}

function socketGone(socket: Duplex): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

function addressOf(host: string, port: number): string {
  // An IPv4 peer of a socket for both kinds.
  host = host.replace(/^::ffff:(?=\d+\.)/, "");
  return `tcp:${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function explain(action: string, place: string, thrown: unknown): Error {
  const cause = toError(thrown);
  if (cause.name === "NotCapable" || cause.name === "PermissionDenied") {
    return new PermissionDenied(`${action}: run with --allow-net=${place.replace(/^tcp:/, "")}`, { cause });
  }
  return new UnreachableError(`${action}: ${cause.message}`, new Map([[place, cause]]));
}
