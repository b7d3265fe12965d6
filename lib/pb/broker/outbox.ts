/**
 * What goes out on one connection: messages into the encoder, and everything of one turn in one write.
 *
 * @module
 */

import { ProtocolError, toError } from "../../errors.ts";
import type { Clock } from "../../util/clock.ts";
import { atEndOfTurn } from "../../util/end_of_turn.ts";
import type { BananaEncoder } from "../banana/encoder.ts";
import type { PbBrokerLimits } from "../limits.ts";

/** One write is no larger than this, so that a slow peer can be told from one that does not read. */
const WRITE_BYTES = 1024 * 1024;

/** What an {@linkcode Outbox} needs. */
export interface OutboxOptions {
  readonly encoder: BananaEncoder;
  readonly writable: WritableStream<Uint8Array>;
  readonly limits: PbBrokerLimits;
  readonly clock: Clock;
  /** The connection has to end. */
  onFailure(error: Error): void;
  /** There are fewer answers to be written than {@linkcode PbBrokerLimits.pauseReadingBytes} again. */
  onDrained(): void;
}

/** One message to be written. */
export interface OutgoingMessage {
  /** Whether the peer asked for it, so that its limits are those of a peer that does not read. */
  readonly isReply: boolean;
  /** Writes it whole. What it throws takes the message back. */
  write(encoder: BananaEncoder): void;
  /** It was not sent, and nothing of it. Must not throw. */
  failed(error: Error): void;
}

/** The outgoing side of one connection. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  // Bytes of answers that the peer has not taken yet: those in the encoder, and those that were taken from it to be written.
  #replyBytes = 0;
  #replyBytesTaken = 0;
  #waiting: OutgoingMessage[] = [];
  #isInMessage = false;
  #isScheduled = false;
  #isWriting = false;
  #isClosed = false;
  #rest: Uint8Array[] = [];
  #writeBegan = 0;
  #watch: Disposable | undefined;
  #drained: PromiseWithResolvers<void> | undefined;

  /** An outbox that writes to `options.writable`. */
  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#writer = options.writable.getWriter();
    // Its failure is seen at the write; nobody waits for this promise.
    this.#writer.closed.catch(() => {});
  }

  /** Whether so many answers wait that nothing more should be begun for this peer. */
  get isFull(): boolean {
    return this.#replyBytes + this.#replyBytesTaken > this.#options.limits.pauseReadingBytes;
  }

  /** Resolves when nothing waits to be written, or the outbox is closed. */
  whenDrained(): Promise<void> {
    const isIdle = !this.#isWriting && this.#options.encoder.position === 0;
    if (this.#isClosed || isIdle) return Promise.resolve();
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  /**
   * Writes one message, or nothing of it. One that code of the program asks for while another is being written comes after
   * that.
   */
  message(message: OutgoingMessage): void {
    if (this.#isInMessage) return void this.#waiting.push(message);
    this.#isInMessage = true;
    this.#write(message);
    // Messages that were asked for while this one was written. Mostly there are none.
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#write(next);
    }
    this.#isInMessage = false;
  }

  /** Hands what is left to the transport, whole messages only, and takes no more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tellDrained();
    this.#watch?.[Symbol.dispose]();
    // A message that is being written right now is not whole, and is taken back.
    if (!this.#isInMessage) this.#takeAll();
    for (const piece of this.#rest.splice(0)) this.#writer.write(piece).catch(() => {});
    this.#writer.releaseLock();
  }

  #write(message: OutgoingMessage): void {
    const { encoder, limits } = this.#options;
    const start = encoder.position;
    try {
      if (this.#isClosed) throw new ProtocolError("Cannot send: the connection is closed");
      message.write(encoder);
    } catch (error) {
      if (encoder.position >= start) encoder.rollback(start);
      message.failed(toError(error));
      return;
    }
    if (this.#isClosed) return encoder.rollback(start);
    if (message.isReply) {
      // One answer may be as large as it is: the limit is on what waits already.
      const unread = this.#replyBytes + this.#replyBytesTaken;
      this.#replyBytes += encoder.position - start;
      if (unread > limits.maxQueuedBytes) {
        return this.#options.onFailure(new ProtocolError(`The peer left ${unread} bytes unread`));
      }
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isWriting || this.#isClosed) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      if (!this.#isWriting && !this.#isClosed) void this.#flush();
    });
  }

  #takeAll(): void {
    const { encoder } = this.#options;
    if (encoder.position === 0) return;
    const bytes = encoder.take();
    this.#replyBytesTaken += this.#replyBytes;
    this.#replyBytes = 0;
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
      this.#rest.push(bytes.subarray(at, at + WRITE_BYTES));
    }
  }

  async #flush(): Promise<void> {
    const { encoder, clock, limits, onDrained, onFailure } = this.#options;
    this.#isWriting = true;
    this.#watchProgress(limits.writeStallMs);
    try {
      while (!this.#isClosed && encoder.position > 0) {
        this.#takeAll();
        while (this.#rest.length > 0) {
          this.#writeBegan = clock.now();
          await this.#writer.write(this.#rest.shift()!);
          if (this.#isClosed) return;
        }
        this.#replyBytesTaken = 0;
        if (!this.isFull) onDrained();
      }
    } catch (error) {
      if (!this.#isClosed) onFailure(toError(error));
    }
    this.#isWriting = false;
    this.#tellDrained();
  }

  #tellDrained(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** One timer watches all writes: it looks whether the one that is going on then has gone on for too long. */
  #watchProgress(delayMs: number): void {
    if (this.#watch !== undefined) return;
    const { clock, limits } = this.#options;
    this.#watch = clock.setTimer(delayMs, () => {
      this.#watch = undefined;
      if (this.#isClosed || !this.#isWriting) return;
      const left = this.#writeBegan + limits.writeStallMs - clock.now();
      if (left > 0) return this.#watchProgress(left);
      this.#options.onFailure(new ProtocolError(`The peer has not read for ${limits.writeStallMs} ms`));
    });
  }
}
