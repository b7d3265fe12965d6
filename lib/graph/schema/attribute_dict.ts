/**
 * Constraints for values by name, each with a rule of its own: the state of a Copyable, that of a Failure, or a dict with known
 * keys.
 *
 * Source: Foolscap `copyable.py`, `AttributeDictConstraint`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { MAX_FAILURE_BYTES } from "../../limits.ts";
import { segmentOf, violationAt } from "../path.ts";
import { Checking, isPlain, kindOf, quoteName, REFUSED, type Refused } from "./checking.ts";
import { ChoiceRule } from "./choice.ts";
import { ListRule } from "./collections.ts";
import { checkPart, Constraint, type Contents } from "./constraint.ts";
import { OPENS } from "./tasters.ts";
import { BytesRule } from "./text.ts";
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
    // Outside of a choice, what is refused is thrown.
    return this.#checkState(state, new Checking(direction)) as Record<string, unknown>;
  }

  override within(word: string): Contents | undefined | Refused {
    return word === "dict" ? this.#contents : REFUSED;
  }
  override fits(value: unknown): boolean {
    return isPlain(value);
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!isPlain(value)) return checking.refuse(() => `${kindOf(value)} is not a Dictionary`);
    return checking.once(this, value, () => this.#checkState(value, checking));
  }

  #checkState(state: Record<string, unknown>, checking: Checking): Record<string, unknown> | Refused {
    // Made when something else goes on than what is there: nearly never.
    let result: Record<string, unknown> | undefined;
    let found = 0;
    const names = Object.keys(state);
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      const value = state[name];
      const rule = this.#rules.get(name);
      let isDropped = false;
      let checked = value;
      if (rule === undefined) {
        if (!this.#accepts && !this.#ignores) {
          return checking.refuse(() => `key ${quoteName(name)} not in schema`);
        }
        isDropped = !this.#accepts;
      } else if (value === undefined && rule instanceof OptionalRule && checking.direction === "outbound") {
        isDropped = true; // as if it had been left out
      } else {
        checked = checkAttribute(rule, name, value, checking);
        if (checked === REFUSED) return REFUSED;
        found++;
      }
      if (result === undefined) {
        if (!isDropped && Object.is(checked, value)) continue;
        result = firstOf(state, names, i);
      }
      if (!isDropped) result[name] = checked;
    }
    return found === this.#rules.size ? result ?? state : this.#complete(result ?? state, state, checking);
  }

  /** Fills in the defaults of what was left out. */
  #complete(
    checked: Record<string, unknown>,
    state: Record<string, unknown>,
    checking: Checking,
  ): Record<string, unknown> | Refused {
    let result = checked;
    const missing: string[] = [];
    for (const [name, rule] of this.#rules) {
      if (Object.hasOwn(checked, name)) continue;
      if (!(rule instanceof OptionalRule)) missing.push(name);
      else if (rule.otherwise !== undefined && checking.direction === "inbound") {
        if (result === state) result = firstOf(state, Object.keys(state), Infinity);
        result[name] = rule.otherwise.value;
      }
    }
    if (missing.length > 0) {
      return checking.refuse(() => `object is missing required keys: ${missing.join(",")}`);
    }
    return result;
  }
}

/** A new object of the first properties of another one. */
function firstOf(state: Record<string, unknown>, names: readonly string[], count: number) {
  const first = Object.create(null) as Record<string, unknown>;
  for (let i = 0; i < names.length && i < count; i++) first[names[i]!] = state[names[i]!];
  return first;
}

function checkAttribute(rule: Constraint, name: string, value: unknown, checking: Checking): unknown {
  try {
    return checkPart(rule, value, checking);
  } catch (error) {
    throw error instanceof Violation ? violationAt(error, segmentOf(name)) : error;
  }
}

/** Foolscap's name for the type of a failure on the wire. */
const FAILURE_TYPE = "twisted.python.failure.Failure";
/** Python cuts texts by characters, of which each can have four bytes, and limits bytes. */
const SLACK = 4;

const bytes = (limit: number) => new BytesRule({ maxLength: limit * SLACK });

class FailureRule extends AttributeDictRule<Error, Error> {
  override readonly name = "FailureConstraint";

  constructor() {
    super([
      ["type", bytes(MAX_FAILURE_BYTES.type)],
      ["value", bytes(MAX_FAILURE_BYTES.value)],
      ["traceback", bytes(MAX_FAILURE_BYTES.traceback)],
      ["parents", new ListRule(bytes(MAX_FAILURE_BYTES.type))],
    ], bytes(MAX_FAILURE_BYTES.type));
  }

  override within(word: string, detail?: string): Contents | undefined | Refused {
    // Each attribute has its own rule: `attribute()`. And no dict with such attributes.
    return word === "copyable" && detail === FAILURE_TYPE ? undefined : REFUSED;
  }
  override fits(value: unknown): boolean {
    return value instanceof Error;
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!(value instanceof Error)) {
      return checking.refuse(() => `${kindOf(value)} is not an instance of ${FAILURE_TYPE}`);
    }
    return value;
  }
}

/**
 * Takes the failure of a call, such as an `error` message carries it: an Error. Its four fields have Foolscap's limits,
 * with room for Python's counting of characters.
 */
export function FailureConstraint():
  & Constraint<Error, Error>
  & Pick<AttributeDictRule, "attribute" | "checkState"> {
  return new FailureRule();
}
