/**
 * How much waits to be written, and how much of it the peer has caused itself.
 *
 * @module
 */

/** Counts the bytes of a first-in, first-out queue by what they are for. */
export class Backlog {
  // Neighbours of one kind are one run.
  #runs: { bytes: number; readonly isReply: boolean }[] = [];
  #head = 0;
  #bytes = 0;
  #replyBytes = 0;

  /** Everything that waits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What of it answers the peer: its size is the peer's choice. */
  get replyBytes(): number {
    return this.#replyBytes;
  }

  /** More waits, behind the rest. */
  add(bytes: number, isReply: boolean): void {
    this.#bytes += bytes;
    if (isReply) this.#replyBytes += bytes;
    const last = this.#runs.at(-1);
    if (last?.isReply === isReply) last.bytes += bytes;
    else this.#runs.push({ bytes, isReply });
  }

  /** As many bytes have been written, from the front. */
  taken(bytes: number): void {
    this.#bytes -= bytes;
    let left = bytes;
    while (left > 0 && this.#head < this.#runs.length) {
      const run = this.#runs[this.#head]!;
      const part = Math.min(left, run.bytes);
      run.bytes -= part;
      left -= part;
      if (run.isReply) this.#replyBytes -= part;
      if (run.bytes === 0) this.#head++;
    }
    if (this.#head === this.#runs.length) {
      this.#runs = [];
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#runs = this.#runs.slice(this.#head);
      this.#head = 0;
    }
  }
}
