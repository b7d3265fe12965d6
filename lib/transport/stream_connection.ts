/**
 * Any pair of web streams as a {@linkcode Connection}: whatever the program has that carries bytes, such as the pipes of a
 * child or the streams of a Worker.
 *
 * @module
 */

import { DeadReferenceError, toError } from "../errors.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { inLaterTurn } from "../util/eventual.ts";
import type { CloseOptions, Connection } from "./transport.ts";

/** One end of something that carries bytes, as the program has it. */
export interface ByteStreams {
  /** What arrives. Chunks are `Uint8Array`s of any size; empty ones are skipped. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes out. Whoever is given a chunk may keep it. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends what is below the streams, when both are over or were cut. May return a promise, which is waited for. */
  close?(): void | PromiseLike<void>;
}

/** Options of {@linkcode StreamConnection}. */
export interface StreamConnectionOptions {
  /** Where the other end is, for people. */
  readonly peerAddress: string;
  /**
   * How long `close()` waits for the peer, in milliseconds.
   * @default 1000
   */
  readonly closeTimeoutMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** Is told what `close` of the streams throws. Must not throw. */
  onCloseFailed?(error: Error): void;
}

/** What keeps a program's streams from being used; `undefined` if nothing does. */
export function problemOfStreams(streams: ByteStreams): string | undefined {
  if (
    typeof streams !== "object" || streams === null || !(streams.readable instanceof ReadableStream) ||
    !(streams.writable instanceof WritableStream)
  ) {
    return "it is not { readable, writable } with two web streams";
  }
  if (streams.readable.locked || streams.writable.locked) return "a stream is locked; release its lock first";
  if (streams.close !== undefined && typeof streams.close !== "function") {
    return "close of the streams is not a function";
  }
  return undefined;
}

/** Reads of nothing, or for nobody, after which others have their turn: a stream of memory never waits. */
const READS_IN_A_ROW = 64;

/** A connection over streams, which it locks. */
export class StreamConnection implements Connection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly peerCertificate = undefined;
  readonly peerAddress: string;
  readonly #streams: ByteStreams;
  readonly #clock: Clock;
  readonly #closeTimeoutMs: number;
  readonly #onCloseFailed: StreamConnectionOptions["onCloseFailed"];
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #closed = Promise.withResolvers<void>();
  #readable!: ReadableStreamDefaultController<Uint8Array>;
  #writable!: WritableStreamDefaultController;
  #roomWaiter: (() => void) | undefined;
  #timer: Disposable | undefined;
  // Whether our reader is told nothing more.
  #isDeaf = false;
  #isDraining = false;
  #isSourceOver = false;
  #writing = 0;
  #isEnding = false;
  #isSinkOver = false;
  #isClosing = false;
  #isFinished = false;
  #lost: DeadReferenceError | undefined;

  /**
   * Locks both streams.
   *
   * @throws {TypeError} If one of them is locked already.
   */
  constructor(streams: ByteStreams, options: StreamConnectionOptions) {
    this.#streams = streams;
    this.peerAddress = options.peerAddress;
    this.#clock = options.clock ?? systemClock;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 1_000;
    this.#onCloseFailed = options.onCloseFailed;
    this.#reader = streams.readable.getReader();
    this.#writer = streams.writable.getWriter();
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#readable = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#deafen(),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#writable = controller;
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#end(),
      abort: (reason) => this.#fail(toError(reason)),
    });
    this.#writer.closed.then(() => this.#sinkIsOver(), (error) => this.#sinkFailed(toError(error)));
  }

  /** Ends the connection as the contract says. */
  close({ isAbrupt = false }: CloseOptions = {}): Promise<void> {
    if (isAbrupt) this.#cut();
    if (this.#isClosing) return this.#closed.promise;
    this.#isClosing = true;
    if (this.#isFinished) return this.#closed.promise;
    this.#timer ??= this.#clock.setTimer(this.#closeTimeoutMs, () => {
      this.#fail(
        new DeadReferenceError("Connection closed: the peer did not take what was written in time"),
      );
    });
    this.#deafen();
    // Writes that wait for room pass in the microtasks that follow; the end comes after them.
    this.#makeRoom();
    inLaterTurn(() => {
      void this.#end();
      this.#writable.error(new DeadReferenceError("Cannot write: the connection is closed"));
    });
    return this.#closed.promise;
  }

  #cut(): void {
    this.#isClosing = true;
    // Who reads is told of an end, as by any close() of ours.
    this.#stopReading();
    // So is the peer, unless something is on its way that an end would have to wait for.
    const isIdle = this.#writing === 0 && !this.#isEnding;
    this.#fail(new DeadReferenceError("Connection lost: it was cut"), isIdle ? "end" : "abort");
  }

  async #pull(): Promise<void> {
    for (let reads = 1; !this.#isDeaf; reads++) {
      const chunk = await this.#next();
      if (chunk === undefined || this.#isDeaf) return;
      if (chunk.byteLength > 0) return this.#readable.enqueue(chunk);
      if (reads % READS_IN_A_ROW === 0) await aTurn();
    }
  }

  /** The next chunk of the program's stream; `undefined` at its end, which has been dealt with then. */
  async #next(): Promise<Uint8Array | undefined> {
    try {
      const { value, done }: { value?: unknown; done: boolean } = await this.#reader.read();
      if (!done) return bytesOf(value);
    } catch (error) {
      this.#fail(toError(error));
      return undefined;
    }
    if (this.#isSourceOver) return undefined;
    this.#isSourceOver = true;
    if (!this.#isDeaf) this.#readable.close();
    this.#isDeaf = true;
    // The peer's end is answered by ours: nothing stays half open.
    void this.close();
    this.#checkOver();
    return undefined;
  }

  /** From here on what arrives is thrown away; the end of the stream is still noticed. */
  #deafen(): void {
    this.#stopReading();
    void this.#drain();
  }

  #stopReading(): void {
    if (this.#isDeaf) return;
    this.#isDeaf = true;
    try {
      this.#readable.close();
    } catch {
      // The reader cancelled the stream itself.
    }
  }

  async #drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    for (let reads = 1; !this.#isSourceOver; reads++) {
      if (await this.#next() === undefined) return;
      if (reads % READS_IN_A_ROW === 0) await aTurn();
    }
  }

  #write(chunk: Uint8Array): Promise<void> | undefined {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("Cannot write: the chunk is not a Uint8Array");
    if (this.#lost !== undefined) throw this.#lost;
    if (chunk.byteLength === 0 || this.#isEnding) return;
    this.#writing++;
    const written = this.#writer.write(chunk).then(
      () => void this.#writing--,
      (error) => this.#sinkFailed(toError(error)),
    );
    if (this.#isClosing) return;
    return new Promise((resolve, reject) => {
      this.#roomWaiter = resolve;
      void written.then(() => this.#lost === undefined ? resolve() : reject(this.#lost));
    });
  }

  /** Ends the program's stream behind all that was written. */
  async #end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    // How that ends, `closed` says.
    await this.#writer.close().catch(() => {});
  }

  #sinkIsOver(): void {
    this.#isSinkOver = true;
    if (this.#isSourceOver) return this.#checkOver();
    void this.close();
  }

  /** Nothing can be written any more; what the peer has sent before it went can be read still. */
  #sinkFailed(cause: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = lostBy(cause);
    this.#isSinkOver = this.#isEnding = true;
    this.#writable.error(this.#lost);
    this.#makeRoom();
    this.#timer ??= this.#clock.setTimer(this.#closeTimeoutMs, () => this.#fail(cause));
    this.#checkOver();
  }

  #checkOver(): void {
    if (this.#isSourceOver && this.#isSinkOver) void this.#finish([]);
  }

  /** Cuts both directions; the sink gets the reason, or only its end. */
  #fail(cause: Error, sinkGets: "end" | "abort" = "abort"): void {
    if (this.#isFinished) return;
    const lost = this.#lost ??= lostBy(cause);
    this.#isSourceOver = this.#isSinkOver = this.#isEnding = true;
    if (!this.#isDeaf) this.#readable.error(lost);
    this.#isDeaf = true;
    this.#writable.error(lost);
    this.#makeRoom();
    const sinkOver = sinkGets === "end" ? this.#writer.close() : this.#writer.abort(lost);
    void this.#finish([this.#reader.cancel(lost), sinkOver]);
  }

  /** Both directions are over: ends what is below, for as long as that takes no longer than `close()` may. */
  async #finish(ending: Promise<unknown>[]): Promise<void> {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#timer?.[Symbol.dispose]();
    const tooLong = Promise.withResolvers<void>();
    using _timer = this.#clock.setTimer(this.#closeTimeoutMs, tooLong.resolve);
    const closing = Promise.try(() => this.#streams.close?.())
      .catch((error) => this.#onCloseFailed?.(toError(error)));
    await Promise.race([Promise.allSettled([...ending, closing]), tooLong.promise]);
    this.#closed.resolve();
  }

  #makeRoom(): void {
    this.#roomWaiter?.();
    this.#roomWaiter = undefined;
  }
}

function lostBy(cause: Error): DeadReferenceError {
  if (cause instanceof DeadReferenceError) return cause;
  return new DeadReferenceError(`Connection lost: ${cause.message}`, { cause });
}

function aTurn(): Promise<void> {
  return new Promise(inLaterTurn);
}

/** The same bytes as a plain Uint8Array in memory that only one thread has. */
function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) {
    const kind = value === null ? "null" : typeof value;
    throw new TypeError(`a chunk of the readable stream is not a Uint8Array: it is of type ${kind}`);
  }
  const { buffer, byteOffset, byteLength } = value;
  if (buffer instanceof ArrayBuffer) {
    return Object.getPrototypeOf(value) === Uint8Array.prototype
      ? value
      : new Uint8Array(buffer, byteOffset, byteLength);
  }
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
}
