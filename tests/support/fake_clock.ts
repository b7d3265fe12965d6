/**
 * A clock that a test moves by hand.
 *
 * @module
 */

import type { Clock } from "../../lib/util/clock.ts";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Time stands still until {@linkcode FakeClock.advance}. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  /** @param now Where the clock begins, in milliseconds since 1970. */
  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  /** How many timers wait: zero when everything has been cleaned up. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Disposable {
    const timer = { due: this.#now + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** Moves time on, and runs what falls due, in order; timers that those set are run too if they fall due. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
    }
    this.#now = end;
  }
}
