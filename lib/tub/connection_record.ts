/**
 * What a Tub writes down about one connection, or about one effort to make one.
 *
 * Source: Foolscap `info.py`, `ConnectionInfo`.
 *
 * @module
 */

import type { ConnectionInfo } from "../connection_info.ts";

/** What the effort to reach a Tub knows of its hints. */
export interface Effort {
  readonly statuses: ReadonlyMap<string, string>;
  readonly handlers: ReadonlyMap<string, string | undefined>;
}

/** How a connection came about. */
export interface Origin {
  readonly direction: "inbound" | "outbound" | "loopback";
  readonly address: string;
  /** The hint that led there, where this Tub dialled. */
  readonly winningHint?: string | undefined;
  /** The listener that accepted it. */
  readonly listener?: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const NO_EFFORT: Effort = { statuses: new Map(), handlers: new Map() };

/** What is known of a connection; its users see a {@linkcode ConnectionInfo}. */
export class ConnectionRecord implements ConnectionInfo {
  connected = false;
  direction: ConnectionInfo["direction"];
  address: string | undefined;
  winningHint: string | undefined;
  establishedAt: number | undefined;
  lostAt: number | undefined;
  listenerStatus: ConnectionInfo["listenerStatus"] = [undefined, undefined];
  readonly connectorStatuses: ReadonlyMap<string, string>;
  readonly connectionHandlers: ReadonlyMap<string, string | undefined>;

  /** A connection that is not there yet. The maps of `effort` may go on changing. */
  constructor(effort: Effort = NO_EFFORT) {
    this.connectorStatuses = effort.statuses;
    this.connectionHandlers = effort.handlers;
  }

  /** The record of a Tub's connection with itself. */
  static ofLoopback(at: number): ConnectionRecord {
    const statuses = new Map([["loopback", "connected"]]);
    const record = new ConnectionRecord({ statuses, handlers: new Map() });
    record.established({ direction: "loopback", address: "loopback", winningHint: "loopback", at });
    return record;
  }

  /** The connection is there. */
  established({ direction, address, winningHint, listener, at }: Origin): void {
    this.connected = true;
    this.direction = direction;
    this.address = address;
    this.winningHint = winningHint;
    this.establishedAt = at;
    if (listener !== undefined) this.listenerStatus = [listener, "successful"];
  }

  /** The connection has ended. */
  lost(at: number): void {
    this.connected = false;
    this.lostAt ??= at;
  }
}
