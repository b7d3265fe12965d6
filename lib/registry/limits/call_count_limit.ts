/**
 * Only so many calls.
 *
 * @module
 */

import type { Limit, LimitedCall } from "../limit.ts";
import { cannotCall } from "./cannot_call.ts";

/**
 * Writes down that calls are used.
 *
 * @returns How many are written down as used now: more than `used`.
 * @throws {StoreError} If that is not possible: the call does not pass then.
 */
export type CountJournal = (used: number, maxCalls: number) => number;

/** Lets a number of calls pass, ever. */
export class CallCountLimit implements Limit {
  readonly kind = "maxCalls";
  readonly #maxCalls: number;
  readonly #journal: CountJournal | undefined;
  #used: number;
  #written: number;

  /**
   * @param used How many have passed already.
   * @param journal Is told before a call passes.
   */
  constructor(maxCalls: number, used?: number, journal?: CountJournal) {
    this.#maxCalls = maxCalls;
    this.#used = this.#written = used ?? 0;
    this.#journal = journal;
  }

  /** How many calls have passed. */
  get used(): number {
    return this.#used;
  }

  /** How many calls are left. */
  get left(): number {
    return Math.max(0, this.#maxCalls - this.#used);
  }

  refuses({ method }: LimitedCall): string | undefined {
    if (this.#used < this.#maxCalls) return undefined;
    return `${cannotCall(method)}: all of this capability's ${this.#maxCalls} calls are used`;
  }

  count(): void {
    if (this.#journal !== undefined && this.#used >= this.#written) {
      this.#written = this.#journal(this.#used, this.#maxCalls);
    }
    this.#used++;
  }
}
