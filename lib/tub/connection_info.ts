/**
 * What is known about how a Tub was reached, or was tried to be. Source: Foolscap `info.py`, `ConnectionInfo`.
 *
 * @module
 */

/** A connection with a Tub, or an attempt to make one. */
export interface ConnectionInfo {
  /** Whether the connection is there. */
  readonly connected: boolean;
  /** Who dialled; `undefined` while it is only an attempt. */
  readonly direction: "inbound" | "outbound" | "loopback" | undefined;
  /** Where the peer is: `tcp:127.0.0.1:4501`. */
  readonly address: string | undefined;
  /** The hint that led to the connection, where this Tub dialled. */
  readonly winningHint: string | undefined;
  /** When it was made, in milliseconds since 1970. */
  readonly establishedAt: number | undefined;
  /** How each hint fared: `connecting`, `negotiating`, `successful`, `abandoned`, or why it failed. */
  readonly connectorStatuses: ReadonlyMap<string, string>;
}
