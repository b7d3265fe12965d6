/**
 * TLS from the first byte, as `tls:` hints mean it: the side that dials, by `Deno.connectTls`.
 *
 * The platform does not show the server's certificate, and also takes one that any public authority has signed. So a
 * connection from here has no `peerCertificate`: who the peer is has to be proved inside (`lib/negotiate/tls_proof.ts`).
 * What TLS does prove is the client's key to the server, which sees its certificate.
 *
 * @module
 */

import { NegotiationError, PermissionDenied, toError, UnreachableError } from "../errors.ts";
import { joinHostPort } from "../names/hints.ts";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import { createTrustAnchor } from "./certificate.ts";
import { denoConnection } from "./deno_socket.ts";
import { formatPem } from "./key_pair.ts";
import type { Connection, TlsIdentity } from "./transport.ts";

/** Options of {@linkcode dialTls}. */
export interface DialTlsOptions {
  /** A name, an IPv4 or IPv6 address; IPv6 without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** The Ed25519 public key that the server's certificate is to have, 32 bytes. */
  readonly serverKey: Uint8Array;
  /** This end's own certificate and private key. */
  readonly identity: TlsIdentity;
  /** Ends the attempt. A connection that comes after that is closed. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long `close()` of the connection waits for the peer, in milliseconds.
   * @default 1000
   */
  readonly closeTimeoutMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/**
 * Opens a TLS connection.
 *
 * @returns Resolves when the handshake is done. Deno cannot be told to stop connecting: when `signal` fires before there is
 *   a connection, the promise rejects as soon as there is one, or none.
 * @throws {UnreachableError} If nothing answers there.
 * @throws {NegotiationError} If the handshake fails, as with a server that has another key.
 * @throws {PermissionDenied} If Deno does not allow it.
 * @throws The reason of `signal`, when it has fired.
 */
export async function dialTls(options: DialTlsOptions): Promise<Connection> {
  const { host, port, serverKey, identity, signal, closeTimeoutMs, clock } = options;
  const place = `tls:${joinHostPort(host, port)}`;
  signal?.throwIfAborted();
  let socket: Deno.TlsConn;
  try {
    socket = await Deno.connectTls({
      hostname: host,
      port,
      caCerts: [formatPem("CERTIFICATE", createTrustAnchor(serverKey))],
      cert: identity.certPem,
      key: identity.keyPem,
      // A Tub's certificate names no host: its hash is what counts.
      unsafelyDisableHostnameVerification: true,
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw explain(place, host, port, error);
  }
  let isOpen = true;
  const close = () => {
    if (isOpen) socket.close();
    isOpen = false;
  };
  signal?.addEventListener("abort", close, { once: true });
  try {
    signal?.throwIfAborted();
    await socket.handshake();
    signal?.throwIfAborted();
    return denoConnection(socket, { peerAddress: place, closeTimeoutMs, clock });
  } catch (error) {
    close();
    signal?.throwIfAborted();
    throw new NegotiationError(`Cannot negotiate with ${place}, in phase tls: ${describe(error)}`, {
      cause: new NegotiationError(describe(error), { cause: error }),
    });
  } finally {
    signal?.removeEventListener("abort", close);
  }
}

function explain(place: string, host: string, port: number, thrown: unknown): Error {
  const cause = toError(thrown);
  if (cause.name === "NotCapable" || cause.name === "PermissionDenied") {
    const flag = `--allow-net=${joinHostPort(host, port)}`;
    return new PermissionDenied(`Cannot connect to ${place}: run with ${flag}`, { cause });
  }
  return new UnreachableError(`Cannot connect to ${place}: ${cause.message}`, new Map([[place, cause]]));
}

/** The platform names a wrong certificate in words of its own, which come from what the server has sent. */
function describe(thrown: unknown): string {
  const { message } = toError(thrown);
  if (/invalid peer certificate: (BadSignature|UnknownIssuer)/.test(message)) {
    return "TLS handshake failed: the server's certificate does not have the key of the hint";
  }
  return `TLS handshake failed: ${quoteForeign(message).slice(1, -1)}`;
}
