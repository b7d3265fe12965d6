/**
 * How much is held for one connection.
 *
 * @module
 */

/** What is held for one connection: for finding out what leaks. */
export interface ReferenceTables {
  /** Objects of ours that the peer holds references to. */
  readonly local: number;
  /** Objects of ours that have a name. */
  readonly named: number;
  /** Objects of the peer that are held here. */
  readonly remote: number;
  /** Objects of ours of which the peer keeps copies. */
  readonly cached: number;
  /** Copies of objects of the peer that are kept in step here. */
  readonly caches: number;
  /** Calls of ours that have not been answered. */
  readonly waitingCalls: number;
  /** Calls of the peer that have not been answered. */
  readonly pendingCalls: number;
}
