/**
 * Two ends of a byte stream inside one process: the loopback of a Tub, and the network of the tests.
 *
 * @module
 */

import { DeadReferenceError } from "../errors.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import type { CloseOptions, Connection } from "./transport.ts";

/** Bytes that wait in one direction before `write()` does. */
const ROOM_BYTES = 256 * 1024;

/** Options of {@linkcode memoryPair}. */
export interface MemoryPairOptions {
  /**
   * Cuts what is written into chunks of this many bytes.
   * @default no cutting
   */
  readonly pieceBytes?: number | undefined;
  /** What the first and the second end see as the certificate of the other. */
  readonly peerCertificates?: readonly [Uint8Array | undefined, Uint8Array | undefined] | undefined;
  /**
   * What each end says about where the other is.
   * @default "memory"
   */
  readonly peerAddress?: string | undefined;
  /**
   * How long `close()` waits for the peer to take what was written, in milliseconds.
   * @default 1000
   */
  readonly closeTimeoutMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/** One end of a {@linkcode memoryPair}, with what a test needs to disturb it. */
export interface MemoryConnection extends Connection {
  /** Keeps what this end writes from arriving, until {@linkcode release}. The end of the stream too. */
  hold(): void;
  /** Lets what was held go on. */
  release(): void;
  /** Breaks both directions at once, as a lost network does: all four streams fail with `error`. */
  drop(error?: Error): void;
}

/**
 * Makes two connected ends.
 *
 * What one end writes reaches the other in a later turn of the event loop, in order, as the same
 * chunks. `write()` waits while 256 KiB are on their way.
 *
 * @returns The two ends. Closing either ends both.
 */
export function memoryPair(options: MemoryPairOptions = {}): [MemoryConnection, MemoryConnection] {
  const forth = new Pipe(options.pieceBytes);
  const back = new Pipe(options.pieceBytes);
  return [
    new MemoryEnd(back, forth, options.peerCertificates?.[0], options),
    new MemoryEnd(forth, back, options.peerCertificates?.[1], options),
  ];
}

/** One direction. */
class Pipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** Called once, when the end of the stream has arrived at the reader, or the pipe broke. */
  onEnded: () => void = () => {};
  /** Called when the reader wants no more. */
  onCancel: () => void = () => {};
  /** Called when the writer aborts. */
  onAbort: (error: Error) => void = () => {};

  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #roomWaiter: (() => void) | undefined;
  #isHeld = false;
  #isScheduled = false;
  #isFinishing = false;
  #isFinished = false;
  #isOver = false;
  #isDeaf = false;

  constructor(pieceBytes: number | undefined) {
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#reader = controller;
      },
      pull: () => this.#schedule(),
      cancel: () => {
        this.deafen();
        this.onCancel();
      },
    }, new ByteLengthQueuingStrategy({ highWaterMark: ROOM_BYTES }));
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#writer = controller;
      },
      write: (chunk) => this.#accept(chunk, pieceBytes),
      close: () => this.#queueEnd(),
      abort: (reason) => this.onAbort(brokenBy(reason)),
    });
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#schedule();
  }

  /** From here on what arrives is thrown away; the end of the stream is still noticed. */
  deafen(): void {
    if (this.#isDeaf || this.#isOver) return;
    this.#isDeaf = true;
    try {
      this.#reader.close();
    } catch {
      // It was closed or cancelled before.
    }
    this.#schedule();
  }

  /** Sends the end of the stream behind all that was written, then refuses more. */
  finish(refusal: Error): void {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    this.#makeRoom();
    // Writes that waited for room pass in the microtasks before this; the writer may be locked by
    // somebody, so `writable.close()` is not ours to call.
    setImmediate(() => {
      if (this.#isOver) return;
      this.#queueEnd();
      this.#writer.error(refusal);
    });
  }

  /** Ends both ends of the pipe with an error; nothing that is still on its way arrives. */
  break(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#queue = [];
    this.#makeRoom();
    try {
      this.#writer.error(error);
      if (!this.#isDeaf) this.#reader.error(error);
    } catch {
      // A stream that is over already has nothing to be told.
    }
    this.onEnded();
  }

  #accept(chunk: Uint8Array, pieceBytes: number | undefined): Promise<void> | undefined {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("Cannot write: the chunk is not a Uint8Array");
    if (this.#isOver || chunk.byteLength === 0) return;
    if (pieceBytes === undefined || chunk.byteLength <= pieceBytes) this.#queue.push(chunk);
    else {
      for (let at = 0; at < chunk.byteLength; at += pieceBytes) {
        this.#queue.push(chunk.slice(at, at + pieceBytes));
      }
    }
    this.#queuedBytes += chunk.byteLength;
    this.#schedule();
    if (this.#queuedBytes < ROOM_BYTES || this.#isFinishing) return;
    return new Promise((resolve) => {
      this.#roomWaiter = resolve;
    });
  }

  #queueEnd(): void {
    this.#isFinished = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isHeld || this.#isOver) return;
    if (this.#queue.length === 0 && !this.#isFinished) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#isHeld && !this.#isOver) this.#deliver();
    });
  }

  #deliver(): void {
    const queue = this.#queue;
    let taken = 0;
    while (taken < queue.length && (this.#isDeaf || (this.#reader.desiredSize ?? 0) > 0)) {
      const chunk = queue[taken++]!;
      this.#queuedBytes -= chunk.byteLength;
      if (!this.#isDeaf) this.#reader.enqueue(chunk);
    }
    if (taken === queue.length) this.#queue = [];
    else queue.splice(0, taken);
    if (this.#queuedBytes < ROOM_BYTES) this.#makeRoom();
    if (!this.#isFinished || this.#queue.length > 0) return;
    this.#isOver = true;
    if (!this.#isDeaf) this.#reader.close();
    this.onEnded();
  }

  #makeRoom(): void {
    this.#roomWaiter?.();
    this.#roomWaiter = undefined;
  }
}

class MemoryEnd implements MemoryConnection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly peerCertificate: Uint8Array | undefined;
  readonly peerAddress: string;
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;
  readonly #options: MemoryPairOptions;
  readonly #ended = Promise.withResolvers<void>();
  #openDirections = 2;
  #closing: Promise<void> | undefined;
  #timer: Disposable | undefined;

  constructor(
    incoming: Pipe,
    outgoing: Pipe,
    peerCertificate: Uint8Array | undefined,
    options: MemoryPairOptions,
  ) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#options = options;
    this.readable = incoming.readable;
    this.writable = outgoing.writable;
    this.peerCertificate = peerCertificate;
    this.peerAddress = options.peerAddress ?? "memory";
    const ended = (isIncoming: boolean) => {
      // The peer's end of stream is answered by ours: nothing stays half open.
      if (isIncoming) this.close();
      if (--this.#openDirections > 0) return;
      this.#timer?.[Symbol.dispose]();
      this.#ended.resolve();
    };
    // Each pipe is seen by both ends.
    const before = [incoming.onEnded, outgoing.onEnded] as const;
    incoming.onEnded = () => (before[0](), ended(true));
    outgoing.onEnded = () => (before[1](), ended(false));
    outgoing.onAbort = (error) => this.drop(error);
  }

  hold(): void {
    this.#outgoing.hold();
  }

  release(): void {
    this.#outgoing.release();
  }

  drop(error: Error = new DeadReferenceError("Connection lost")): void {
    this.#outgoing.break(error);
    this.#incoming.break(error);
  }

  close({ isAbrupt = false }: CloseOptions = {}): Promise<void> {
    if (isAbrupt) {
      // Both readers are told of an end, as a socket that is cut tells them.
      this.#incoming.deafen();
      this.#outgoing.deafen();
      this.drop(new DeadReferenceError("Connection lost: it was cut"));
    }
    if (this.#closing !== undefined) return this.#closing;
    this.#closing = this.#ended.promise;
    this.#outgoing.finish(new DeadReferenceError("Cannot write: the connection is closed"));
    this.#incoming.deafen();
    const { clock = systemClock, closeTimeoutMs = 1_000 } = this.#options;
    if (this.#openDirections > 0) {
      this.#timer = clock.setTimer(closeTimeoutMs, () => {
        this.drop(
          new DeadReferenceError("Connection closed: the peer did not take what was written in time"),
        );
      });
    }
    return this.#closing;
  }
}

function brokenBy(reason: unknown): Error {
  return reason instanceof Error ? reason : new DeadReferenceError("Connection aborted", { cause: reason });
}
