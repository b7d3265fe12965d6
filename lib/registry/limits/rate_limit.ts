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

/** A bucket of tokens, one a call, that fills evenly. */
export class RateLimit implements Limit {
  readonly kind = "rate";
  readonly #rate: CallRate;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  /** @param tokens What is in the bucket: full, or empty if it is not known how many calls were made just before. */
  constructor(rate: CallRate, clock: Clock, tokens: number = rate.calls) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = tokens;
    this.#filledAt = clock.now();
  }

  refuses({ method }: LimitedCall): string | undefined {
    this.#fill();
    if (this.#tokens >= 1) return undefined;
    const { calls, perMs } = this.#rate;
    const waitMs = Math.max(1, Math.ceil((1 - this.#tokens) * perMs / calls));
    return `${cannotCall(method)}: more than ${calls} calls in ${perMs} ms; try again in ${waitMs} ms`;
  }

  count(): void {
    this.#tokens--;
  }

  #fill(): void {
    const now = this.#clock.now();
    const { calls, perMs } = this.#rate;
    // A clock that was set back gives nothing, and takes nothing.
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    const filled = this.#tokens + elapsed * calls / perMs;
    // Parts of a token that were lost to rounding must not make a caller wait a millisecond more than it was told.
    this.#tokens = Math.min(calls, Math.round(filled * 1e9) / 1e9);
  }
}
