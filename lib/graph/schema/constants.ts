/**
 * Booleans and `null`. Source: Foolscap `slicers/bool.py`, `slicers/none.py`.
 *
 * @module
 */

import { type Checking, REFUSED, type Refused } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { kindOf } from "./kind_of.ts";
import { OPENS } from "./tasters.ts";

class BooleanRule extends Constraint<boolean, boolean> {
  override readonly name = "BooleanConstraint";
  protected override readonly taster = OPENS;
  readonly #only: boolean | undefined;

  constructor(only?: boolean) {
    super();
    this.#only = only;
  }

  override within(word: string): Contents | undefined | Refused {
    return word === "boolean" ? undefined : REFUSED;
  }
  override fits(value: unknown): boolean {
    return typeof value === "boolean";
  }
  override check(value: unknown, checking: Checking): unknown {
    if (typeof value !== "boolean") return checking.refuse("not a bool");
    // Foolscap's words.
    if (this.#only !== undefined && value !== this.#only) {
      return checking.refuse(`not ${this.#only ? "True" : "False"}`);
    }
    return value;
  }
}

class NothingRule extends Constraint<null | undefined, null> {
  override readonly name = "Nothing";
  protected override readonly taster = OPENS;

  override within(word: string): Contents | undefined | Refused {
    return word === "none" ? undefined : REFUSED;
  }
  override fits(value: unknown): boolean {
    return value === null || value === undefined;
  }
  override check(value: unknown, checking: Checking): unknown {
    if (value !== null && value !== undefined) return checking.refuse(() => `${kindOf(value)} is not None`);
    return null; // which a peer that knows `undefined` is not told
  }
}

/**
 * Takes booleans. Numbers are none, and booleans are no numbers, unlike in Python.
 *
 * @param value The only one that it takes. Default: both.
 */
export function BooleanConstraint<B extends boolean = boolean>(value?: B): Constraint<B, B> {
  return new BooleanRule(value) as unknown as Constraint<B, B>;
}

/** Takes `null` and `undefined`, Python's `None`, and nothing else. Written as `null` where a constraint is expected. */
export function Nothing(): Constraint<null | undefined, null> {
  return new NothingRule();
}
