/**
 * A socket of the system, TCP or unix, that can become a TLS connection.
 *
 * @module
 */

import net from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../util/clock.ts";
import { FirstFlight } from "./first_flight.ts";
import { SocketConnection } from "./socket_connection.ts";
import { handshake } from "./starttls.ts";
import { floorOnSocket } from "./tls_floor.ts";
import type { CloseOptions, Connection, StartTlsOptions, UpgradableConnection } from "./transport.ts";

/** What both directions may be told about ending a connection. */
export interface PlainSocketOptions {
  /**
   * How long `close()` of a connection waits for the peer, in milliseconds.
   * @default 1000
   */
  readonly closeTimeoutMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /**
   * After how long without a byte the system asks a TCP peer whether it is there, in milliseconds.
   * @default never
   */
  readonly keepAliveMs?: number | undefined;
  /**
   * Whether it never becomes TLS: what arrives is then read ahead, which saves a sequential call two turns of the loop.
   * @default false
   */
  readonly staysPlain?: boolean | undefined;
}

/**
 * Opens a socket to an address or a path.
 *
 * @throws What the platform says; the reason of `signal`, when it fires first.
 */
export async function dialNode(
  where: net.NetConnectOpts,
  signal: AbortSignal | undefined,
): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal?.reason);
  let socket: net.Socket | undefined;
  try {
    signal?.addEventListener("abort", onAbort);
    socket = net.connect(where);
    socket.once("connect", resolve).on("error", reject);
    await promise;
    // Deno heeds the option only of this call. A unix socket knows no delay.
    if ("port" in where) socket.setNoDelay(true);
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

/** An open socket of the system, not yet TLS. */
export class PlainSocket implements UpgradableConnection {
  readonly peerCertificate = undefined;
  readonly peerAddress: string;
  readonly #socket: Duplex;
  readonly #plain: SocketConnection;
  readonly #options: PlainSocketOptions;
  #handshake: Promise<Connection> | undefined;
  #secure: Connection | undefined;

  /** Wraps an open socket that nobody reads. */
  constructor(socket: Duplex, peerAddress: string, options: PlainSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.peerAddress = peerAddress;
    const { closeTimeoutMs, clock, staysPlain } = options;
    const isReadOnDemand = staysPlain !== true;
    this.#plain = new SocketConnection(socket, { peerAddress, isReadOnDemand, closeTimeoutMs, clock });
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#plain.readable;
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#plain.writable;
  }

  async startTls(options: StartTlsOptions): Promise<Connection> {
    const { closeTimeoutMs, clock } = this.#options;
    const flight = options.isPeerHeldBack === true ? new FirstFlight(clock) : undefined;
    const floor = floorOnSocket(this.#plain.detach(), flight);
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

  async close(options?: CloseOptions): Promise<void> {
    if (this.#handshake === undefined) return await this.#plain.close(options);
    // A handshake on its way is cut; it then ends what it has made so far.
    if (this.#secure === undefined) this.#socket.destroy();
    await this.#handshake.then((secure) => secure.close(options), () => {});
  }
}

function socketGone(socket: Duplex): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
