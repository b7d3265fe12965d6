/**
 * Values by name, each with a rule of its own: the state of a Copyable, or a dict with known keys.
 *
 * Source: Foolscap `copyable.py`, `AttributeDictConstraint`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { segmentOf, violationAt } from "../path.ts";
import { Checking } from "./checking.ts";
import { ChoiceRule } from "./choice.ts";
import { checkPart, Constraint, type Contents } from "./constraint.ts";
import { isPlain, kindOf, quoteName } from "./kind_of.ts";
import { OPENS } from "./tasters.ts";
import { OptionalRule } from "./wrapping.ts";

/** What happens to names that no rule is for. */
export interface UnknownOptions {
  /** They are dropped. Default: they are a Violation. */
  readonly ignoreUnknown?: boolean | undefined;
  /** They are taken, with any value. Default: they are a Violation. */
  readonly acceptUnknown?: boolean | undefined;
}

/** Values by name. */
export class AttributeDictRule<In = unknown, Out = unknown> extends Constraint<In, Out> {
  override readonly name: string = "AttributeDictConstraint";
  protected override readonly taster = OPENS;
  readonly #rules: ReadonlyMap<string, Constraint>;
  readonly #ignores: boolean;
  readonly #accepts: boolean;
  readonly #contents: Contents;

  /**
   * @param text The rule for keys, where the values are a dict.
   * @throws {TypeError} If a name is empty, not well-formed or there twice.
   */
  constructor(
    rules: Iterable<readonly [string, Constraint]>,
    text: Constraint,
    options: UnknownOptions = {},
  ) {
    super();
    const all = new Map<string, Constraint>();
    for (const [name, rule] of rules) {
      if (typeof name !== "string" || name === "" || !name.isWellFormed()) {
        throw new TypeError(
          "Cannot make a constraint: the name of an attribute is empty or no well-formed text",
        );
      }
      if (all.has(name)) {
        throw new TypeError(`Cannot make a constraint: attribute ${quoteName(name)} is there twice`);
      }
      all.set(name, rule);
    }
    this.#rules = all;
    this.#ignores = options.ignoreUnknown === true;
    this.#accepts = options.acceptUnknown === true;
    const takesUnknown = this.#ignores || this.#accepts;
    const value = takesUnknown ? undefined : new ChoiceRule([...all.values()]);
    const max = takesUnknown ? Infinity : 2 * all.size;
    this.#contents = {
      maxChildren: max,
      at(index) {
        if (index >= max) throw new Violation("the dict is full");
        return index % 2 === 0 ? text : value;
      },
    };
  }

  /**
   * The rule for an attribute whose name has come.
   *
   * @returns `undefined` if any value will do: it is taken, or dropped in the end.
   * @throws {Violation} If there is no such attribute.
   */
  attribute(name: string): Constraint | undefined {
    const rule = this.#rules.get(name);
    if (rule === undefined && !this.#ignores && !this.#accepts) {
      throw new Violation(`unknown attribute ${quoteName(name)}`);
    }
    return rule;
  }

  /**
   * Checks all attributes of an object, by default those that have come. Unlike in Foolscap, one that is missing is
   * found out.
   *
   * @returns The state that goes on: without what is ignored, and with the defaults of what was left out. The same
   * object if nothing changes.
   * @throws {Violation} If an attribute breaks its rule, is unknown, or is missing.
   */
  checkState(
    state: Record<string, unknown>,
    direction: "inbound" | "outbound" = "inbound",
  ): Record<string, unknown> {
    return this.#checkState(state, new Checking(direction));
  }

  override inside(word: string, detail: string | undefined): Contents | undefined {
    return word === "dict" ? this.#contents : super.inside(word, detail);
  }
  override fits(value: unknown): boolean {
    return isPlain(value);
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!isPlain(value)) throw new Violation(`${kindOf(value)} is not a Dictionary`);
    return checking.once(this, value, () => this.#checkState(value, checking));
  }

  #checkState(state: Record<string, unknown>, checking: Checking): Record<string, unknown> {
    const result: Record<string, unknown> = Object.create(null);
    let isChanged = false;
    for (const name of Object.keys(state)) {
      const value = state[name];
      const rule = this.#rules.get(name);
      if (rule === undefined) {
        if (!this.#accepts && !this.#ignores) throw new Violation(`key ${quoteName(name)} not in schema`);
        if (this.#accepts) result[name] = value;
        else isChanged = true;
      } else if (value === undefined && rule instanceof OptionalRule && checking.direction === "outbound") {
        isChanged = true; // as if it had been left out
      } else {
        result[name] = checkAttribute(rule, name, value, checking);
        isChanged ||= !Object.is(result[name], value);
      }
    }
    const missing: string[] = [];
    for (const [name, rule] of this.#rules) {
      if (name in result) continue;
      if (!(rule instanceof OptionalRule)) missing.push(name);
      else if (rule.otherwise !== undefined && checking.direction === "inbound") {
        result[name] = rule.otherwise.value;
        isChanged = true;
      }
    }
    if (missing.length > 0) throw new Violation(`object is missing required keys: ${missing.join(",")}`);
    return isChanged ? result : state;
  }
}

function checkAttribute(rule: Constraint, name: string, value: unknown, checking: Checking): unknown {
  try {
    return checkPart(rule, value, checking);
  } catch (error) {
    throw error instanceof Violation ? violationAt(error, segmentOf(name)) : error;
  }
}
