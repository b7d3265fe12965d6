/**
 * The input and output of one negotiation: a stream that is read in blocks, a time limit, and one way to fail.
 *
 * @module
 */

import { DuplicateConnectionError, NegotiationError, RemoteNegotiationError, toError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Connection, StartTlsOptions, UpgradableConnection } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";
import { BlockReader, prefixed } from "./block_reader.ts";
import { encodeFailure, type ErrorForm } from "./failure.ts";
import { Refusal } from "./refusal.ts";

/** Options of {@linkcode Attempt}. */
export interface AttemptOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** An open connection; one that is TLS already cannot become it. */
type Dialled = Connection & Partial<Pick<UpgradableConnection, "startTls">>;

/** One attempt to agree, on one connection, which is closed if the attempt fails. */
export class Attempt {
  /** Where the negotiation is, for the message of a failure. */
  phase = "plaintext";
  /** How the peer can be told of a failure at this point. */
  errorForm: ErrorForm = "nothing";

  readonly #plain: Dialled;
  readonly #limits: Limits;
  readonly #stop = new AbortController();
  readonly #stopped: Promise<never>;
  readonly #timer: Disposable;
  readonly #signal: AbortSignal | undefined;
  #connection: Connection;
  #hasReadBlock = false;
  #proved: Uint8Array | undefined;
  #reader: BlockReader;
  #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(connection: Dialled, { limits, clock, signal }: AttemptOptions) {
    this.#plain = this.#connection = connection;
    this.#limits = limits;
    this.#reader = new BlockReader(connection.readable, limits.maxHeaderBlockBytes);
    this.#writer = connection.writable.getWriter();
    const { promise, reject } = Promise.withResolvers<never>();
    // Nobody may be waiting when time is up.
    promise.catch(() => {});
    this.#stopped = promise;
    this.#stop.signal.addEventListener("abort", () => reject(this.#stop.signal.reason));
    this.#timer = clock.setTimer(limits.negotiationTimeoutMs, () => {
      this.#giveUp(new NegotiationError(`no agreement within ${limits.negotiationTimeoutMs} ms`));
    });
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort);
    if (signal?.aborted === true) this.#onAbort();
  }

  /** The certificate whose key the peer has proved to hold. */
  get peerCertificate(): Uint8Array | undefined {
    return this.#proved ?? this.#connection.peerCertificate;
  }

  /** The peer has proved it otherwise than by a TLS that shows it. */
  set peerCertificate(certificate: Uint8Array) {
    this.#proved = certificate;
  }

  /** The next byte, which is not taken. */
  peek(): Promise<number> {
    return this.#unlessStopped(this.#reader.peek());
  }

  /** The next header block. */
  readBlock(): Promise<Uint8Array> {
    this.#hasReadBlock = true;
    return this.#unlessStopped(this.#reader.read());
  }

  /** Sends bytes as one chunk; resolves when there is room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#unlessStopped(this.#writer.write(bytes));
  }

  /**
   * Turns the connection into TLS. What a server has only looked at so far is the beginning of that.
   *
   * @throws {Refusal} If the peer has sent more than it should have before TLS.
   */
  async startTls(options: Omit<StartTlsOptions, "signal" | "alreadyRead">): Promise<void> {
    if (this.#plain.startTls === undefined) throw new TypeError("Cannot start TLS: the connection has it");
    this.#writer.releaseLock();
    const rest = this.#reader.release();
    // After a block of plain text it would be bytes that nobody has protected.
    if (rest.length > 0 && this.#hasReadBlock) throw new Refusal("The peer sent data where TLS was to begin");
    this.#connection = await this.#unlessStopped(
      this.#plain.startTls({
        ...options,
        signal: this.#stop.signal,
        ...(rest.length === 0 ? {} : { alreadyRead: rest }),
      }),
    );
    this.#reader = new BlockReader(this.#connection.readable, this.#limits.maxHeaderBlockBytes);
    this.#writer = this.#connection.writable.getWriter();
  }

  /** Ends the attempt well. The connection begins behind the last block. */
  finish(): Connection {
    this.#cleanUp();
    this.#writer.releaseLock();
    const rest = this.#reader.release();
    const connection = this.#connection;
    if (rest.length === 0 && this.#proved === undefined) return connection;
    return {
      readable: rest.length === 0 ? connection.readable : prefixed(rest, connection.readable),
      writable: connection.writable,
      peerCertificate: this.peerCertificate,
      peerAddress: connection.peerAddress,
      close: (how) => connection.close(how),
    };
  }

  /**
   * Ends the attempt: tells the peer what it may know, and closes the connection.
   *
   * @returns The error for the caller, when nothing is left open.
   */
  async fail(thrown: unknown): Promise<Error> {
    this.#cleanUp();
    const isStopped = this.#stop.signal.aborted;
    const farewell = isStopped ? undefined : encodeFailure(this.errorForm, thrown);
    if (farewell !== undefined) this.#writer.write(farewell).catch(() => {});
    // An attempt that nobody wants any more has said nothing that is worth waiting for.
    const how = { isAbrupt: isStopped };
    await this.#connection.close(how);
    await this.#plain.close(how);
    return describe(this.#plain.peerAddress, this.phase, isStopped ? this.#stop.signal.reason : thrown);
  }

  readonly #onAbort = () => {
    const cause: unknown = this.#signal?.reason;
    this.#giveUp(new NegotiationError("the attempt was given up", { cause }));
  };

  #giveUp(reason: NegotiationError): void {
    this.#stop.abort(reason);
  }

  #unlessStopped<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#stopped, work]);
  }

  #cleanUp(): void {
    this.#timer[Symbol.dispose]();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

function describe(peerAddress: string, phase: string, thrown: unknown): Error {
  const cause = toError(thrown);
  const message = `Cannot negotiate with ${peerAddress}, in phase ${phase}: ${cause.message}`;
  if (cause instanceof DuplicateConnectionError) return new DuplicateConnectionError(message, { cause });
  if (cause instanceof RemoteNegotiationError) return new RemoteNegotiationError(message, { cause });
  return new NegotiationError(message, { cause });
}
