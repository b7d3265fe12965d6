/**
 * What comes in on one connection: chunks into the receiver, for as long as there is room for what they ask for.
 *
 * @module
 */

import { DeadReferenceError, ProtocolError, toError } from "../errors.ts";
import type { Receiver } from "../graph/receiver.ts";
import type { Limits } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import { inLaterTurn } from "../util/eventual.ts";
import { lostBy } from "../util/lost.ts";

/** No more is looked at in one go, so that the calls in it can begin before too many wait. */
const PIECE_BYTES = 1024 * 1024;

/** What an {@linkcode InboundStream} needs of the broker. */
export interface InboundStreamOptions {
  readonly readable: ReadableStream<Uint8Array>;
  readonly receiver: Receiver;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Whether there is too much to be read on before {@linkcode InboundStream.resume} is called. */
  isBlocked(): boolean;
  /** Whether there is so much to be done that reading can wait for a turn. */
  isBusy(): boolean;
  /** Something has come. */
  onChunk?(): void;
  /** The stream is over, or the peer broke the protocol. Resolves when the connection is closed; never rejects. */
  onEnd(reason: Error): Promise<void>;
}

/** The incoming side of one connection. */
export class InboundStream {
  readonly #options: InboundStreamOptions;
  #isStarted = false;
  #isClosed = false;
  /** When something last came, in milliseconds since 1970; `undefined` before the first byte. */
  receivedAt: number | undefined;
  // The same for the watch over messages, which does not count the time in which nothing was read.
  #movedAt = 0;
  #isWaiting = false;
  #stallWatch: Disposable | undefined;
  #resume: (() => void) | undefined;

  /** A stream that is not read yet. */
  constructor(options: InboundStreamOptions) {
    this.#options = options;
  }

  /** Whether nothing is being read, because there is too much to be done. */
  get isPaused(): boolean {
    return this.#isWaiting;
  }

  /** Begins to read. More than once is harmless. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    void this.#read();
  }

  /** There may be room again. */
  resume(): void {
    this.#resume?.();
  }

  /** Reads no more. */
  close(): void {
    this.#isClosed = true;
    this.#stallWatch?.[Symbol.dispose]();
    this.#resume?.();
  }

  async #read(): Promise<void> {
    const { readable, receiver, clock } = this.#options;
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    let reason: Error;
    try {
      reader = readable.getReader();
      while (!this.#isClosed) {
        const { value, done } = await reader.read();
        if (done) break;
        this.receivedAt = clock.now();
        this.#options.onChunk?.();
        for (let at = 0; at < value.length && !this.#isClosed; at += PIECE_BYTES) {
          receiver.push(value.length <= PIECE_BYTES ? value : value.subarray(at, at + PIECE_BYTES));
          if (receiver.inMessage) this.#watchForStall();
          if (this.#options.isBlocked() || this.#options.isBusy()) await this.#waitForRoom();
        }
      }
      reason = lostBy("peer", new DeadReferenceError("The peer closed the connection"));
    } catch (error) {
      reason = toError(error);
      if (!(reason instanceof ProtocolError)) lostBy("network", reason);
    }
    await this.#options.onEnd(reason);
    // What is left is nobody's.
    reader?.cancel().catch(() => {});
    reader?.releaseLock();
  }

  async #waitForRoom(): Promise<void> {
    this.#isWaiting = true;
    while (!this.#isClosed) {
      if (this.#options.isBlocked()) await new Promise<void>((resolve) => this.#resume = resolve);
      else if (this.#options.isBusy()) await new Promise<void>((resolve) => inLaterTurn(resolve));
      else break;
      this.#resume = undefined;
    }
    // While it was not read the peer could not go on with its message.
    this.#isWaiting = false;
    this.#movedAt = this.#options.clock.now();
  }

  #watchForStall(): void {
    const { clock, limits } = this.#options;
    this.#movedAt = clock.now();
    if (this.#isClosed) return;
    this.#stallWatch ??= clock.setTimer(limits.messageStallMs, () => this.#checkStall());
  }

  #checkStall(): void {
    const { clock, limits, receiver } = this.#options;
    this.#stallWatch = undefined;
    if (this.#isClosed || !receiver.inMessage) return;
    if (this.#isWaiting) return this.#watchForStall();
    const left = this.#movedAt + limits.messageStallMs - clock.now();
    if (left > 0) {
      this.#stallWatch = clock.setTimer(left, () => this.#checkStall());
      return;
    }
    void this.#options.onEnd(
      new ProtocolError(`A message was begun and not gone on with for ${limits.messageStallMs} ms`),
    );
  }
}
