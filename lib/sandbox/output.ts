/**
 * What a sandbox prints, line by line, in bounds.
 *
 * @module
 */

import { MAX_SANDBOX_LAST_LINES, MAX_SANDBOX_LINE, MAX_SANDBOX_LINES_PER_SECOND } from "../limits.ts";
import type { Clock } from "../util/clock.ts";

/**
 * Reads lines to the end. A line that is too long is cut. Never rejects.
 *
 * @param onLine Must not throw.
 * @param signal Ends it before the stream does.
 */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const decoder = new TextDecoderStream() as TransformStream<Uint8Array, string>;
  let line = "";
  const take = (text: string) => {
    if (line.length < MAX_SANDBOX_LINE) line += text.slice(0, MAX_SANDBOX_LINE - line.length);
  };
  try {
    for await (const piece of stream.pipeThrough(decoder, { signal })) {
      let start = 0;
      for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", start)) {
        take(piece.slice(start, end));
        onLine(line);
        line = "";
        start = end + 1;
      }
      take(piece.slice(start));
    }
  } catch {
    // A pipe that breaks is one that ends.
  }
  if (line !== "") onLine(line);
}

/** Hands lines on, not too many a second, and keeps the last ones. */
export class BoundedLines {
  readonly #clock: Clock;
  readonly #onLine: (line: string) => void;
  #last: string[] = [];
  #second = 0;
  #count = 0;

  /** @param onLine Must not throw. */
  constructor(clock: Clock, onLine: (line: string) => void) {
    this.#clock = clock;
    this.#onLine = onLine;
  }

  /** The lines that came last. */
  get last(): readonly string[] {
    return this.#last;
  }

  /** Takes a line. */
  add(line: string): void {
    this.#last.push(line);
    if (this.#last.length > MAX_SANDBOX_LAST_LINES) this.#last.shift();
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) this.#count = 0;
    this.#second = second;
    if (++this.#count <= MAX_SANDBOX_LINES_PER_SECOND) this.#onLine(line);
  }
}
