/**
 * Header blocks out of a byte stream, however it is cut into chunks.
 *
 * @module
 */

import { NegotiationError } from "../errors.ts";
import { endOfBlock } from "./blocks.ts";
import { Refusal } from "./refusal.ts";

/** Reads blocks and keeps what comes behind the last one. */
export class BlockReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #maxBytes: number;
  #have: Uint8Array = new Uint8Array(0);

  /** @param maxBytes The longest block, its empty line included. */
  constructor(readable: ReadableStream<Uint8Array>, maxBytes: number) {
    this.#reader = readable.getReader();
    this.#maxBytes = maxBytes;
  }

  /**
   * The next block, without its CR LF CR LF.
   *
   * Foolscap counts what is behind the block too, and refuses 4,096 bytes of both; here the block counts.
   *
   * @throws {Refusal} If the block is too long.
   * @throws {NegotiationError} If the stream ends first.
   */
  async read(): Promise<Uint8Array> {
    let searchFrom = 0;
    for (;;) {
      const end = endOfBlock(this.#have, searchFrom);
      if (end > this.#maxBytes - 4 || (end < 0 && this.#have.length > this.#maxBytes)) {
        throw new Refusal(`A header block is longer than ${this.#maxBytes} bytes`);
      }
      if (end >= 0) {
        const block = this.#have.subarray(0, end);
        this.#have = this.#have.subarray(end + 4);
        return block;
      }
      searchFrom = Math.max(0, this.#have.length - 3);
      await this.#fill();
    }
  }

  /**
   * The first byte that no block has taken, which stays there.
   *
   * @throws {NegotiationError} If the stream ends first.
   */
  async peek(): Promise<number> {
    while (this.#have.length === 0) await this.#fill();
    return this.#have[0]!;
  }

  async #fill(): Promise<void> {
    const { value, done } = await this.#reader.read();
    if (done) throw new NegotiationError("The peer closed the connection");
    this.#have = this.#have.length === 0 ? value : concat(this.#have, value);
  }

  /**
   * Gives the stream back.
   *
   * @returns What was read of it and belongs to no block.
   */
  release(): Uint8Array {
    this.#reader.releaseLock();
    return this.#have;
  }
}

/**
 * The stream with `first` put back in front of it.
 */
export function prefixed(first: Uint8Array, rest: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = rest.getReader();
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
    pull: async (controller) => {
      const { value, done } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
