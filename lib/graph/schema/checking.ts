/**
 * One check of a value against a constraint, however deep the value is.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { violationAt } from "../path.ts";

/** One check of a value. */
export class Checking {
  /** `outbound` before the value is sent, `inbound` when it has come. */
  readonly direction: "inbound" | "outbound";
  readonly #underWay = new Map<object, Set<object>>();

  /** A check that begins. */
  constructor(direction: "inbound" | "outbound") {
    this.direction = direction;
  }

  /**
   * Checks a part: what is wrong there is said with its place.
   *
   * @param segment How the part is written behind what contains it: `[2]`, `.name`.
   */
  under<T>(segment: string, check: () => T): T {
    try {
      return check();
    } catch (error) {
      throw error instanceof Violation ? violationAt(error, segment) : error;
    }
  }

  /**
   * Checks an object's parts, unless they are being checked against the same constraint already: a value that contains
   * itself keeps a rule that contains itself.
   */
  once<T>(constraint: object, value: object, check: () => T): T | object {
    let values = this.#underWay.get(constraint);
    if (values === undefined) this.#underWay.set(constraint, values = new Set());
    if (values.has(value)) return value;
    values.add(value);
    try {
      return check();
    } finally {
      values.delete(value);
    }
  }
}
