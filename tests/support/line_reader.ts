/**
 * JSON lines, given to whoever waits for one of their kind.
 *
 * @module
 */

/** One line's object. */
export type Line = { readonly [key: string]: unknown };

interface Waiter {
  readonly fits: (line: Line) => boolean;
  readonly resolve: (line: Line) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Cuts text into JSON lines and hands each to the first waiter that it fits, or keeps it for a later one. */
export class LineReader {
  #rest = "";
  #kept: Line[] = [];
  #waiters: Waiter[] = [];
  #hasEnded = false;

  /** Whether no more text comes. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Takes the next piece of text. A line that is not a JSON object is kept as `{ text }`. */
  push(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#deliver(parse(line));
  }

  /** No more text comes: every waiter is rejected. */
  end(): void {
    this.#hasEnded = true;
    for (const waiter of this.#waiters.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.reject(new Error("The output ended"));
    }
  }

  /**
   * The first line that fits, past or future.
   *
   * @throws {Error} If the output ends, or none comes within `timeoutMs` milliseconds.
   */
  next(fits: (line: Line) => boolean, timeoutMs: number): Promise<Line> {
    const index = this.#kept.findIndex(fits);
    if (index >= 0) return Promise.resolve(this.#kept.splice(index, 1)[0]!);
    if (this.#hasEnded) return Promise.reject(new Error("The output ended"));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((waiter) => waiter.timer !== timer);
        reject(new Error(`No such line within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiters.push({ fits, resolve, reject, timer });
    });
  }

  #deliver(line: Line): void {
    const index = this.#waiters.findIndex((waiter) => waiter.fits(line));
    if (index < 0) {
      this.#kept.push(line);
      return;
    }
    const [waiter] = this.#waiters.splice(index, 1);
    clearTimeout(waiter!.timer);
    waiter!.resolve(line);
  }
}

function parse(line: string): Line {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value as Line : { text: line };
  } catch {
    return { text: line };
  }
}
