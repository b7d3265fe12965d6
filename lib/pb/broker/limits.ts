/**
 * What a peer of a broker can make this process spend, beyond what its values do.
 *
 * @module
 */

const MiB = 1024 * 1024;

/** Limits of one connection of Perspective Broker, and of one server. */
export interface PbBrokerLimits {
  /**
   * References to our objects that a peer may hold beside the first entry, names included: Twisted's `MAX_BROKER_REFS`. The
   * fourth object beyond it ends the connection.
   */
  readonly maxReferences: number;
  /** Objects of the peer that one connection may hold references to. Twisted has no such limit. */
  readonly maxRemoteReferences: number;
  /** Calls of the peer that have not been answered; one more ends the connection. */
  readonly maxPendingCalls: number;
  /** Time from the opening of a connection to the choice of a dialect, the TLS handshake excluded, in milliseconds. */
  readonly negotiationTimeoutMs: number;
  /** A message that has begun must go on within this time of its last byte, in milliseconds. */
  readonly messageStallMs: number;
  /** Above this many bytes of answers waiting to be written, nothing more is read from that peer. */
  readonly pauseReadingBytes: number;
  /** Above this many bytes of answers waiting to be written, the connection ends. */
  readonly maxQueuedBytes: number;
  /** A write that makes no progress for this long ends the connection, in milliseconds. */
  readonly writeStallMs: number;
  /** Connections of one server; whoever connects beyond that is turned away. */
  readonly maxConnections: number;
  /** Connections of one server of which nothing is agreed yet; whoever connects beyond that is turned away. */
  readonly maxUnnegotiated: number;
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_BROKER_LIMITS: PbBrokerLimits = Object.freeze({
  maxReferences: 1_024,
  maxRemoteReferences: 200_000,
  maxPendingCalls: 50_000,
  negotiationTimeoutMs: 60_000,
  messageStallMs: 600_000,
  pauseReadingBytes: 1 * MiB,
  maxQueuedBytes: 64 * MiB,
  writeStallMs: 60_000,
  maxConnections: 10_000,
  maxUnnegotiated: 200,
});
