/**
 * What an unslicer may ask of the receiver that feeds it.
 *
 * @module
 */

import type { Limits } from "../limits.ts";
import type { PendingScope } from "./pending.ts";

/** The message that is being received, as its unslicers see it. `U` is the kind of unslicers that the table makes. */
export interface Unslicing<U> {
  readonly limits: Limits;
  /** Types of sequences inside others. */
  readonly unslicers: { make(receiver: Unslicing<U>, word: string, detail?: string): U | undefined };
  /** The values of this message that are not there yet. */
  readonly scope: PendingScope;
  /** As `scope`, if there is anything pending. */
  readonly pendingScope: PendingScope | undefined;
  /** Keys of this message that were found to be hashable. */
  readonly hashable: Set<unknown>;
  /** Memory that this message takes so far, in bytes. */
  readonly messageBytes: number;
  /**
   * Adds to the memory that this message takes.
   *
   * @throws {Violation} If it is too much.
   */
  spend(bytes: number): void;
  /**
   * Lets `reference` sequences of this message name an object. Called from `start()`, so that the numbers rise.
   *
   * @param object The object, or `undefined` to keep the place for {@linkcode Unslicing.replace}.
   */
  register(objectNumber: number, object: unknown): void;
  /** Puts another object under the number of one that was registered. */
  replace(objectNumber: number, object: unknown): void;
  /** The object of a `reference`; `undefined` if this message has none of that number. */
  lookup(objectNumber: number): unknown;
  /** Whether somebody holds the object that is registered under this number. */
  wasLookedUp(objectNumber: number): boolean;
}
