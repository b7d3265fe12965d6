/**
 * Only so many calls.
 *
 * @module
 */

import type { Limit, LimitedCall } from "../limit.ts";
import { cannotCall } from "./cannot_call.ts";

/** Lets a number of calls pass, ever. */
export class CallCountLimit implements Limit {
  readonly kind = "maxCalls";
  readonly #maxCalls: number;
  #used: number;

  /** @param used How many have passed already. */
  constructor(maxCalls: number, used = 0) {
    this.#maxCalls = maxCalls;
    this.#used = used;
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
    this.#used++;
  }
}
