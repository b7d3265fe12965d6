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
import { atEndOfTurn } from "../util/end_of_turn.ts";
import type { EncoderMark, TokenEncoder } from "../wire/encoder.ts";
import { ERROR, PING } from "../wire/tokens.ts";
import { Backlog } from "./backlog.ts";

/** One write is no larger than this, so that a slow peer can be told from one that does not read. */
const WRITE_BYTES = 1024 * 1024;
/** A peer that takes less than one write in this time is too slow for a program that goes on calling. */
const SLOW_WRITE_MS = 1_000;
/**
 * What is written without a pause for longer than this goes on because the peer takes it: by then what the two
 * systems hold for it is full. A short write tells nothing of the peer.
 */
const LONG_RUN_MS = 100;
/** PINGs of different numbers that are remembered until the next write, to be answered once. */
const REMEMBERED_PINGS = 16;
/** Bytes of the text of an ERROR token. */
const LAST_WORD_BYTES = 990;

/** What an {@linkcode Outbox} needs. */
export interface OutboxOptions {
  /**
   * Bytes of one write: how finely the progress of a slow peer is seen.
   * @default 1 MiB
   */
  readonly writeBytes?: number | undefined;
  readonly encoder: TokenEncoder;
  readonly slicers: SlicerTable;
  readonly writable: WritableStream<Uint8Array>;
  readonly limits: Limits;
  readonly clock: Clock;
  /** The connection has to end. */
  onFailure(error: Error): void;
  /** There are fewer answers to be written than {@linkcode Limits.pauseReadingBytes} again. */
  onDrained(): void;
}

/** One message to be written. */
export interface OutgoingMessage {
  /** Whether the peer asked for it, so that its limits are those of a peer that does not read. */
  readonly isReply: boolean;
  /** Writes it; its failure takes everything back. */
  write(out: Slicing): void;
  /** Takes back what its values have taken elsewhere. */
  undo(): void;
}

/** The outgoing side of one connection. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #encoder: TokenEncoder;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #backlog = new Backlog();
  #isScheduled = false;
  #isWriting = false;
  #isClosed = false;
  // Where the message began that is being written right now.
  #mark: EncoderMark | undefined;
  readonly #deferred: (() => void)[] = [];
  #isRunningDeferred = false;
  // What was taken from the encoder and not given to the stream, the next one last.
  #pieces: Uint8Array[] = [];
  #writeBegan = 0;
  /** When the peer was last seen to take what was sent, in milliseconds since 1970. */
  takenAt = -Infinity;
  /** How many writes the stream was given. */
  writes = 0;
  #watch: Disposable | undefined;
  readonly #pongs = new Set<number | bigint>();

  /** An outbox that writes to `options.writable`. */
  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#encoder = options.encoder;
    this.#writer = options.writable.getWriter();
    // Its failure is seen at the write; nobody waits for this promise.
    this.#writer.closed.catch(() => {});
  }

  /** Whether so many answers wait that nothing more should be begun for this peer. */
  get isFull(): boolean {
    return this.#backlog.replyBytes > this.#options.limits.pauseReadingBytes;
  }

  /** Whether a message is being written right now, so that another one has to wait for it. */
  get isSlicing(): boolean {
    return this.#mark !== undefined;
  }

  /** Runs something when the message is complete that is being written. It must not throw. */
  afterMessage(run: () => void): void {
    this.#deferred.push(run);
  }

  /**
   * Writes one message, or nothing of it.
   *
   * @returns Its length, in bytes.
   * @throws {Violation} If a value cannot be sent.
   */
  message(message: OutgoingMessage): number {
    const encoder = this.#encoder;
    const before = encoder.pendingBytes;
    const mark = this.#mark = encoder.mark();
    const out = new Slicing(encoder, this.#options.slicers, this.#options.limits.maxDepth);
    try {
      message.write(out);
      if (!this.#isClosed) this.#checkBacklog(message.isReply);
      if (this.#isClosed) return 0;
      const bytes = encoder.pendingBytes - before;
      this.#backlog.add(bytes, message.isReply);
      this.#schedule();
      return bytes;
    } catch (error) {
      if (!this.#isClosed) encoder.rollback(mark);
      message.undo();
      throw out.violation(error);
    } finally {
      this.#mark = undefined;
      this.#runDeferred();
    }
  }

  /** Answers a PING. Many with one number are answered once a turn; none while the peer leaves answers unread. */
  pong(value: number | bigint): void {
    if (this.isFull || this.#pongs.has(value) || this.#isClosed) return;
    if (this.#pongs.size < REMEMBERED_PINGS) this.#pongs.add(value);
    const before = this.#encoder.pendingBytes;
    this.#encoder.pong(value);
    this.#backlog.add(this.#encoder.pendingBytes - before, true);
    this.#schedule();
  }

  /** Asks the peer for a sign of life. */
  ping(): void {
    if (this.#isClosed || this.isSlicing) return;
    const before = this.#encoder.pendingBytes;
    this.#encoder.bare(PING, 0);
    this.#backlog.add(this.#encoder.pendingBytes - before, false);
    this.#schedule();
  }

  /** Says a last word. To be followed by {@linkcode Outbox.close}. */
  error(text: string): void {
    if (this.isSlicing) return;
    this.#encoder.sized(ERROR, encodeText(truncateUtf8(text.toWellFormed(), LAST_WORD_BYTES)));
  }

  /** Hands what is left to the transport, whole messages only, and takes no more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    if (this.#mark !== undefined) this.#encoder.rollback(this.#mark);
    const rest = [...this.#pieces.reverse(), ...this.#encoder.take()];
    for (const piece of rest) this.#writer.write(piece).catch(() => {});
    this.#pieces = [];
    this.#writer.releaseLock();
  }

  /** The limit is on what a peer leaves unread: not on the size of a message, nor on what is sent at one go. */
  #checkBacklog(isReply: boolean): void {
    const { limits, clock } = this.#options;
    const unread = isReply ? this.#backlog.replyBytes : this.#backlog.bytes;
    if (unread <= limits.maxQueuedBytes) return;
    if (!isReply && !(this.#isWriting && clock.now() - this.#writeBegan >= SLOW_WRITE_MS)) return;
    this.#options.onFailure(new ProtocolError(`The peer left ${unread} bytes unread`));
  }

  #runDeferred(): void {
    if (this.#isRunningDeferred) return;
    this.#isRunningDeferred = true;
    for (let run = this.#deferred.shift(); run !== undefined; run = this.#deferred.shift()) run();
    this.#isRunningDeferred = false;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isWriting || this.#isClosed) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      if (!this.#isWriting && !this.#isClosed) void this.#write();
    });
  }

  async #write(): Promise<void> {
    const { clock, limits } = this.#options;
    this.#isWriting = true;
    this.#watchProgress(limits.writeStallMs);
    const began = this.#writeBegan = clock.now();
    try {
      for (let piece = this.#nextPiece(); piece !== undefined; piece = this.#nextPiece()) {
        this.writes++;
        await this.#writer.write(piece);
        if (this.#isClosed) return;
        this.#writeBegan = clock.now();
        if (this.#writeBegan - began > LONG_RUN_MS) this.takenAt = this.#writeBegan;
        this.#backlog.taken(piece.length);
        if (!this.isFull) this.#options.onDrained();
      }
    } catch (cause) {
      if (!this.#isClosed) {
        this.#options.onFailure(
          cause instanceof Error ? cause : new ProtocolError("Cannot write to the connection", { cause }),
        );
      }
    }
    this.#isWriting = false;
  }

  #nextPiece(): Uint8Array | undefined {
    if (this.#pieces.length === 0) {
      if (this.#isClosed || this.#encoder.pendingBytes === 0) return undefined;
      this.#pongs.clear();
      const { writeBytes = WRITE_BYTES } = this.#options;
      this.#pieces = this.#encoder.take().flatMap((part) => inWrites(part, writeBytes)).reverse();
    }
    return this.#pieces.pop();
  }

  /** One timer watches all writes: it looks whether the one that is going on then has gone on for too long. */
  #watchProgress(delayMs: number): void {
    if (this.#watch !== undefined || this.#isClosed) return;
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

function inWrites(part: Uint8Array, writeBytes: number): Uint8Array[] {
  if (part.length <= writeBytes) return [part];
  const count = Math.ceil(part.length / writeBytes);
  return Array.from({ length: count }, (_, i) => part.subarray(i * writeBytes, (i + 1) * writeBytes));
}
