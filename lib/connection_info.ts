/**
 * What is known about how a Tub was reached, or was tried to be.
 *
 * Source: Foolscap `info.py`, `ConnectionInfo`.
 *
 * @module
 */

/**
 * A connection with a Tub, or an effort to make one. It is live: what it says changes with the connection, and stays
 * readable after its end.
 *
 * @example Why a Tub cannot be reached
 * ```ts
 * import { Tub, UnreachableError } from "../mod.ts";
 * import assert from "node:assert/strict";
 *
 * await using tub = await Tub.create();
 * const error = await tub.getReference(`pb://${"a".repeat(32)}@nowhere,xyz:a/name`).catch((error) => error);
 * assert.ok(error instanceof UnreachableError);
 * assert.deepEqual([...error.connectionInfo!.connectorStatuses], [
 *   ["nowhere", "bad hint: no colon"],
 *   ["xyz:a", "bad hint: no handler registered"],
 * ]);
 * ```
 */
export interface ConnectionInfo {
  /** Whether the connection is there: false before it is made, and again after its loss. */
  readonly connected: boolean;
  /** Who dialled; `undefined` while it is only an effort. */
  readonly direction: "inbound" | "outbound" | "loopback" | undefined;
  /** Where the peer is: `tcp:127.0.0.1:4501`. */
  readonly address: string | undefined;
  /** The hint that led to the connection, where this Tub dialled; `loopback` for a Tub's connection with itself. */
  readonly winningHint: string | undefined;
  /** When it was made, in milliseconds since 1970. */
  readonly establishedAt: number | undefined;
  /** When it was lost, in milliseconds since 1970. */
  readonly lostAt: number | undefined;
  /**
   * How each hint fares, in Foolscap's words: `resolving hint`, `connecting`, `negotiating`, `successful`, `abandoned`,
   * `connection refused`, `bad hint: ...`, `negotiation failed: ...`, `failed to connect: ...`.
   */
  readonly connectorStatuses: ReadonlyMap<string, string>;
  /** What follows each hint, such as `tcp`; `undefined` for a hint of a type that nothing here can follow. */
  readonly connectionHandlers: ReadonlyMap<string, string | undefined>;
  /** For a connection that was accepted: where this Tub listens, and `successful`. */
  readonly listenerStatus: readonly [description: string | undefined, status: string | undefined];
}
