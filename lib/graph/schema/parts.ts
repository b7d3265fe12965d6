/**
 * Checks of what a container holds.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { segmentOf, violationAt } from "../path.ts";
import { type Checking, REFUSED, type Refused } from "./checking.ts";
import { checkPart, type Constraint } from "./constraint.ts";

/**
 * Checks each element against the constraint of its place.
 *
 * @returns What goes on in the elements' places; `undefined` if all of them go on as they are; {@linkcode REFUSED} if one
 * breaks its rule, inside of a choice.
 * @throws {Violation} If one breaks its rule, with its place.
 */
export function checkElements(
  values: readonly unknown[],
  rule: (index: number) => Constraint,
  checking: Checking,
): unknown[] | undefined | Refused {
  let changed: unknown[] | undefined;
  let i = 0;
  try {
    for (; i < values.length; i++) {
      const value = values[i];
      const result = checkPart(rule(i), value, checking);
      if (result === REFUSED) return REFUSED;
      if (changed !== undefined) changed.push(result);
      else if (!Object.is(result, value)) changed = [...values.slice(0, i), result];
    }
  } catch (error) {
    throw error instanceof Violation ? violationAt(error, segmentOf(i)) : error;
  }
  return changed;
}
