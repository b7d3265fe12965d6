/**
 * What a class may ask of the values that its copies arrive with.
 *
 * Source: Foolscap `copyable.py`, `RemoteCopy.stateSchema`.
 *
 * @module
 */

import type { Constraint } from "./constraint.ts";

/** The rules of the attributes of a copy: an `AttributeDictConstraint`. */
export interface StateRules {
  /**
   * The rule for an attribute whose name has come; `undefined` if any value will do.
   *
   * @throws {Violation} If there must be no such attribute.
   */
  attribute(name: string): Constraint | undefined;
  /**
   * Checks all values when they are there.
   *
   * @returns The values that the class gets.
   * @throws {Violation} If one breaks its rule, or is missing.
   */
  checkState(state: Readonly<Record<string, unknown>>): Record<string, unknown>;
}
