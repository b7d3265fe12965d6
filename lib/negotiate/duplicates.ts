/**
 * Which of two connections with one peer stays.
 *
 * Only the master decides, by what each side remembers and not by age: the peer that lost a connection
 * without our noticing is let in again at once, and of several parallel attempts one wins.
 *
 * Source: Foolscap `negotiate.py`, `compareOfferAndExisting()`, `handle_old()`.
 *
 * @module
 */

import type { ConnectionMemory } from "./hello.ts";

/** What the peer's hello says about itself; a {@linkcode PeerOffer} has it. */
export interface DuplicateOffer {
  /** Empty if the peer gave none. */
  readonly incarnation: string;
  readonly lastConnection: ConnectionMemory | "none" | undefined;
}

/** The live connection with the same peer, made by us as master. */
export interface ExistingConnection {
  /** The incarnation of the peer that it was made with. */
  readonly slaveIncarnation: string;
  /** The number that we gave it. */
  readonly seqnum: number;
  /** How long it has been there, in milliseconds. */
  readonly ageMs: number;
}

/** Options of {@linkcode decideDuplicate}. */
export interface DuplicateOptions {
  /** Our own incarnation. */
  readonly ownIncarnation: string;
  /**
   * Lets a peer that says nothing of its past replace a connection that is at least this old.
   * Foolscap: option `handle-old-duplicate-connections`, 60,000 ms.
   * @default such a peer never replaces a connection
   */
  readonly oldPeerThresholdMs?: number | undefined;
}

/** The outcome, and why. */
export interface DuplicateVerdict {
  /** Whether the new connection replaces the existing one. */
  readonly isAccepted: boolean;
  readonly reason: string;
}

/**
 * Applies the rules, the first that fits counts:
 *
 * | # | the offer | verdict |
 * | - | --------- | ------- |
 * | 1 | has no incarnation, or no memory of a connection (as every listening side) | reject, or by age |
 * | 2 | comes from another incarnation than the existing connection | accept: the peer restarted |
 * | 3 | remembers no connection | reject: a parallel attempt |
 * | 4 | remembers another incarnation of ours | accept: we restarted |
 * | 5 | remembers the existing connection and dials all the same | accept: ours is stale |
 * | 6 | remembers an older connection | reject: a parallel attempt, or it missed our decision |
 * | 7 | remembers a connection that we never made | reject |
 */
export function decideDuplicate(
  offer: DuplicateOffer,
  existing: ExistingConnection,
  options: DuplicateOptions,
): DuplicateVerdict {
  const { incarnation, lastConnection } = offer;
  if (incarnation === "" || lastConnection === undefined) {
    const { oldPeerThresholdMs } = options;
    if (oldPeerThresholdMs === undefined) return reject("the peer does not say what it remembers");
    return existing.ageMs < oldPeerThresholdMs
      ? reject("the existing connection is too new")
      : accept("the existing connection is old enough");
  }
  if (incarnation !== existing.slaveIncarnation) return accept("the peer has restarted");
  if (lastConnection === "none") return reject("the peer remembers no connection");
  if (lastConnection.incarnation !== options.ownIncarnation) {
    return accept("the peer remembers an earlier life of this Tub");
  }
  if (lastConnection.seqnum === existing.seqnum) {
    return accept("the peer has given the existing connection up");
  }
  return lastConnection.seqnum < existing.seqnum
    ? reject("the peer remembers an older connection")
    : reject("the peer remembers a connection that never was");
}

const accept = (reason: string): DuplicateVerdict => ({ isAccepted: true, reason });
const reject = (reason: string): DuplicateVerdict => ({ isAccepted: false, reason });
