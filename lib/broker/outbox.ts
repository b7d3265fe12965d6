/**
 * What goes out on one connection: messages into the encoder, and everything of one turn in one write.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { type SlicerTable, Slicing } from "../graph/slicing.ts";
import type { Limits } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import { encodeText, truncateUtf8 } from "../util/text.ts";
import { inLaterTurn } from "../util/turn.ts";
import type { TokenEncoder } from "../wire/encoder.ts";
import { ERROR } from "../wire/tokens.ts";

/** One write is no larger than this, so that a slow peer can be told from one that does not read. */
const WRITE_BYTES = 1024 * 1024;

/** What an {@linkcode Outbox} needs. */
export interface OutboxOptions {
  readonly encoder: TokenEncoder;
  readonly slicers: SlicerTable;
  readonly writable: WritableStream<Uint8Array>;
  readonly limits: Limits;
  readonly clock: Clock;
  /** The connection has to end. */
  onFailure(error: Error): void;
  /** There is less to be written than {@linkcode Limits.pauseReadingBytes} again. */
  onDrained(): void;
}

/** The outgoing side of one connection. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #encoder: TokenEncoder;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #isScheduled = false;
  #isWriting = false;
  #isClosed = false;
  #isSlicing = false;
  #waiting: (() => void)[] = [];
  #inFlightBytes = 0;
  #writeBegan = 0;
  #watch: Disposable | undefined;
  #pongs = new Set<number | bigint>();

  /** An outbox that writes to `options.writable`. */
  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#encoder = options.encoder;
    this.#writer = options.writable.getWriter();
    // Its failure is seen at the write; nobody waits for this promise.
    this.#writer.closed.catch(() => {});
  }

  /** Bytes that the transport has not taken. */
  get queuedBytes(): number {
    return this.#encoder.pendingBytes + this.#inFlightBytes;
  }

  /** Whether so much waits that nothing more should be begun for this peer. */
  get isFull(): boolean {
    return this.queuedBytes > this.#options.limits.pauseReadingBytes;
  }

  /** Whether a message is being written right now, so that another one has to wait for it. */
  get isSlicing(): boolean {
    return this.#isSlicing;
  }

  /** Runs something when the message is complete that is being written. */
  afterMessage(run: () => void): void {
    this.#waiting.push(run);
  }

  /**
   * Writes one message, or nothing of it.
   *
   * @param write Writes the message; its failure takes everything back.
   * @param undo Takes back what the values of the message have taken elsewhere.
   * @throws {Violation} If a value cannot be sent.
   */
  message(write: (out: Slicing) => void, undo: () => void): void {
    const encoder = this.#encoder;
    const backlog = this.queuedBytes;
    const mark = encoder.mark();
    const out = new Slicing(encoder, this.#options.slicers, this.#options.limits.maxDepth);
    this.#isSlicing = true;
    try {
      write(out);
    } catch (error) {
      encoder.rollback(mark);
      undo();
      throw out.violation(error);
    } finally {
      this.#isSlicing = false;
      for (const run of this.#waiting.splice(0)) run();
    }
    this.#schedule();
    // The limit is on what a peer leaves unread, not on the size of a message.
    if (backlog > this.#options.limits.maxQueuedBytes) {
      this.#options.onFailure(new ProtocolError(`The peer left ${backlog} bytes unread`));
    }
  }

  /** Answers a PING. Many with one number are answered once a turn. */
  pong(value: number | bigint): void {
    if (this.#pongs.has(value)) return;
    this.#pongs.add(value);
    this.#encoder.pong(value);
    this.#schedule();
  }

  /** Says a last word. To be followed by {@linkcode Outbox.close}. */
  error(text: string): void {
    this.#encoder.sized(ERROR, encodeText(truncateUtf8(text.toWellFormed(), 990)));
  }

  /** Hands what is left to the transport, and takes no more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    for (const part of this.#encoder.take()) this.#writer.write(part).catch(() => {});
    this.#writer.releaseLock();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    inLaterTurn(() => {
      this.#isScheduled = false;
      if (!this.#isWriting && !this.#isClosed) this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    this.#watchProgress();
    try {
      while (this.#encoder.pendingBytes > 0 && !this.#isClosed) {
        this.#pongs.clear();
        const parts = this.#encoder.take();
        for (const part of parts) this.#inFlightBytes += part.length;
        for (const part of parts) {
          for (let at = 0; at < part.length; at += WRITE_BYTES) {
            const piece = part.length <= WRITE_BYTES ? part : part.subarray(at, at + WRITE_BYTES);
            this.#writeBegan = this.#options.clock.now();
            await this.#writer.write(piece);
            this.#inFlightBytes -= piece.length;
            if (this.#isClosed) return;
          }
        }
      }
    } catch (cause) {
      this.#isWriting = false;
      if (!this.#isClosed) {
        this.#options.onFailure(cause instanceof Error ? cause : new ProtocolError("Write failed"));
      }
      return;
    }
    this.#isWriting = false;
    this.#options.onDrained();
  }

  /** One timer watches all writes: it looks whether the one that is going on then has gone on for too long. */
  #watchProgress(): void {
    if (this.#watch !== undefined) return;
    const { clock, limits } = this.#options;
    this.#watch = clock.setTimer(limits.writeStallMs, () => {
      this.#watch = undefined;
      if (this.#isClosed || !this.#isWriting) return;
      if (clock.now() - this.#writeBegan >= limits.writeStallMs) {
        this.#options.onFailure(new ProtocolError(`The peer has not read for ${limits.writeStallMs} ms`));
      } else {
        this.#watchProgress();
      }
    });
  }
}
