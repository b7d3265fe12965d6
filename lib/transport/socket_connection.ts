/**
 * A node stream, plain or TLS, as a {@linkcode Connection}: two web streams made by hand, because what
 * `Duplex.toWeb` makes costs more and hides the end of the stream.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import { DeadReferenceError, toError } from "../errors.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import type { CloseOptions, Connection } from "./transport.ts";

/** Bytes that are read ahead of the reader in flowing mode. */
const READ_AHEAD_BYTES = 256 * 1024;

/** Options of {@linkcode SocketConnection}. */
export interface SocketConnectionOptions {
  /** Where the other end is, for people. */
  readonly peerAddress: string;
  /** DER of the peer's certificate, where there is TLS. */
  readonly peerCertificate?: Uint8Array | undefined;
  /**
   * Whether nothing is taken from the node stream before the reader asks for it. So it must be as long
   * as the stream may still become a TLS stream: a chunk that was read ahead would be lost to TLS.
   * @default false: data flows, up to 256 KiB ahead
   */
  readonly isReadOnDemand?: boolean | undefined;
  /** What TLS runs on: it is paused with the node stream, and ended and waited for after it. */
  readonly below?:
    | { close(options?: CloseOptions): Promise<void>; setReading(isOn: boolean): void }
    | undefined;
  /**
   * How long `close()` waits for the peer, in milliseconds.
   * @default 1000
   */
  readonly closeTimeoutMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/** A connection over a node stream, which belongs to it from here on. */
export class SocketConnection implements Connection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly peerCertificate: Uint8Array | undefined;
  readonly peerAddress: string;
  readonly #socket: Duplex;
  readonly #options: SocketConnectionOptions;
  readonly #closed = Promise.withResolvers<void>();
  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;
  #error: Error | undefined;
  #roomWaiter: (() => void) | undefined;
  #readWaiter: (() => void) | undefined;
  #isReadOver = false;
  #isWriteOver = false;
  #isClosing = false;
  #isAbrupt = false;
  #isClosed = false;
  #isDetached = false;
  #closeTimer: Disposable | undefined;

  /** Wraps an open node stream that nobody reads. */
  constructor(socket: Duplex, options: SocketConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.peerAddress = options.peerAddress;
    this.peerCertificate = options.peerCertificate;
    const isOnDemand = options.isReadOnDemand === true;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#reader = controller;
      },
      pull: () => isOnDemand ? this.#readOnDemand() : this.#resume(),
      cancel: () => this.#deafen(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: isOnDemand ? 0 : READ_AHEAD_BYTES }));
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#writer = controller;
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#end(),
      abort: (reason) => {
        this.#error ??= toError(reason);
        this.#socket.destroy();
      },
    });
    socket.on("error", this.#onError).on("end", this.#onEnd).on("close", this.#onClose);
    if (!isOnDemand) socket.on("data", this.#onData);
  }

  /**
   * Takes the node stream back, for TLS to run on. The two web streams are over then; nothing was read
   * from the node stream that did not reach their reader.
   *
   * @throws {TypeError} If a stream is locked, the connection is closed, or it reads ahead.
   */
  detach(): Duplex {
    if (this.readable.locked || this.writable.locked) {
      throw new TypeError("Cannot start TLS: a stream of the connection is locked; release its lock first");
    }
    if (this.#isClosing || this.#isClosed || this.#isDetached || this.#socket.destroyed) {
      throw new TypeError("Cannot start TLS: the connection is closed");
    }
    if (this.#options.isReadOnDemand !== true) {
      throw new TypeError("Cannot start TLS: the connection may have read ahead");
    }
    this.#isDetached = true;
    const socket = this.#socket;
    this.#forget();
    this.#isReadOver = this.#isWriteOver = true;
    this.#reader.close();
    this.#writer.error(new TypeError("Cannot write: the connection has been given to TLS"));
    this.#closed.resolve();
    return socket;
  }

  /** Ends the connection as the contract says. */
  close({ isAbrupt = false }: CloseOptions = {}): Promise<void> {
    if (isAbrupt && !this.#isAbrupt && !this.#isDetached) this.#cut();
    if (this.#isClosing || this.#isClosed || this.#isDetached) return this.#closed.promise;
    this.#isClosing = true;
    this.#deafen();
    const { clock = systemClock, closeTimeoutMs = 1_000 } = this.#options;
    this.#closeTimer = clock.setTimer(closeTimeoutMs, () => this.#socket.destroy());
    // Writes that wait for room go to the socket in the microtasks that follow; the end comes after them.
    this.#onRoom();
    setImmediate(() => {
      if (this.#isClosed) return;
      this.#end();
      this.#writer.error(new DeadReferenceError("Cannot write: the connection is closed"));
    });
    return this.#closed.promise;
  }

  #cut(): void {
    this.#isAbrupt = true;
    // Who reads is told of an end, as by any close() of ours.
    if (!this.#isClosed) this.#deafen();
    this.#socket.destroy();
    void this.#options.below?.close({ isAbrupt: true });
  }

  #write(chunk: Uint8Array): Promise<void> | undefined {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("Cannot write: the chunk is not a Uint8Array");
    if (chunk.byteLength === 0) return;
    if (this.#isClosed || this.#isWriteOver) throw this.#lost();
    if (this.#isClosing) return void this.#socket.write(chunk);
    // One at a time: what node queues it may join, and a decision block must stay a TLS record of its own.
    return new Promise((resolve) => {
      this.#roomWaiter = resolve;
      this.#socket.write(chunk, this.#onRoom);
    });
  }

  #end(): void {
    if (this.#isWriteOver) return;
    this.#isWriteOver = true;
    this.#socket.end(() => {
      // Both directions are over: what the kernel has is sent, and there is nothing to wait for.
      if (this.#socket.readableEnded) this.#socket.destroy();
    });
  }

  /** From here on what arrives is thrown away; the end of the stream is still noticed. */
  #deafen(): void {
    if (!this.#isReadOver) {
      this.#isReadOver = true;
      try {
        this.#reader.close();
      } catch {
        // The reader cancelled the stream itself.
      }
    }
    this.#settleRead();
    this.#socket.removeListener("readable", this.#onReadable);
    // A listener, because removing the other one stops a stream that has none, a tick from now.
    this.#socket.on("data", ignore).resume();
    this.#options.below?.setReading(true);
  }

  #readOnDemand(): Promise<void> | undefined {
    if (this.#takeChunk()) return;
    return new Promise((resolve) => {
      this.#readWaiter = resolve;
      this.#socket.on("readable", this.#onReadable);
    });
  }

  #takeChunk(): boolean {
    const chunk: Uint8Array | null = this.#socket.read();
    if (chunk === null || this.#isReadOver) return this.#isReadOver;
    this.#reader.enqueue(asPlainBytes(chunk));
    return true;
  }

  #resume(): void {
    if (!this.#socket.isPaused()) return;
    this.#socket.resume();
    this.#options.below?.setReading(true);
  }

  readonly #onReadable = () => {
    if (!this.#takeChunk()) return;
    // With no listener left node buffers what comes next, for the next read or for TLS.
    this.#socket.removeListener("readable", this.#onReadable);
    this.#settleRead();
  };

  readonly #onData = (chunk: Uint8Array) => {
    if (this.#isReadOver || chunk.byteLength === 0) return;
    this.#reader.enqueue(asPlainBytes(chunk));
    if ((this.#reader.desiredSize ?? 0) > 0) return;
    this.#socket.pause();
    this.#options.below?.setReading(false);
  };

  readonly #onRoom = () => {
    this.#roomWaiter?.();
    this.#roomWaiter = undefined;
  };

  readonly #onError = (error: Error) => {
    this.#error ??= error;
    // Deno's TLS says that a record is bad, and leaves the stream as it is: nothing would ever come of it again.
    this.#socket.destroy();
  };

  readonly #onEnd = () => {
    if (!this.#isReadOver) {
      this.#isReadOver = true;
      this.#reader.close();
      this.#settleRead();
    }
    // A Python peer that ended the stream waits for our end before it lets go.
    if (this.#isWriteOver && this.#socket.writableFinished) this.#socket.destroy();
    else this.close();
  };

  readonly #onClose = () => {
    this.#isClosed = true;
    this.#forget();
    const lost = this.#lost();
    if (!this.#isReadOver) {
      this.#isReadOver = true;
      this.#reader.error(lost);
    }
    this.#isWriteOver = true;
    this.#writer.error(lost);
    this.#onRoom();
    this.#settleRead();
    const { below } = this.#options;
    if (below === undefined) this.#closed.resolve();
    else below.close({ isAbrupt: this.#isAbrupt }).then(() => this.#closed.resolve());
  };

  #settleRead(): void {
    this.#readWaiter?.();
    this.#readWaiter = undefined;
  }

  #lost(): Error {
    if (this.#error === undefined) return new DeadReferenceError("Connection lost: it is closed");
    if (this.#error instanceof DeadReferenceError) return this.#error;
    return new DeadReferenceError(`Connection lost: ${this.#error.message}`, { cause: this.#error });
  }

  /** Drops the listeners, but never leaves a node stream without one for errors. */
  #forget(): void {
    this.#closeTimer?.[Symbol.dispose]();
    const socket = this.#socket;
    socket.removeListener("readable", this.#onReadable).removeListener("data", this.#onData)
      .removeListener("end", this.#onEnd).removeListener("close", this.#onClose);
  }
}

function ignore(): void {}

/** The same bytes without node's `Buffer` methods, which share memory where `Uint8Array`'s copy it. */
function asPlainBytes(chunk: Uint8Array): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
