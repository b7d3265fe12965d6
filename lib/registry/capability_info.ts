/**
 * What a program can know of a capability.
 *
 * @module
 */

import type { CallRate } from "./limits.ts";

/** What a capability allows, and what became of it: a look at one moment. What its parents limit is in it. */
export interface CapabilityInfo {
  /** Its number in its registry. */
  readonly id: number;
  /** What the program calls it. */
  readonly label: string | undefined;
  /** The methods that can be called; `undefined`: all. */
  readonly methods: readonly string[] | undefined;
  /** Until when, in milliseconds since 1970; `undefined`: without end. */
  readonly expiresAt: number | undefined;
  /** Calls that were let through, by it and by its children. */
  readonly callsUsed: number;
  /** Calls that are left, by its own limit and those of its parents; `undefined`: any number. */
  readonly callsLeft: number | undefined;
  /** Calls that have begun and not ended, without those of its children. */
  readonly callsRunning: number;
  /** Its rates, its parents' first; all of them hold. */
  readonly rates: readonly CallRate[];
  /** The TubIDs of those who may use it; `undefined`: whoever has it. */
  readonly holders: readonly string[] | undefined;
  /** The Deno permissions without which it does not work. */
  readonly requires: readonly Deno.PermissionDescriptor[];
  /** Whether all that is reached through it is limited, and ends, with it. */
  readonly isDeep: boolean;
  /** Whether it was revoked, or one that it comes of. */
  readonly isRevoked: boolean;
  /** Whether its time is over. */
  readonly isExpired: boolean;
  /** The number of the capability that it was attenuated from. */
  readonly parent: number | undefined;
  /** How many were attenuated from it, and are neither revoked nor expired. */
  readonly children: number;
  /** When it was granted, in milliseconds since 1970. */
  readonly createdAt: number;
  /** When a call was last let through, in milliseconds since 1970. */
  readonly lastUsedAt: number | undefined;
}
