/**
 * How often a peer may want more than it is allowed to hold: references and caches are counted together, as Twisted does.
 *
 * Source: Twisted `spread/pb.py`, `Broker.maxBrokerRefsViolations`.
 *
 * @module
 */

import { PbError } from "../errors.ts";

/** How many refusals a peer may cause before its connection ends: Twisted's number. */
const PATIENCE = 3;

/** Counts the refusals of one connection. */
export class Patience {
  #violations = 0;
  readonly #onTooMany: () => void;

  /** @param onTooMany The connection is to end. */
  constructor(onTooMany: () => void) {
    this.#onTooMany = onTooMany;
  }

  /**
   * One more was refused.
   *
   * @param what What there are too many of: `reference`, `cache`.
   * @returns What to throw.
   */
  refuse(what: string): PbError {
    if (++this.#violations <= PATIENCE) return new PbError(`Maximum PB ${what} count exceeded.`);
    this.#onTooMany();
    return new PbError(`Maximum PB ${what} count exceeded.  Goodbye.`);
  }
}
