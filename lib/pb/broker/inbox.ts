/**
 * What comes in on one connection: chunks into the decoder, for as long as there is room for what they ask for.
 *
 * @module
 */

import { DeadReferenceError, ProtocolError, toError } from "../../errors.ts";
import type { Clock } from "../../util/clock.ts";
import type { BananaDecoder } from "../banana/decoder.ts";
import type { PbBrokerLimits } from "../limits.ts";

/** No more is looked at in one go, so that what is too much is noticed. */
const PIECE_BYTES = 64 * 1024;

/** What an {@linkcode Inbox} needs. */
export interface InboxOptions {
  readonly readable: ReadableStream<Uint8Array>;
  readonly decoder: BananaDecoder;
  readonly limits: PbBrokerLimits;
  readonly clock: Clock;
  /** Whether there is too much to be read on before {@linkcode Inbox.resume} is called. */
  isBlocked(): boolean;
  /** Looks at what comes first. What it throws ends the stream. */
  onFirst(chunk: Uint8Array): void;
  /** The stream is over, or the peer broke the protocol. Must not throw. */
  onEnd(reason: Error): void;
}

/** The incoming side of one connection. */
export class Inbox {
  readonly #options: InboxOptions;
  #isClosed = false;
  #isWaiting = false;
  #movedAt = 0;
  #stallWatch: Disposable | undefined;
  #resume: (() => void) | undefined;

  /** A stream that is not read yet. */
  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Begins to read. */
  start(): void {
    void this.#read();
  }

  /** There may be room again. */
  resume(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Reads no more. */
  close(): void {
    this.#isClosed = true;
    this.#stallWatch?.[Symbol.dispose]();
    this.resume();
  }

  async #read(): Promise<void> {
    const { readable, decoder, isBlocked, clock } = this.#options;
    const reader = readable.getReader();
    let reason: Error;
    let isFirst = true;
    try {
      while (!this.#isClosed) {
        const { value, done } = await reader.read();
        if (done) break;
        if (isFirst) this.#options.onFirst(value);
        isFirst = false;
        for (let at = 0; at < value.length && !this.#isClosed; at += PIECE_BYTES) {
          decoder.push(value.length <= PIECE_BYTES ? value : value.subarray(at, at + PIECE_BYTES));
          while (!this.#isClosed && isBlocked()) {
            this.#isWaiting = true;
            await new Promise<void>((resolve) => this.#resume = resolve);
            this.#isWaiting = false;
            this.#movedAt = clock.now();
          }
        }
        if (!decoder.betweenExpressions) this.#watchForStall();
      }
      reason = new DeadReferenceError("The peer closed the connection");
    } catch (error) {
      reason = toError(error);
    }
    this.#options.onEnd(reason);
    // Nobody reads what may still come.
    reader.cancel().catch(() => {});
    reader.releaseLock();
  }

  #watchForStall(): void {
    const { clock, limits } = this.#options;
    this.#movedAt = clock.now();
    if (this.#isClosed) return;
    this.#stallWatch ??= clock.setTimer(limits.messageStallMs, () => this.#checkStall());
  }

  #checkStall(): void {
    const { clock, limits, decoder } = this.#options;
    this.#stallWatch = undefined;
    if (this.#isClosed || decoder.betweenExpressions) return;
    if (this.#isWaiting) return this.#watchForStall();
    const left = this.#movedAt + limits.messageStallMs - clock.now();
    if (left > 0) {
      this.#stallWatch = clock.setTimer(left, () => this.#checkStall());
      return;
    }
    this.#options.onEnd(
      new ProtocolError(`A message was begun and not gone on with for ${limits.messageStallMs} ms`),
    );
  }
}
