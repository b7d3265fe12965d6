/**
 * One check of a value against a constraint, however deep the value is.
 *
 * What was found out about a container is remembered: a peer can write a list that contains one list twice, and that
 * one another one twice, and so on, which has more paths than there is time.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";
import { violationAt } from "../path.ts";

/** What is known of one container and one constraint. */
interface Finding {
  state: "under way" | "kept" | "broken";
  /** Whether the value was met inside itself, and taken to keep the rule. */
  isAssumed: boolean;
  /** What goes on in the value's place. */
  result: unknown;
}

/** One check of a value. */
export class Checking {
  /** `outbound` before the value is sent, `inbound` when it has come. */
  readonly direction: "inbound" | "outbound";
  readonly #findings = new Map<object, Map<object, Finding>>();
  /** Rules found kept, oldest first: what was found while something was assumed goes when that turns out wrong. */
  readonly #kept: { values: Map<object, Finding>; value: object }[] = [];
  #depth = 0;

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
   * Checks an object's parts, once for each constraint: a value that contains itself keeps a rule that contains itself.
   *
   * @returns What `check` gave, the first time; `value` if the check of it is under way.
   * @throws {Violation} If the value is nested too deep, or contains itself and would have to be changed.
   */
  once<T>(constraint: object, value: object, check: () => T): T | object {
    let values = this.#findings.get(constraint);
    if (values === undefined) this.#findings.set(constraint, values = new Map());
    const known = values.get(value);
    if (known !== undefined) {
      if (known.state === "broken") throw known.result;
      if (known.state === "kept") return known.result as T;
      known.isAssumed = true;
      return value;
    }
    if (this.#depth >= DEFAULT_LIMITS.maxDepth) {
      throw new Violation(`Value is nested deeper than ${DEFAULT_LIMITS.maxDepth}`);
    }
    const finding: Finding = { state: "under way", isAssumed: false, result: undefined };
    values.set(value, finding);
    const before = this.#kept.length;
    this.#depth++;
    try {
      const result = check();
      if (finding.isAssumed && result !== value) {
        throw new Violation("Cannot convert a value that contains itself");
      }
      finding.state = "kept";
      finding.result = result;
      this.#kept.push({ values, value });
      return result;
    } catch (thrown) {
      // Further in, a stack that has overflowed has no room to look.
      const error = this.#depth === 1 ? asViolation(thrown) : thrown;
      // A rule that is broken although something was assumed is broken. What was found kept may have been so
      // because this was assumed.
      for (const { values, value } of this.#kept.splice(before)) values.delete(value);
      finding.state = "broken";
      finding.result = error;
      throw error;
    } finally {
      this.#depth--;
    }
  }
}

/** A stack that overflows means that the value is nested too deep: a program may call from any depth. */
function asViolation(thrown: unknown): unknown {
  const isOverflow = thrown instanceof RangeError && /call stack/i.test(thrown.message);
  return isOverflow ? new Violation("Value is nested too deep to be checked", { cause: thrown }) : thrown;
}
