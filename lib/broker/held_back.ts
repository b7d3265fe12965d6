/**
 * Helps a peer whose system holds small writes back until what went before is acknowledged (Nagle's algorithm): this end's
 * system would wait up to 40 ms with that, in case there is something to be sent with it. So a call beside one that takes
 * long would arrive 40 ms late.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";

/** How long after something has come this end may have something of its own to write, in milliseconds. */
const WAIT_MS = 1;

/** What an {@linkcode Acknowledger} needs of the broker. */
export interface AcknowledgerOptions {
  readonly clock: Clock;
  /** How many writes there have been. */
  writes(): number;
  /** Writes something that the peer ignores: the acknowledgement goes with it. */
  write(): void;
}

/** Watches one connection for what has come and was followed by no write. */
export class Acknowledger implements Disposable {
  readonly #options: AcknowledgerOptions;
  #writesThen = -1;
  #timer: Disposable | undefined;
  #isDisposed = false;

  /** Nothing has come. */
  constructor(options: AcknowledgerOptions) {
    this.#options = options;
  }

  /** Something has come. */
  arrived(): void {
    if (this.#isDisposed) return;
    this.#writesThen = this.#options.writes();
    // One timer for all that comes meanwhile: what came last may be acknowledged a little early, which does no harm.
    this.#timer ??= this.#options.clock.setTimer(WAIT_MS, () => {
      this.#timer = undefined;
      if (this.#writesThen === this.#options.writes()) this.#options.write();
    });
  }

  /** Watches no more. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
  }
}
