/**
 * One check of a value against a constraint, however deep the value is, and what is said of values that do not pass.
 *
 * What was found out about a container is remembered: a peer can write a list that contains one list twice, and that
 * one another one twice, and so on, which has more paths than there is time.
 *
 * Messages say what a value is and never what it says: a Violation may travel to whoever sent the value, or to whoever
 * asked for it.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";
import { quoteForeign } from "../../util/text.ts";
import { Decimal } from "../../values/decimal.ts";
import { Float } from "../../values/float.ts";
import { FrozenSet } from "../../values/value_set.ts";
import { Tuple } from "../../values/tuple.ts";
import { violationAt } from "../path.ts";

/**
 * What a check gives, inside of a choice, for a value that breaks its rule. Elsewhere that is an error; but a choice
 * may try many alternatives for each of a million values, and an error costs more than all the rest of a check.
 */
export const REFUSED: unique symbol = Symbol("refused");
/** The type of {@linkcode REFUSED}. */
export type Refused = typeof REFUSED;

/** Containers of no more parts than this, none of which is an object, are checked anew where they occur again. */
const MAX_SMALL = 16;

function isAtom(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

/** What is known of one container and one constraint. */
interface Finding {
  /** The container. */
  readonly value: object;
  /** Where this finding stands. */
  readonly among: Map<object, Finding>;
  state: "under way" | "kept" | "broken";
  /** Whether the value was met inside itself, and taken to keep the rule. */
  isAssumed: boolean;
  /** What goes on in the value's place; where the rule is broken, the error, or {@linkcode REFUSED} in a trial. */
  result: unknown;
}

/** One check of a value. */
export class Checking {
  /** `outbound` before the value is sent, `inbound` when it has come. */
  readonly direction: "inbound" | "outbound";
  readonly #findings = new Map<object, Map<object, Finding>>();
  /** Rules found kept, oldest first: what was found while something was assumed goes when that turns out wrong. */
  readonly #kept: Finding[] = [];
  #depth = 0;
  #isTrial = false;
  readonly #isExplanation: boolean;

  /** A check that begins. */
  constructor(direction: "inbound" | "outbound", isExplanation = false) {
    this.direction = direction;
    this.#isExplanation = isExplanation;
  }

  /**
   * The value breaks a rule: what {@linkcode Constraint.check} returns then. The text is only made if somebody hears it.
   *
   * @returns Inside of a choice, a mark: whoever gets it from another constraint's `check` returns it as well.
   * @throws {Violation} Everywhere else.
   */
  refuse(message: string | (() => string | Violation)): Refused {
    if (this.#isTrial) return REFUSED;
    const said = typeof message === "string" ? message : message();
    throw typeof said === "string" ? new Violation(said) : said;
  }

  /**
   * Checks a value against one of several alternatives.
   *
   * @returns What `check` gave; {@linkcode REFUSED} if the value breaks the rule.
   */
  attempt(check: () => unknown): unknown {
    const before = this.#isTrial;
    this.#isTrial = true;
    try {
      return check();
    } catch (error) {
      if (error instanceof Violation) return REFUSED;
      throw error;
    } finally {
      this.#isTrial = before;
    }
  }

  /**
   * What is wrong with a value that no alternative of a choice takes: once for each check, and not for the choices
   * inside, so that it costs no more than the check did.
   *
   * @param check A check that has found the value to break its rule.
   */
  explain(check: (checking: Checking) => unknown): Violation | undefined {
    if (this.#isTrial || this.#isExplanation) return undefined;
    try {
      check(new Checking(this.direction, true));
    } catch (error) {
      if (error instanceof Violation) return error;
      throw error;
    }
    return undefined;
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
   * @param parts What is inside: nothing is remembered of a few numbers and texts, which cost less to look at again.
   * @returns What `check` gave, the first time; `value` if the check of it is under way; what {@linkcode Checking.refuse}
   * gives if the value is nested too deep, or contains itself and would have to be changed.
   * @throws {Violation} If the value breaks the rule, outside of a choice.
   */
  once<T>(
    constraint: object,
    value: object,
    check: () => T,
    parts?: readonly unknown[],
  ): T | object | Refused {
    if (parts !== undefined && parts.length <= MAX_SMALL && parts.every(isAtom)) {
      const result = check();
      // What was converted stays one object, however often it occurs.
      if (result === value || result === REFUSED) return result;
    }
    let values = this.#findings.get(constraint);
    if (values === undefined) this.#findings.set(constraint, values = new Map());
    const known = values.get(value);
    if (known !== undefined) {
      if (known.state === "kept") return known.result as T;
      if (known.state === "under way") {
        known.isAssumed = true;
        return value;
      }
      if (this.#isTrial) return REFUSED;
      // What was broken in a trial is looked at once more to say why.
      if (known.result !== REFUSED) throw known.result;
    }
    if (this.#depth >= DEFAULT_LIMITS.maxDepth) {
      return this.refuse(`Value is nested deeper than ${DEFAULT_LIMITS.maxDepth}`);
    }
    const finding: Finding = {
      value,
      among: values,
      state: "under way",
      isAssumed: false,
      result: undefined,
    };
    values.set(value, finding);
    const before = this.#kept.length;
    this.#depth++;
    try {
      let result: T | Refused = check();
      if (finding.isAssumed && result !== value && result !== REFUSED) {
        result = this.refuse("Cannot convert a value that contains itself");
      }
      if (result === REFUSED) return this.#broken(finding, before, REFUSED);
      finding.state = "kept";
      finding.result = result;
      this.#kept.push(finding);
      return result;
    } catch (thrown) {
      // Further in, a stack that has overflowed has no room to look.
      const error = this.#depth === 1 ? asViolation(thrown) : thrown;
      throw this.#broken(finding, before, error);
    } finally {
      this.#depth--;
    }
  }

  /**
   * A rule that is broken although something was assumed is broken. What was found kept since then may have been so
   * because this was assumed.
   */
  #broken<R>(finding: Finding, before: number, result: R): R {
    while (this.#kept.length > before) {
      const { among, value } = this.#kept.pop()!;
      among.delete(value);
    }
    finding.state = "broken";
    finding.result = result;
    return result;
  }
}

/** A stack that overflows means that the value is nested too deep: a program may call from any depth. */
function asViolation(thrown: unknown): unknown {
  const isOverflow = thrown instanceof RangeError && /call stack/i.test(thrown.message);
  return isOverflow ? new Violation("Value is nested too deep to be checked", { cause: thrown }) : thrown;
}

/** The kind of a value: `a string`, `a list`, `an instance of Point`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  switch (typeof value) {
    case "object":
      return kindOfObject(value);
    case "bigint":
      return "an integer";
    default:
      return `a ${typeof value}`;
  }
}

function kindOfObject(value: object): string {
  if (value instanceof Tuple) return "a tuple";
  if (Array.isArray(value)) return "a list";
  if (ArrayBuffer.isView(value)) return "a byte string";
  if (value instanceof FrozenSet) return "a frozen set";
  if (value instanceof Set) return "a set";
  if (value instanceof Map || isPlain(value)) return "a dict";
  if (value instanceof Float) return "a float";
  if (value instanceof Decimal) return "a decimal";
  try {
    const name: unknown = Object.getPrototypeOf(value).constructor.name;
    if (typeof name === "string" && /^[A-Za-z_$][\w$]{0,63}$/.test(name)) return `an instance of ${name}`;
  } catch {
    // A proxy may refuse to tell, and a prototype need not have a constructor.
  }
  return "an object";
}

/** Whether an object is a dict on the wire by itself: not an instance of a class. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A name, perhaps of a stranger, in single quotes as Foolscap writes it. */
export function quoteName(name: string): string {
  return `'${quoteForeign(name, 64).slice(1, -1)}'`;
}
