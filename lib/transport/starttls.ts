/**
 * The TLS handshake of a Tub, on a node stream that has carried plaintext before.
 *
 * Both ends show a certificate and neither asks an authority: what TLS proves is that the peer holds the
 * key of the certificate it shows, and the caller compares the certificate's hash with a TubID.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import tls from "node:tls";
import { CertificateError, NegotiationError, toError } from "../errors.ts";
import type { Clock } from "../util/clock.ts";
import { nodeCrypto } from "../util/node.ts";
import { SocketConnection } from "./socket_connection.ts";
import type { TlsFloor } from "./tls_floor.ts";
import type { CloseOptions, Connection, StartTlsOptions, TlsIdentity } from "./transport.ts";

/** What the TLS connection takes over from the plain one. */
export interface TlsBase {
  /** Where the other end is, for people. */
  readonly peerAddress: string;
  /** Ends what is below TLS, and resolves when that is closed. */
  close(options?: CloseOptions): Promise<void>;
  /** See {@linkcode SocketConnectionOptions}. */
  readonly closeTimeoutMs?: number | undefined;
  /** See {@linkcode SocketConnectionOptions}. */
  readonly clock?: Clock | undefined;
}

/**
 * Does the handshake on `floor`, TLS 1.2 or 1.3. No SNI, no ALPN; a resumed session is refused, so that every
 * connection proves both keys anew. Foolscap: `Negotiation.startTLS`. It has no time limit of its own: `signal` is that.
 *
 * @returns Resolves when both sides have proved their keys. What is below ends with the connection; when
 * the handshake fails, `base.close()` has been called.
 * @throws {NegotiationError} If the handshake fails, the peer shows no certificate or resumes a session, or
 * `signal` fires.
 * @throws {CertificateError} If our own certificate or key cannot be used.
 */
export async function handshake(
  floor: TlsFloor,
  base: TlsBase,
  options: StartTlsOptions,
): Promise<Connection> {
  const raw = floor.stream;
  const done = Promise.withResolvers<tls.TLSSocket>();
  const fail = (why: string, cause: unknown) => done.reject(new NegotiationError(why, { cause }));
  const onAbort = () => fail("TLS handshake given up", options.signal?.reason);
  const onRawClose = () => fail("TLS handshake failed: the peer closed the connection", undefined);
  // The last bytes may have completed the handshake, which TLS says a little later.
  const onRawEnd = () => void setImmediate(onRawClose);
  const onRawError = (error: Error) => fail(`TLS handshake failed: ${error.message}`, error);
  const onFailure = (error: Error) => fail(describe(error), error);
  // Waits for the answer even when the attempt throws before it is awaited.
  done.promise.catch(() => {});
  // Nothing has come up from below yet, so these are the first bytes.
  if (options.alreadyRead !== undefined) raw.push(options.alreadyRead);
  raw.on("close", onRawClose).on("error", onRawError).on("end", onRawEnd);
  options.signal?.addEventListener("abort", onAbort);
  let socket: tls.TLSSocket | undefined;
  try {
    checkIdentity(options.identity);
    if (options.signal?.aborted) onAbort();
    else socket = begin(raw, options, done.resolve, onFailure);
    const secured = await done.promise;
    socket = secured;
    // `getPeerCertificate()` would also read and print every field of it.
    const shown: Uint8Array | undefined = secured.getPeerX509Certificate()?.raw;
    if (shown === undefined || shown.byteLength === 0) {
      throw new NegotiationError("TLS handshake failed: the peer showed no certificate");
    }
    // Deno's server takes a ticket that any server of the process has given, and has no option against it.
    if (secured.isSessionReused()) {
      throw new NegotiationError("TLS handshake failed: the peer resumed a session of an earlier connection");
    }
    if (options.minVersion === "TLSv1.3" && secured.getProtocol() !== "TLSv1.3") {
      throw new NegotiationError(`TLS handshake failed: ${NOT_TLS13}`);
    }
    secured.removeListener("error", onFailure);
    const below = {
      close: (how?: CloseOptions) => base.close(how),
      setReading: (isOn: boolean) => floor.setReading(isOn),
    };
    return new SocketConnection(secured, { ...aboutOf(base), peerCertificate: new Uint8Array(shown), below });
  } catch (error) {
    socket?.on("error", () => {});
    socket?.destroy();
    raw.on("error", () => {});
    raw.destroy();
    await base.close();
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    raw.removeListener("close", onRawClose).removeListener("end", onRawEnd);
  }
}

const NOT_TLS13 = "the peer does not speak TLS 1.3";
const checked = new WeakSet<TlsIdentity>();

/** Deno's TLS waits for ever with a pair that it cannot use, so that is found out before. */
function checkIdentity(identity: TlsIdentity): void {
  if (identity.isPair === true || checked.has(identity)) return;
  const { createPrivateKey, X509Certificate } = nodeCrypto();
  let isPair: boolean;
  try {
    isPair = new X509Certificate(identity.certPem).checkPrivateKey(createPrivateKey(identity.keyPem));
  } catch (error) {
    throw new CertificateError("Cannot use the certificate and key for TLS", { cause: toError(error) });
  }
  if (!isPair) {
    throw new CertificateError("Cannot use the certificate for TLS: the key belongs to another one");
  }
  checked.add(identity);
}

/** Starts the handshake; the TLS stream of a server comes with its event. */
function begin(
  raw: Duplex,
  options: StartTlsOptions,
  onSecure: (socket: tls.TLSSocket) => void,
  onFailure: (error: Error) => void,
): tls.TLSSocket | undefined {
  const common = {
    cert: options.identity.certPem,
    key: options.identity.keyPem,
    minVersion: options.minVersion ?? "TLSv1.2" as const,
    rejectUnauthorized: false,
  };
  if (options.role === "client") {
    const socket = tls.connect({ ...common, socket: raw }, () => onSecure(socket));
    return socket.on("error", onFailure);
  }
  // A server of its own for each connection: its events are about this one.
  // Deno 2.9 only stops its own timer when the handshake is done: it would keep one that was given up, and all that hangs
  // on it, for two minutes.
  const server = tls.createServer({ ...common, requestCert: true, handshakeTimeout: -1 });
  server.on("secureConnection", (socket) => onSecure(socket.on("error", onFailure)));
  server.on("tlsClientError", onFailure);
  server.emit("connection", raw);
  return undefined;
}

function aboutOf({ peerAddress, closeTimeoutMs, clock }: TlsBase) {
  return { peerAddress, closeTimeoutMs, clock };
}

/** The platform names a wrong proof by what it thinks of the certificate, which says the wrong thing. */
function describe(error: Error): string {
  const code: unknown = "code" in error ? error.code : undefined;
  if (code === "DEPTH_ZERO_SELF_SIGNED_CERT" || code === "UNABLE_TO_GET_ISSUER_CERT") {
    return "TLS handshake failed: the peer did not prove that it holds the key of its certificate";
  }
  if (error.message.includes("Tls12NotOfferedOrEnabled")) {
    return `TLS handshake failed: ${NOT_TLS13}`;
  }
  return `TLS handshake failed: ${error.message}`;
}
