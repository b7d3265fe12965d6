/**
 * Only these Tubs.
 *
 * @module
 */

import type { Limit, LimitedCall } from "../limit.ts";
import { cannotCall } from "./cannot_call.ts";

/** Lets calls of some Tubs pass. A caller that has proved no TubID, and this process itself, are none of them. */
export class HolderLimit implements Limit {
  readonly kind = "holders";
  readonly #holders: ReadonlySet<string>;

  /** @param holders Their TubIDs. */
  constructor(holders: ReadonlySet<string>) {
    this.#holders = holders;
  }

  refuses({ method, context: { caller } }: LimitedCall): string | undefined {
    if (caller !== undefined && this.#holders.has(caller)) return undefined;
    return `${cannotCall(method)}: this capability is for other holders`;
  }
}
