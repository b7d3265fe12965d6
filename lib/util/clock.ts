/**
 * Time as something that is handed in, so that tests run without waiting.
 *
 * @module
 */

/** The time and the timers that the library uses. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z. */
  now(): number;
  /**
   * Runs `callback` once, `delayMs` milliseconds from now.
   *
   * A timer alone does not keep the process alive, unless `keepsAlive` is true: something that the program asked for
   * is still to come.
   *
   * @returns Disposing it stops the timer; more than once is harmless.
   */
  setTimer(delayMs: number, callback: () => void, keepsAlive?: boolean): Disposable;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(delayMs, callback, keepsAlive = false) {
    const id = setTimeout(callback, delayMs);
    // A Tub that only waits for a timer must not hold a finished program open.
    if (!keepsAlive) Deno.unrefTimer(id);
    return { [Symbol.dispose]: () => clearTimeout(id) };
  },
};
