/**
 * From a place to an open listener there.
 *
 * @module
 */

import { listenImplicitTls } from "../../transport/implicit_tls.ts";
import { listenTcp } from "../../transport/tcp.ts";
import type { Connection } from "../../transport/transport.ts";
import { listenUnix } from "../../transport/unix.ts";
import type { Clock } from "../../util/clock.ts";
import { formatPlace, type Place } from "./place.ts";

/** What TLS asks of the side that listens. */
export interface PbTlsServerOptions {
  /** PEM of the server's certificate, with what leads to its authority. A `tls:` place needs it. */
  readonly cert?: string | undefined;
  /** PEM of its private key. */
  readonly key?: string | undefined;
  /**
   * PEM of authorities: clients must show a certificate of one of them.
   * @default clients show none
   */
  readonly clientCaCerts?: readonly string[] | undefined;
}

/** Options of {@linkcode listen}. */
export interface ListenOptions extends PbTlsServerOptions {
  readonly keepAliveMs: number;
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  /** Who may connect to a unix socket, as the permission bits of its file. */
  readonly mode: number;
  readonly clock: Clock;
  onConnection(connection: Connection): void;
  onFailure(peerAddress: string, error: Error): void;
}

/** An open listener. */
export interface OpenListener {
  /** 0 for a unix socket. */
  readonly port: number;
  /** Where others find it: `tcp:127.0.0.1:8787`, `unix:/path`. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Begins to listen.
 *
 * @throws {UnreachableError} If it cannot: the port is in use, say.
 * @throws {PermissionDenied} If Deno or the system does not allow it.
 * @throws {TypeError} If a `tls:` place has no certificate and key that can be used.
 */
export async function listen(place: Place, options: ListenOptions): Promise<OpenListener> {
  const { clock, keepAliveMs, onConnection } = options;
  if (place.kind === "unix") {
    const { mode } = options;
    const { path, close } = await listenUnix({
      path: place.path,
      mode,
      clock,
      staysPlain: true,
      onConnection,
    });
    return { port: 0, address: `unix:${path}`, close };
  }
  const where = { port: place.port, address: place.host, keepAliveMs, clock, onConnection };
  const { port, address, close } = place.kind === "tcp"
    ? await listenTcp({ ...where, staysPlain: true })
    : await listenTls(where, options);
  return { port, address: formatPlace({ kind: place.kind, host: address, port }), close };
}

function listenTls(
  where: Pick<ListenOptions, "keepAliveMs" | "clock" | "onConnection"> & {
    readonly port: number;
    readonly address: string | undefined;
  },
  { cert, key, clientCaCerts, handshakeTimeoutMs, maxHandshakes, onFailure }: ListenOptions,
) {
  if (cert === undefined || key === undefined) {
    throw new TypeError("Cannot serve TLS: give the options cert and key, both as PEM");
  }
  return listenImplicitTls({
    ...where,
    cert,
    key,
    clientCaCerts,
    handshakeTimeoutMs,
    maxHandshakes,
    onFailure,
  });
}
