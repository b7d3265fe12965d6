/**
 * What clients that log in, or try to, can make a server spend.
 *
 * @module
 */

import { resolveNumbers } from "../resolve_numbers.ts";

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
