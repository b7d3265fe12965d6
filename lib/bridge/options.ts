/**
 * What can be said about serving an object of Foolscap to clients of Perspective Broker.
 *
 * @module
 */

import type { PbServeOptions } from "../pb/server.ts";

/** Options of {@linkcode servePb}. */
export interface BridgeServeOptions extends PbServeOptions {
  /**
   * Whether clients are disconnected when the connection with the Tub is lost that the served object lives in: their own
   * protocol has no other way to tell them, and `notifyOnDisconnect` is what they watch. Else their calls fail until the Tub is
   * there again.
   *
   * @default false
   */
  readonly closeWhenLost?: boolean | undefined;
}
