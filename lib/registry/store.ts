/**
 * What a registry needs of something that keeps its grants for the next start.
 *
 * @module
 */

import type { CaveatMark } from "./caveat_state.ts";
import type { GateEnd } from "./gate.ts";

/** One grant, as it is kept. It has no name and no FURL. */
export interface StoredGrant {
  /** Its number; a child has a higher one than its parent. */
  readonly id: number;
  /** The number of what it was attenuated from. */
  readonly parent: number | undefined;
  /** The keyed hash of its name. */
  readonly nameHash: string | undefined;
  /** Whether its name leads to it no more: it was taken back. */
  readonly isUnnamed: boolean;
  /** What derived names call it by, in base64. */
  readonly caveatId: string;
  /** The key to all names that derive from its name, encrypted, and bound to what is kept here and does not change. */
  readonly sealedRoot: Uint8Array;
  /** Its limits and its label, as text. */
  readonly terms: string;
  /** What makes its object; `undefined` if it has a parent. */
  readonly factory: string | undefined;
  /** What the factory is given, serialized. */
  readonly args: Uint8Array | undefined;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Calls that were let through: no fewer than there were. */
  readonly used: number;
  /** Milliseconds since 1970. */
  readonly lastUsedAt: number | undefined;
}

/** How often a grant was used. */
export interface StoredUse {
  /** The number of the grant. */
  readonly id: number;
  /** Calls that were let through, or are written down ahead of that. */
  readonly used: number;
  /** Milliseconds since 1970. */
  readonly lastUsedAt: number | undefined;
}

/** A name that leads nowhere any more. */
export interface StoredRetiredName {
  /** The keyed hash of the name. */
  readonly nameHash: string;
  /** What ended it. */
  readonly why: GateEnd;
}

/** What was counted of attenuated FURLs. */
export interface StoredCaveatCount extends CaveatMark {
  /** How many calls. */
  readonly used: number;
}

/** All that is kept. */
export interface StoredRegistry {
  /** By number, so that parents come before their children. */
  readonly grants: Iterable<StoredGrant>;
  /** The oldest one first. */
  readonly retired: Iterable<StoredRetiredName>;
  /** The highest number that a grant ever had. */
  readonly lastId: number;
  /** What was counted of attenuated FURLs. */
  readonly counts: Iterable<StoredCaveatCount>;
  /** What was revoked of them. */
  readonly revoked: Iterable<CaveatMark>;
  /** See `CaveatState.endedUntil`. */
  readonly endedUntil: number;
}

/** The keys of a store. They follow from the Tub's private key. */
export interface StoreKeys {
  /** 32 bytes; names are found by their HMAC-SHA-256 under it. */
  readonly nameKey: Uint8Array;
  /** Encrypts a root, bound to `about`. */
  seal(root: Uint8Array, about: string): Uint8Array;
  /**
   * The root that was sealed.
   *
   * @throws {StoreError} If it, or `about`, is not what it was.
   */
  open(sealed: Uint8Array, about: string): Uint8Array;
}

/**
 * Keeps grants. Whatever a method has returned from holds after the process was killed at any later moment, and what it has
 * thrown in has not happened.
 *
 * All of them throw a {@linkcode StoreError} when nothing can be written.
 */
export interface Store {
  /** They follow from the Tub's private key. */
  readonly keys: StoreKeys;
  /** How many calls are written down ahead of those that are made: 1 for none. */
  readonly countAhead: number;
  /** What is kept. Called once, before anything else. */
  load(): StoredRegistry;
  /** One more grant, with a number higher than all before. */
  addGrant(grant: StoredGrant): void;
  /** Grants end, and their names are remembered as retired. */
  endGrants(ids: readonly number[], why: GateEnd): void;
  /** The name of a grant was taken back, and may be another object's one day. */
  unnameGrant(id: number): void;
  /** How often grants were used. One that has ended is passed over. */
  setUses(uses: readonly StoredUse[]): void;
  /** Counts of one name have new values. */
  setCounts(counts: readonly StoredCaveatCount[]): void;
  /** One more beginning of attenuated FURLs is revoked. */
  addRevoked(mark: CaveatMark): void;
  /** What is kept with an id of a name goes. */
  forgetId(id: string): void;
  /** Counts and revocations that are over at `now` go. */
  forgetOver(now: number, endedUntil: number): void;
  /** Runs something, and writes all that it has done at its end, in one go: also when it throws. */
  batch(run: () => void): void;
  /** Nothing more comes. */
  close(): void;
}
