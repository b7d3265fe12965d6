/**
 * Calls that wait, in lines: only the first of each line goes, so that the calls of one object keep their order, and those
 * of others do not wait for it.
 *
 * @module
 */

/** A call that waits. */
export interface Waiting {
  /** Whether it could go if it were the first. */
  readonly isReady: boolean;
  /** Lets it go. */
  go(): void;
}

interface Line<W> {
  calls: (W | undefined)[];
  /** Those before it have gone. */
  head: number;
  /** Those behind it that have gone all the same: never more than half of them. */
  holes: number;
}

/** The lines of one connection, by what they wait for. */
export class WaitingLines<W extends Waiting> {
  readonly #lines = new Map<object, Line<W>>();
  readonly #gone = new WeakSet<W>();
  #size = 0;

  /** How many calls wait. */
  get size(): number {
    return this.#size;
  }

  /** Whether anybody waits in a line. */
  has(key: object): boolean {
    return this.#size > 0 && this.#lines.has(key);
  }

  /** Puts a call at the end of a line. */
  add(key: object, call: W): void {
    const line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, { calls: [call], head: 0, holes: 0 });
    else line.calls.push(call);
    this.#size++;
  }

  /** All calls that wait, line by line. */
  *[Symbol.iterator](): IterableIterator<W> {
    for (const { calls, head } of this.#lines.values()) {
      for (let i = head; i < calls.length; i++) if (!this.#gone.has(calls[i]!)) yield calls[i]!;
    }
  }

  /** Lets a call go, wherever in its line it is. Those behind it may go then as well. */
  leave(key: object, call: W): void {
    const line = this.#lines.get(key);
    if (line === undefined || this.#gone.has(call)) return;
    line.holes++;
    this.#go(call);
    this.advance(key);
    if (line.holes * 2 <= line.calls.length - line.head) return;
    line.calls = line.calls.slice(line.head).filter((call) => !this.#gone.has(call!));
    line.head = line.holes = 0;
  }

  /** Lets those go who are first and ready. */
  advance(key: object): void {
    const line = this.#lines.get(key);
    if (line === undefined) return;
    while (line.head < line.calls.length) {
      const call = line.calls[line.head]!;
      const hasGone = this.#gone.has(call);
      if (!hasGone && !call.isReady) break;
      line.calls[line.head++] = undefined;
      if (hasGone) line.holes--;
      else this.#go(call);
      // Letting one go may end the connection.
      if (this.#lines.get(key) !== line) return;
    }
    if (line.head === line.calls.length) this.#lines.delete(key);
    else if (line.head > 1024) {
      line.calls = line.calls.slice(line.head);
      line.head = 0;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#lines.clear();
    this.#size = 0;
  }

  #go(call: W): void {
    this.#gone.add(call);
    this.#size--;
    call.go();
  }
}
