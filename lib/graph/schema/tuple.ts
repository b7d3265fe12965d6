/**
 * Tuples. Source: Foolscap `slicers/tuple.py`, `TupleConstraint`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { Tuple } from "../../values/tuple.ts";
import { type Checking, REFUSED, type Refused } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { checkElements } from "./parts.ts";
import { OPENS } from "./tasters.ts";

/**
 * Tuples with a rule for each element. Where one is to be sent, a plain Array becomes one: JavaScript has no other
 * way to write a tuple down, and the declaration says which is meant.
 */
export class TupleRule extends Constraint {
  override readonly name = "TupleConstraint";
  protected override readonly taster = OPENS;
  readonly #elements: readonly Constraint[];
  readonly #contents: Contents;

  /** A rule for each element, in order. */
  constructor(elements: readonly Constraint[]) {
    super();
    this.#elements = elements;
    this.#contents = {
      maxChildren: elements.length,
      at(index) {
        if (index >= elements.length) throw new Violation("the tuple is full");
        return elements[index];
      },
    };
  }

  override within(word: string): Contents | undefined | Refused {
    return word === "tuple" ? this.#contents : REFUSED;
  }
  override fits(value: unknown): boolean {
    return Array.isArray(value);
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!Array.isArray(value)) return checking.refuse("not a tuple");
    if (checking.direction === "inbound" && !(value instanceof Tuple)) return checking.refuse("not a tuple");
    if (value.length !== this.#elements.length) return checking.refuse("wrong size tuple");
    return checking.once(this, value, () => {
      const changed = checkElements(value, (i) => this.#elements[i]!, checking);
      if (changed === REFUSED) return REFUSED;
      if (changed !== undefined) return Tuple.from(changed);
      return value instanceof Tuple ? value : Tuple.from(value);
    }, value);
  }
}
