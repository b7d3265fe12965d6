/**
 * The calls that one connection has not finished, for whoever looks for what hangs.
 *
 * Source: Foolscap `pb.py`, `Tub.debug_listBrokers`.
 *
 * @module
 */

/** A call that has not been answered. */
export interface OutstandingCall {
  /** Its number on the connection; 0 where no answer is wanted. */
  readonly requestId: number;
  /** The method's name as it is on the wire; empty for a function. */
  readonly method: string;
}

/** A call of the peer that has not been answered. */
export interface InboundDelivery extends OutstandingCall {
  /** Whether it is being executed; else it waits for its turn, or for a gift. */
  readonly isStarted: boolean;
  /** Whether the caller has given it up: its method still runs, and the result will be dropped. */
  readonly isCancelled: boolean;
}

/** A call of ours that has not been answered. */
export interface OutboundRequest extends OutstandingCall {
  /**
   * Whether the peer was sent it; else it waits here for a promise among its arguments, or behind a call of the same object
   * that does.
   */
  readonly isSent: boolean;
}

/** What one connection has not finished. */
export interface BrokerListing {
  /** The peer; `undefined` for one without a certificate. */
  readonly tubId: string | undefined;
  /** Calls of the peer, oldest first. */
  readonly inbound: readonly InboundDelivery[];
  /** Calls of ours, oldest first; behind them those that want no answer and have not been sent. */
  readonly outbound: readonly OutboundRequest[];
}
