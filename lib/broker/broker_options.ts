/**
 * What a broker is made with.
 *
 * @module
 */

import type { ConnectionInfo } from "../connection_info.ts";
import type { Limits } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import type { Features } from "../util/features.ts";
import type { Trace } from "../util/trace.ts";
import type { PeerInfo } from "./call_context.ts";
import type { BrokerHost } from "./interface.ts";
import type { KeepaliveTimes } from "./keepalive.ts";

/** What a broker needs. */
export interface BrokerOptions {
  readonly host: BrokerHost;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Must not throw. */
  readonly trace: Trace;
  /** The number of the vocabulary table that was agreed on. */
  readonly vocabTable: number;
  readonly peer: PeerInfo;
  /** @default silence means nothing */
  readonly keepalive?: KeepaliveTimes | undefined;
  /** What the Tub knows of the connection. */
  readonly connectionInfo?: ConnectionInfo | undefined;
  /**
   * What both ends have beyond Foolscap.
   *
   * @default nothing
   */
  readonly features?: Features | undefined;
  /**
   * Whether the peer's system holds small writes back until what went before is acknowledged.
   *
   * @default false
   */
  readonly isPeerHeldBack?: boolean | undefined;
  /** Called at the end, at once: whoever keeps the broker forgets it. */
  onEnded?(error: Error): void;
}
