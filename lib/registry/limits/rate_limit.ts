/**
 * Only so many calls in a time.
 *
 * @module
 */

import type { Clock } from "../../util/clock.ts";
import type { Limit, LimitedCall } from "../limit.ts";
import { cannotCall } from "./cannot_call.ts";

/** How many calls in which time. */
export interface CallRate {
  /** Calls that can be made at once, and in `perMs` again. */
  readonly calls: number;
  /** In milliseconds. */
  readonly perMs: number;
}

/** Rounding, where times have fractions, must not make a caller wait a millisecond more than it was told. */
const ROUNDING = 1e-9;

/**
 * A bucket that fills evenly, and of which each call takes as much as flows in `perMs / calls`. What is in it is counted in
 * parts of a call of which there are `calls` in a millisecond: so whole numbers stay whole, and nothing is won, or lost, by
 * looking often.
 */
export class RateLimit implements Limit {
  readonly kind = "rate";
  readonly #rate: CallRate;
  readonly #clock: Clock;
  #level: number;
  #filledAt: number;

  /** @param calls How many are in the bucket: it is full, or empty if it is not known how many were made just before. */
  constructor(rate: CallRate, clock: Clock, calls: number = rate.calls) {
    this.#rate = rate;
    this.#clock = clock;
    this.#level = calls * rate.perMs;
    this.#filledAt = clock.now();
  }

  refuses({ method }: LimitedCall): string | undefined {
    this.#fill();
    const { calls, perMs } = this.#rate;
    const missing = perMs - this.#level;
    if (missing <= Math.min(perMs, calls) * ROUNDING) return undefined;
    const waitMs = Math.max(1, Math.ceil(missing / calls - ROUNDING));
    return `${cannotCall(method)}: more than ${calls} calls in ${perMs} ms; try again in ${waitMs} ms`;
  }

  count(): void {
    this.#level -= this.#rate.perMs;
  }

  #fill(): void {
    const now = this.#clock.now();
    const { calls, perMs } = this.#rate;
    // A clock that was set back gives nothing, and takes nothing.
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    this.#level = Math.min(calls * perMs, this.#level + elapsed * calls);
  }
}
