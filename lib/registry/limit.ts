/**
 * One limit of a capability: what a facet asks before it lets a call through.
 *
 * @module
 */

import type { CallContext } from "../broker/call_context.ts";
import type { LimitKind } from "./capability_event.ts";

/** A call that wants to go through a facet. */
export interface LimitedCall {
  /** The method's name, without `remote_`; empty for a function. */
  readonly method: string;
  readonly context: CallContext;
}

/** Something that a facet asks about each call. */
export interface Limit {
  readonly kind: LimitKind;
  /**
   * Why the call is refused, for the caller: without names, FURLs, arguments or paths of this machine; `undefined` if it
   * may pass. Changes nothing: another limit may refuse the call still.
   */
  refuses(call: LimitedCall): string | undefined;
  /**
   * The call is being delivered: no limit refused it. Counts, where there is something to count. What it
   * throws keeps the call from passing: it could not be written down.
   */
  count?(call: LimitedCall): void;
}
