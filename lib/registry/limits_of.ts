/**
 * The limits that the terms of a capability stand for.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";
import type { Terms } from "./grant_options.ts";
import type { Limit } from "./limit.ts";
import {
  CallCountLimit,
  type CountJournal,
  ExpiryLimit,
  HolderLimit,
  MethodLimit,
  PermissionLimit,
  RateLimit,
} from "./limits.ts";
import type { PermissionQuery } from "./permission_query.ts";

/** What is to be known of a grant that is kept. */
export interface EarlierUse {
  /** Writes down how many calls pass. */
  readonly journal?: CountJournal | undefined;
  /** How many have passed in earlier lives; `undefined` if this is the first. */
  readonly callsUsed?: number | undefined;
}

/**
 * The limits, in the order in which they are asked.
 *
 * @param permissions Must be there if the terms require some.
 */
export function limitsOf(
  terms: Terms,
  clock: Clock,
  permissions: PermissionQuery | undefined,
  { journal, callsUsed }: EarlierUse = {},
): Limit[] {
  const { methods, expiresAt, maxCalls, rate, holders, requires } = terms;
  const limits: Limit[] = [];
  if (expiresAt !== undefined) limits.push(new ExpiryLimit(expiresAt, clock));
  if (holders !== undefined) limits.push(new HolderLimit(holders));
  if (methods !== undefined) limits.push(new MethodLimit(methods));
  if (requires.length > 0) limits.push(new PermissionLimit(requires, permissions!));
  if (maxCalls !== undefined) limits.push(new CallCountLimit(maxCalls, callsUsed, journal));
  // After a restart it is not known how many calls were made just before it, so the bucket begins empty.
  if (rate !== undefined) limits.push(new RateLimit(rate, clock, callsUsed === undefined ? undefined : 0));
  return limits;
}
