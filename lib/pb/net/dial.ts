/**
 * From a place to an open byte stream there.
 *
 * @module
 */

import { dialImplicitTls } from "../../transport/implicit_tls.ts";
import { dialTcp } from "../../transport/tcp.ts";
import type { Connection } from "../../transport/transport.ts";
import { dialUnix } from "../../transport/unix.ts";
import type { Clock } from "../../util/clock.ts";
import type { Place } from "./place.ts";

/** What TLS asks of the side that dials. */
export interface PbTlsClientOptions {
  /**
   * PEM of the authorities that are trusted for a `tls:` target.
   * @default those that the platform trusts
   */
  readonly caCerts?: readonly string[] | undefined;
  /** PEM of this end's own certificate, where the server asks for one. */
  readonly cert?: string | undefined;
  /** PEM of its private key. */
  readonly key?: string | undefined;
  /**
   * The name that the server's certificate must have.
   * @default the host of the target
   */
  readonly serverName?: string | undefined;
}

/** Options of {@linkcode dial}. */
export interface DialOptions extends PbTlsClientOptions {
  readonly keepAliveMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Opens a connection.
 *
 * @throws {UnreachableError} If nobody listens there.
 * @throws {PermissionDenied} If Deno or the system does not allow it.
 * @throws {NegotiationError} If the TLS handshake fails.
 * @throws The reason of `signal`, when it fires first.
 */
export async function dial(place: Place, options: DialOptions): Promise<Connection> {
  const { keepAliveMs, clock, signal } = options;
  if (place.kind === "unix") return await dialUnix({ path: place.path, clock, signal, staysPlain: true });
  const where = { host: place.host ?? "localhost", port: place.port, keepAliveMs, clock, signal };
  if (place.kind === "tcp") return await dialTcp({ ...where, staysPlain: true });
  const { caCerts, cert, key, serverName } = options;
  return await dialImplicitTls({ ...where, caCerts, cert, key, serverName });
}
