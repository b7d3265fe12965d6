/**
 * One call, on its way in or out: what an interceptor sees of it.
 *
 * @module
 */

import type { CallContext } from "./call_context.ts";
import type { Referenceable } from "./referenceable.ts";

/** A call of the peer, complete and about to be delivered. */
export interface InboundCall {
  /** 0: no answer is wanted. */
  readonly requestId: number;
  /** The object or function that is called; `undefined` is this end's broker itself. */
  readonly target: Referenceable | ((...args: unknown[]) => unknown) | undefined;
  /** The method's name, empty for a function. */
  readonly method: string;
  /** Positional arguments; keyword arguments are a last element of class `Kwargs`. */
  readonly args: unknown[];
  readonly context: CallContext;
}

/** A call of ours, about to be sent. */
export interface OutboundCall {
  /** The peer's number of the object; 0 is the peer's broker itself. */
  readonly clid: number;
  readonly method: string;
  readonly args: readonly unknown[];
  /** Whether an answer is wanted. */
  readonly wantsAnswer: boolean;
}

/** Options of one call: `ref.with({ signal, timeoutMs })`. */
export interface CallOptions {
  /** Stops waiting: the call fails with the signal's reason. What the peer answers later is dropped. */
  readonly signal?: AbortSignal | undefined;
  /** Stops waiting after this many milliseconds, with a `TimeoutError`. */
  readonly timeoutMs?: number | undefined;
}
