/**
 * Every number that bounds a peer of Perspective Broker.
 *
 * @module
 */

import { resolveNumbers } from "./resolve_numbers.ts";

const MiB = 1024 * 1024;

/** Limits of logins. Those of one connection hold for each alone. Twisted has none of them. */
export interface PbLoginLimits {
  /** How long a challenge can be answered, in milliseconds. */
  readonly challengeTimeoutMs: number;
  /** Challenges of one connection that were neither answered nor given back; one more is refused. */
  readonly maxChallenges: number;
  /** How long the checker and the realm together may take for one login, in milliseconds. */
  readonly loginTimeoutMs: number;
  /** Logins of one connection with which a checker or the realm is busy; one more is refused. */
  readonly maxPendingLogins: number;
  /** The same of all connections of one portal. */
  readonly maxPendingLoginsOfAll: number;
  /** Logins that failed on one connection, after which none is looked at any more: the client must connect anew. */
  readonly maxFailedLogins: number;
  /** Logins of one connection that are not logged out; one more is refused. */
  readonly maxSessions: number;
  /**
   * What `maxExpressionBytes` is for a connection on which nobody is logged in, unless that is less: what is said then is a
   * name, a response and a mind. It holds for answers too, such as those that a realm gets from a mind during the login.
   */
  readonly maxExpressionBytesBeforeLogin: number;
}

/** The limits that hold where nothing else is said. */
export const DEFAULT_LOGIN_LIMITS: PbLoginLimits = Object.freeze({
  challengeTimeoutMs: 60_000,
  maxChallenges: 100,
  loginTimeoutMs: 60_000,
  maxPendingLogins: 32,
  maxPendingLoginsOfAll: 1_000,
  maxFailedLogins: 100,
  maxSessions: 1_000,
  maxExpressionBytesBeforeLogin: 1 * MiB,
});

/** Longest user name, in bytes of UTF-8: what is longer is nobody's, and is not kept. */
export const MAX_USERNAME_BYTES = 1_024;
/** Largest file of passwords, in bytes: it is read into memory, for each login. */
export const MAX_PASSWORD_FILE_BYTES: number = 64 * 1024 * 1024;
/** Longest challenge of a server, in bytes: Twisted's have 16. */
export const MAX_CHALLENGE_BYTES = 1_024;

/**
 * The defaults, with some numbers replaced.
 *
 * @throws {TypeError} If a name is unknown.
 * @throws {RangeError} If a number is not a whole one of 1 or more, or a time is above 2,147,483,647 ms.
 */
export function resolveLoginLimits(limits: Partial<PbLoginLimits> = {}): PbLoginLimits {
  return resolveNumbers(DEFAULT_LOGIN_LIMITS, limits);
}

/** Limits of one Perspective Broker connection, or of one stored value. */
export interface PbLimits {
  /** Longest byte string, in bytes. Twisted's number: its peers refuse a longer one, so both ends must agree. */
  readonly maxStringBytes: number;
  /** Elements of one list of an s-expression. Twisted's number too. */
  readonly maxListElements: number;
  /**
   * Memory that one s-expression may take, in bytes, by an estimate: 96 for each string beside its length, 48 for each
   * list, and 16 for each element that a list announces. Twisted has no such limit.
   */
  readonly maxExpressionBytes: number;
  /** Lists inside each other in what arrives. Twisted's Python gives up at some 320 of its own. */
  readonly maxDepth: number;
  /**
   * Lists inside each other in what is sent, each shared one counted twice. A Python peer that gets an answer deeper than it
   * can follow (some 320 levels) ends the connection.
   */
  readonly maxSentDepth: number;
}

/** The limits that hold where nothing else is said: Twisted's own where it has any. */
export const DEFAULT_PB_LIMITS: PbLimits = Object.freeze({
  maxStringBytes: 655_360,
  maxListElements: 655_360,
  maxExpressionBytes: 128 * MiB,
  maxDepth: 1_000,
  maxSentDepth: 300,
});

/**
 * What holds until a dialect is agreed on, for everybody: an offer of dialects, or the name of one, is all that may come, and
 * whoever sends it need not be known.
 */
export const NEGOTIATION_LIMITS: PbLimits = Object.freeze({
  maxStringBytes: 1_000,
  maxListElements: 1_000,
  maxExpressionBytes: 64 * 1024,
  maxDepth: 2,
  maxSentDepth: 2,
});

/**
 * The defaults, with some numbers replaced.
 *
 * @throws {TypeError} If a name is unknown.
 * @throws {RangeError} If a number is not a whole one of 1 or more, or `maxDepth` or `maxSentDepth` is above 1,000.
 */
export function resolvePbLimits(limits: Partial<PbLimits> = {}): PbLimits {
  return checkDepths(resolveNumbers(DEFAULT_PB_LIMITS, limits));
}

/** @throws {RangeError} If a depth is more than the stack bears. */
export function checkDepths<T extends PbLimits>(limits: T): T {
  for (const name of ["maxDepth", "maxSentDepth"] as const) {
    if (limits[name] > MAX_STACKED) {
      throw new RangeError(
        `Cannot set the limit ${name}: ${limits[name]} is above ${MAX_STACKED}, which the stack bears`,
      );
    }
  }
  return limits;
}

/** Digits of a token's prefix, and so 7 bits each of a number. Twisted's number; not adjustable, as in Foolscap. */
export const MAX_PREFIX_DIGITS = 64;
/** Values are read and written by functions that call themselves: this deep is safe. */
const MAX_STACKED = 1_000;

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
