/**
 * Only until then.
 *
 * @module
 */

import type { Clock } from "../../util/clock.ts";
import type { Limit, LimitedCall } from "../limit.ts";
import { cannotCall } from "./cannot_call.ts";

/** Lets calls pass before a time. A call that has begun by then goes on. */
export class ExpiryLimit implements Limit {
  readonly kind = "expires";
  readonly #expiresAt: number;
  readonly #clock: Clock;

  /** @param expiresAt Milliseconds since 1970. */
  constructor(expiresAt: number, clock: Clock) {
    this.#expiresAt = expiresAt;
    this.#clock = clock;
  }

  refuses({ method }: LimitedCall): string | undefined {
    return this.#clock.now() < this.#expiresAt
      ? undefined
      : `${cannotCall(method)}: this capability has expired`;
  }
}
