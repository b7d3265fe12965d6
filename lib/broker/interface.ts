/**
 * What a broker needs from the Tub above it. The Tub supplies it; the broker knows no Tub.
 *
 * @module
 */

import type { InboundCall, OutboundCall } from "./call.ts";
import type { Publishable } from "./callable.ts";
import type { RemoteHandle } from "./remote_handle.ts";

/** Who asks for the object of a gift. */
export interface GiftRequest {
  /** The TubID of the giver; `undefined` if it has proved none, or if there is no giver: the FURL was stored. */
  readonly from: string | undefined;
  /** Fires when nobody waits for the object any more. */
  readonly signal: AbortSignal;
}

/** What a broker asks its Tub. */
export interface BrokerHost {
  /** The TubID of this end. */
  readonly tubId: string;
  /** Whether peers are told tracebacks and paths of this machine. */
  readonly exposesTracebacks: boolean;
  /** Whether failures of peers become instances of the classes that are registered for their types. */
  readonly exposesRemoteTypes: boolean;
  /**
   * The FURL under which an object can be found by others; `undefined` if the Tub has no location.
   *
   * @param to The TubID of the peer that is given the object; `undefined` if it has proved none.
   */
  furlOf(object: Publishable, to: string | undefined): string | undefined;
  /**
   * The object of a name, for a peer that asks; `undefined` if there is none. What it throws is what the peer is told.
   *
   * @param from The TubID of the peer; `undefined` if it has proved none.
   */
  lookup(
    name: string,
    from: string | undefined,
  ): Publishable | undefined | Promise<Publishable | undefined>;
  /** Fetches the object of a gift. */
  acquire(furl: string, request: GiftRequest): Promise<RemoteHandle>;
  /**
   * The one point between an inbound call and its delivery. `deliver` makes the call; what this gives or throws
   * is the answer.
   */
  readonly interceptInbound?: ((call: InboundCall, deliver: () => unknown) => unknown) | undefined;
  /** The one point between `callRemote` and sending. What it throws fails the call, and nothing is sent. */
  interceptOutbound?(call: OutboundCall): void;
}
