/**
 * How long to wait before something is tried again: longer after each failure, and never quite as long as others do.
 *
 * Source: Foolscap `reconnector.py`; Twisted, `ReconnectingClientFactory`.
 *
 * @module
 */

import type { RandomBytes } from "../util/random_bytes.ts";

/** How the waits grow. */
export interface BackoffOptions {
  /**
   * The wait after a success, in milliseconds.
   * @default 1000
   */
  readonly initialDelayMs?: number | undefined;
  /**
   * No wait grows beyond this, in milliseconds, but for its random part.
   * @default 3_600_000
   */
  readonly maxDelayMs?: number | undefined;
  /**
   * How much longer each wait is than the one before.
   * @default 2.7182818284590451
   */
  readonly factor?: number | undefined;
  /**
   * The standard deviation of a wait, as a part of it; 0 for waits that all are alike.
   * @default 0.11962656492
   */
  readonly jitter?: number | undefined;
}

/** The longest time that a timer can wait. */
const MAX_TIMER_MS = 0x7fffffff;

/** The waits between attempts. */
export class Backoff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #factor: number;
  readonly #jitter: number;
  readonly #randomBytes: RandomBytes;
  #delayMs: number;

  /**
   * The first wait is the initial one.
   *
   * @throws {RangeError} If an option is not a number of its kind.
   */
  constructor(options: BackoffOptions, randomBytes: RandomBytes) {
    const { initialDelayMs = 1_000, maxDelayMs = 3_600_000, factor = Math.E, jitter = 0.11962656492 } =
      options;
    check("initialDelayMs", initialDelayMs, 0, MAX_TIMER_MS);
    check("maxDelayMs", maxDelayMs, 0, MAX_TIMER_MS);
    check("factor", factor, 1, 1_000);
    check("jitter", jitter, 0, 1);
    this.#initialMs = this.#delayMs = initialDelayMs;
    this.#maxMs = maxDelayMs;
    this.#factor = factor;
    this.#jitter = jitter;
    this.#randomBytes = randomBytes;
  }

  /** The wait before the next attempt, in whole milliseconds. */
  get delayMs(): number {
    return Math.round(this.#delayMs);
  }

  /** An attempt has failed: the next wait is longer. What chance makes of it is what the one after that grows from. */
  grow(): void {
    const delay = Math.min(this.#delayMs * this.#factor, this.#maxMs);
    const varied = delay + delay * this.#jitter * this.#normal();
    this.#delayMs = Math.min(Math.max(0, varied), MAX_TIMER_MS);
  }

  /** All is well again. */
  reset(): void {
    this.#delayMs = this.#initialMs;
  }

  /** A number of the normal distribution with mean 0 and deviation 1 (Box and Muller). */
  #normal(): number {
    if (this.#jitter === 0) return 0;
    // From 1 to 2^32, over 2^32: never 0, whose logarithm is none.
    const [a, b] = [this.#uniform(), this.#uniform()];
    return Math.sqrt(-2 * Math.log(a)) * Math.cos(2 * Math.PI * b);
  }

  #uniform(): number {
    const bytes = this.#randomBytes(4);
    const whole = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    return (whole + 1) / 2 ** 32;
  }
}

function check(name: string, value: number, min: number, max: number): void {
  if (typeof value === "number" && value >= min && value <= max) return;
  throw new RangeError(`Cannot connect: ${name} is not a number from ${min} to ${max}`);
}
