/**
 * TLS from the first byte with ordinary certificates, as every TLS service has it: the client checks the server's name
 * against the authorities that it trusts, and the server may ask for a certificate.
 *
 * By `node:tls` over a socket of ours: of what Deno itself opens, a server's socket cannot be told to send at once, which
 * costs 40 ms where two small writes follow each other (measured).
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import net from "node:net";
import tls from "node:tls";
import { NegotiationError, toError } from "../errors.ts";
import { systemClock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import { dialNode, type PlainSocketOptions } from "./plain_socket.ts";
import { SocketConnection } from "./socket_connection.ts";
import { addressOf, checkMayListen, explainTcp } from "./tcp.ts";
import type { Connection, TransportListener } from "./transport.ts";

/** Options of {@linkcode dialImplicitTls}. */
export interface DialImplicitTlsOptions extends PlainSocketOptions {
  /** A name, an IPv4 or IPv6 address; IPv6 without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /**
   * The name that the server's certificate must have.
   * @default host
   */
  readonly serverName?: string | undefined;
  /**
   * PEM of the authorities that are trusted.
   * @default those that the platform trusts
   */
  readonly caCerts?: readonly string[] | undefined;
  /** PEM of this end's own certificate, where the server asks for one. */
  readonly cert?: string | undefined;
  /** PEM of its private key. */
  readonly key?: string | undefined;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode listenImplicitTls}. */
export interface ListenImplicitTlsOptions extends PlainSocketOptions {
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
  /** @default every address of the machine */
  readonly address?: string | undefined;
  /** PEM of the server's certificate, with what leads to its authority. */
  readonly cert: string;
  /** PEM of its private key. */
  readonly key: string;
  /** PEM of authorities: a client must show a certificate of one of them. By default clients show none. */
  readonly clientCaCerts?: readonly string[] | undefined;
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Connections whose handshake is not done; whoever comes beyond that is turned away. */
  readonly maxHandshakes: number;
  /** Is given each connection when its handshake is done. It owns the connection and must not throw. */
  onConnection(connection: Connection): void;
  /** A handshake failed. Must not throw. */
  onFailure?(peerAddress: string, error: Error): void;
}

/**
 * Opens a TLS connection.
 *
 * @returns Resolves when the handshake is done.
 * @throws {UnreachableError} If nothing answers there.
 * @throws {PermissionDenied} If Deno does not allow it.
 * @throws {NegotiationError} If the handshake fails: the certificate is not trusted, or has another name.
 * @throws {TypeError} If our own certificate and key cannot be used.
 * @throws The reason of `signal`, when it fires first.
 */
export async function dialImplicitTls(options: DialImplicitTlsOptions): Promise<Connection> {
  const { host, port, signal, serverName = host } = options;
  const place = addressOf(host, port).replace(/^tcp:/, "tls:");
  signal?.throwIfAborted();
  if (options.cert !== undefined || options.key !== undefined) {
    checkPair(`Cannot connect to ${place}`, options.cert, options.key);
  }
  let socket: net.Socket;
  try {
    socket = await dialNode({ host, port, noDelay: true }, signal);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw explainTcp(`Cannot connect to ${place}`, place.replace(/^tls:/, "tcp:"), error);
  }
  if (options.keepAliveMs !== undefined) socket.setKeepAlive(true, options.keepAliveMs);
  const secure = Promise.withResolvers<void>();
  const onAbort = () => secure.reject(signal?.reason);
  const onEarlyEnd = () => secure.reject(new NegotiationError("the peer closed the connection"));
  let stream: tls.TLSSocket | undefined;
  try {
    signal?.addEventListener("abort", onAbort, { once: true });
    stream = tls.connect({
      socket,
      host: serverName,
      ...(net.isIP(serverName) === 0 ? { servername: serverName } : {}),
      ...(options.caCerts === undefined ? {} : { ca: [...options.caCerts] }),
      ...(options.cert === undefined ? {} : { cert: options.cert, key: options.key }),
    });
    stream.once("secureConnect", secure.resolve).on("error", secure.reject).once("close", onEarlyEnd);
    await secure.promise;
    stream.removeListener("error", secure.reject).removeListener("close", onEarlyEnd);
    const { closeTimeoutMs, clock } = options;
    return new SocketConnection(stream, { peerAddress: place, closeTimeoutMs, clock });
  } catch (error) {
    socket.on("error", () => {});
    stream?.on("error", () => {});
    stream?.destroy();
    socket.destroy();
    signal?.throwIfAborted();
    const { message } = toError(error);
    throw new NegotiationError(
      `Cannot connect to ${place}: TLS handshake failed: ${quoteForeign(message).slice(1, -1)}`,
      { cause: error },
    );
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Accepts TLS connections.
 *
 * @returns Resolves when the port is open.
 * @throws {UnreachableError} If the port cannot be bound.
 * @throws {PermissionDenied} If Deno does not allow it.
 * @throws {TypeError} If certificate and key cannot be used.
 */
export async function listenImplicitTls(options: ListenImplicitTlsOptions): Promise<TransportListener> {
  const place = addressOf(options.address ?? "::", options.port);
  const asked = options.clientCaCerts === undefined
    ? {}
    : { ca: [...options.clientCaCerts], requestCert: true, rejectUnauthorized: true };
  const secrets = { cert: options.cert, key: options.key, ...asked };
  checkPair("Cannot serve TLS", options.cert, options.key);
  checkMayListen(`Cannot listen on ${place.replace(/^tcp:/, "tls:")}`, options.address, options.port);
  let handshakes = 0;
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    if (handshakes >= options.maxHandshakes) return void socket.destroy();
    socket.setNoDelay(true);
    if (options.keepAliveMs !== undefined) socket.setKeepAlive(true, options.keepAliveMs);
    handshakes++;
    const from = addressOf(socket.remoteAddress ?? "", socket.remotePort ?? 0).replace(/^tcp:/, "tls:");
    shakeHands(socket, secrets, options, (error, stream) => {
      handshakes--;
      if (stream === undefined) return options.onFailure?.(from, error!);
      const { closeTimeoutMs, clock } = options;
      options.onConnection(new SocketConnection(stream, { peerAddress: from, closeTimeoutMs, clock }));
    });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  try {
    server.once("listening", resolve).on("error", reject);
    server.listen({
      port: options.port,
      ...(options.address === undefined ? {} : { host: options.address }),
    });
    await promise;
  } catch (error) {
    throw explainTcp(`Cannot listen on ${place.replace(/^tcp:/, "tls:")}`, place, error);
  }
  // A failed accept costs that connection and not the listener.
  server.removeListener("error", reject).on("error", () => {});
  const bound = server.address() as net.AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    port: bound.port,
    address: bound.address,
    close: () =>
      closed ??= new Promise((settle) => {
        // node's own callback would wait for the accepted connections, which stay.
        server.close();
        setImmediate(settle);
      }),
  };
}

/** Deno's TLS waits for ever with a pair that it cannot use, so that is found out before. */
function checkPair(action: string, cert: string | undefined, key: string | undefined): void {
  let isPair = false;
  let cause: unknown;
  try {
    isPair = cert !== undefined && key !== undefined &&
      new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    cause = error;
  }
  if (!isPair) throw new TypeError(`${action}: certificate and key are no pair of PEM texts`, { cause });
}

/** The server's side of a handshake on an accepted socket; `done` is called once. */
function shakeHands(
  socket: net.Socket,
  secrets: tls.TlsOptions,
  { clock = systemClock, handshakeTimeoutMs }: ListenImplicitTlsOptions,
  done: (error: Error | undefined, stream?: tls.TLSSocket) => void,
): void {
  let isDone = false;
  const end = (error: Error | undefined, stream?: tls.TLSSocket) => {
    if (isDone) return;
    isDone = true;
    timer[Symbol.dispose]();
    if (stream === undefined) socket.destroy();
    done(error, stream);
  };
  const timer = clock.setTimer(
    handshakeTimeoutMs,
    () => end(new NegotiationError("TLS handshake timed out")),
  );
  socket.once("close", () => end(new NegotiationError("The peer closed the connection")));
  // One server a socket tells which handshake has ended; it never listens.
  // Its own timer would go on for two minutes after a failure (Deno 2.9), and keep the socket and all of this.
  tls.createServer({ ...secrets, handshakeTimeout: -1 }, (stream) => end(undefined, stream))
    .on("tlsClientError", (error) => end(new NegotiationError(`TLS handshake failed: ${error.message}`)))
    .emit("connection", socket);
}
