/**
 * The contract between a byte stream and everything above it.
 *
 * A transport is two web streams, the certificate that the other end has proved to hold the key
 * of, and a way to end it. `tests/suites/transport_suite.ts` is the acceptance suite of the contract.
 *
 * @module
 */

/** One end of an open byte stream. */
export interface Connection {
  /**
   * What arrives, in chunks of any size, none empty. Closes at the end of the stream; errors when the
   * stream breaks. The reader owns each chunk: the transport never touches it again.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * What goes out. A chunk is the transport's from `write()` on and must not be changed. `write()`
   * resolves when there is room for more (back-pressure).
   */
  readonly writable: WritableStream<Uint8Array>;
  /** DER of the certificate whose key the peer has proved to hold; `undefined` without TLS. */
  readonly peerCertificate: Uint8Array | undefined;
  /** Where the other end is, for people: `tcp:127.0.0.1:4501`. */
  readonly peerAddress: string;
  /**
   * Ends the stream in both directions. What was written before is sent first, for as long as the peer
   * takes it within a second or so; then the stream is cut.
   * Never rejects; more than once is harmless. Resolves when nothing is left open.
   */
  close(options?: CloseOptions): Promise<void>;
}

/** Options of {@linkcode Connection.close}. */
export interface CloseOptions {
  /**
   * Whether the stream is cut at once: nobody waits for what was written to be sent, or for the peer. A `close()` that
   * waits for the peer is cut short by it.
   * @default false
   */
  readonly isAbrupt?: boolean | undefined;
}

/** A plaintext connection that can turn into a TLS connection on the same stream (STARTTLS). */
export interface UpgradableConnection extends Connection {
  /**
   * Does the TLS handshake on the same stream. Neither `readable` nor `writable` may be locked, and
   * nothing but the negotiation's own blocks may have been read from the stream.
   *
   * A certificate authority is not asked: any certificate is taken, and the caller compares its hash
   * with a TubID. That the peer holds the certificate's key is what TLS proves.
   *
   * @throws {NegotiationError} If the handshake fails, the peer shows no certificate, or `signal` fires.
   */
  startTls(options: StartTlsOptions): Promise<Connection>;
}

/** Options of {@linkcode UpgradableConnection.startTls}. */
export interface StartTlsOptions {
  /** The side that opened the stream is the TLS client. */
  readonly role: "client" | "server";
  /** This end's own certificate and private key, each as PEM. */
  readonly identity: TlsIdentity;
  /**
   * The oldest version of TLS that is taken.
   * @default "TLSv1.2"
   */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /**
   * Whether the client's system may hold small writes back until what went before is acknowledged. Then a server on a
   * socket of the system makes the client's messages come without delay.
   * @default false
   */
  readonly isPeerHeldBack?: boolean | undefined;
  /** What has been read of the stream already and is the peer's first bytes of TLS. */
  readonly alreadyRead?: Uint8Array | undefined;
  /** Ends the handshake. */
  readonly signal?: AbortSignal | undefined;
}

/** A certificate and its private key. */
export interface TlsIdentity {
  /** PEM of the certificate. */
  readonly certPem: string;
  /** PEM of the private key, PKCS#8 or PKCS#1. */
  readonly keyPem: string;
  /**
   * Whether it is known that the key is that of the certificate.
   * @default false: it is found out before the first handshake
   */
  readonly isPair?: boolean | undefined;
}

/** A place where connections are accepted. */
export interface TransportListener {
  /** The port that the system chose or the program named. */
  readonly port: number;
  /** The address that the listener is bound to, without brackets. */
  readonly address: string;
  /** Stops accepting. Connections that were accepted stay. */
  close(): Promise<void>;
}
