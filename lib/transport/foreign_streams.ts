/**
 * Web streams that somebody else made, as a {@linkcode Connection} that keeps the whole contract.
 *
 * @module
 */

import { DeadReferenceError, toError } from "../errors.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { inTime } from "../util/in_time.ts";
import type { Connection } from "./transport.ts";

/** Two streams, and a way to end what is behind them. */
export interface ForeignStreams {
  /** What arrives: chunks that are `Uint8Array`s. Nobody else may read it. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes out. Nobody else may write to it. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends what is behind the streams. It is called once, after both streams were ended. */
  close?(): void | PromiseLike<void>;
}

/** Options of {@linkcode connectionOver}. */
export interface ConnectionOverOptions {
  /** Where the other end is, for people. */
  readonly peerAddress: string;
  /**
   * How long `close()` waits for the streams to end, in milliseconds.
   * @default 1000
   */
  readonly closeTimeoutMs?: number | undefined;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
  /** Is told what `close` of the streams throws. Must not throw. */
  onCloseFailed?(error: Error): void;
}

/**
 * Makes a connection of two streams, which it locks.
 *
 * Nothing is read before it is asked for, so that TLS may begin at any byte.
 *
 * @throws {TypeError} If a stream is none, or is locked.
 */
export function connectionOver(streams: ForeignStreams, options: ConnectionOverOptions): Connection {
  const { readable, writable } = streams;
  if (!(readable instanceof ReadableStream) || !(writable instanceof WritableStream)) {
    throw new TypeError("Cannot use the streams: they are not a ReadableStream and a WritableStream");
  }
  if (readable.locked || writable.locked) {
    throw new TypeError("Cannot use the streams: one of them is locked; release its lock first");
  }
  return new StreamConnection(streams, options);
}

class StreamConnection implements Connection {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly peerCertificate = undefined;
  readonly peerAddress: string;
  readonly #streams: ForeignStreams;
  readonly #options: ConnectionOverOptions;
  readonly #from: ReadableStreamDefaultReader<Uint8Array>;
  readonly #to: WritableStreamDefaultWriter<Uint8Array>;
  #reader!: ReadableStreamDefaultController<Uint8Array>;
  #writer!: WritableStreamDefaultController;
  #isReadOver = false;
  #isClosing = false;
  #roomWaiter: (() => void) | undefined;
  #writingEnded: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(streams: ForeignStreams, options: ConnectionOverOptions) {
    this.#streams = streams;
    this.#options = options;
    this.peerAddress = options.peerAddress;
    this.#from = streams.readable.getReader();
    this.#to = streams.writable.getWriter();
    // What breaks is told to whoever reads or writes.
    this.#from.closed.catch(() => {});
    this.#to.closed.catch((error) => this.#break(error));
    this.#to.ready.catch(() => {});
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#reader = controller),
      pull: () => this.#pull(),
      cancel: () => this.#deafen(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: 0 }));
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => void (this.#writer = controller),
      write: (chunk) => this.#write(chunk),
      close: () => this.#endWriting(),
      abort: (reason) => {
        this.#to.abort(reason).catch(() => {});
        void this.close();
      },
    });
  }

  close(): Promise<void> {
    return this.#closed ??= this.#end();
  }

  async #pull(): Promise<void> {
    for (;;) {
      let result: ReadableStreamReadResult<unknown>;
      try {
        result = await this.#from.read();
      } catch (error) {
        return this.#break(error);
      }
      if (this.#isReadOver) return;
      const { value, done } = result;
      if (done) {
        this.#isReadOver = true;
        this.#reader.close();
        // As a socket does: whoever ended the stream waits for our end before it lets go.
        return void this.close();
      }
      if (!(value instanceof Uint8Array)) {
        return this.#break(new TypeError("A stream gave a chunk that is not a Uint8Array"));
      }
      if (value.byteLength === 0) continue;
      // Without the methods of a subclass such as Buffer, whose slices share memory.
      return this.#reader.enqueue(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    }
  }

  #write(chunk: Uint8Array): Promise<void> | undefined {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("Cannot write: the chunk is not a Uint8Array");
    if (chunk.byteLength === 0) return;
    const written = this.#to.write(chunk);
    if (this.#isClosing) return void written.catch(() => {});
    return new Promise((resolve, reject) => {
      this.#roomWaiter = resolve;
      written.then(resolve, (error) => reject(lost(error)));
    });
  }

  /** The streams failed: both directions are over. */
  #break(thrown: unknown): void {
    const error = lost(thrown);
    if (!this.#isReadOver) {
      this.#isReadOver = true;
      this.#reader.error(error);
    }
    this.#writer.error(error);
    void this.close();
  }

  /** From here on what arrives is thrown away. */
  #deafen(): void {
    if (this.#isReadOver) return;
    this.#isReadOver = true;
    try {
      this.#reader.close();
    } catch {
      // The reader cancelled the stream itself.
    }
    void this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      while (!(await this.#from.read()).done);
      await this.close();
    } catch {
      // It ended all the same.
    }
  }

  #endWriting(): Promise<void> {
    return this.#writingEnded ??= this.#to.close().catch(() => {});
  }

  async #end(): Promise<void> {
    this.#isClosing = true;
    this.#deafen();
    // Writes that wait for room go on in the microtasks that follow; the end comes after them.
    this.#roomWaiter?.();
    await new Promise((settle) => setImmediate(settle));
    this.#writer.error(new DeadReferenceError("Cannot write: the connection is closed"));
    if (!await this.#inTime(this.#endWriting())) {
      const reason = new DeadReferenceError("Connection lost: it is closed");
      this.#to.abort(reason).catch(() => {});
    }
    this.#from.cancel().catch(() => {});
    // In a promise of its own: it is the program's code.
    const closing = Promise.resolve().then(() => this.#streams.close?.());
    await this.#inTime(closing.catch((error) => this.#options.onCloseFailed?.(toError(error))));
  }

  #inTime(task: Promise<unknown>): Promise<boolean> {
    const { clock = systemClock, closeTimeoutMs = 1_000 } = this.#options;
    return inTime(task, closeTimeoutMs, clock);
  }
}

function lost(thrown: unknown): DeadReferenceError {
  if (thrown instanceof DeadReferenceError) return thrown;
  const cause = toError(thrown);
  return new DeadReferenceError(`Connection lost: ${cause.message}`, { cause });
}
