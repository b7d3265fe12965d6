/**
 * Lists. Source: Foolscap `slicers/list.py`, `ListConstraint`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { Tuple } from "../../values/tuple.ts";
import type { LengthOptions } from "./bytes.ts";
import { type Checking, REFUSED, type Refused } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { checkCount } from "./options.ts";
import { checkElements } from "./parts.ts";
import { OPENS } from "./tasters.ts";

/** Lists whose elements all keep one rule. */
export class ListRule extends Constraint {
  override readonly name = "ListConstraint";
  protected override readonly taster = OPENS;
  readonly #element: Constraint;
  readonly #maxLength: number;
  readonly #minLength: number;
  readonly #contents: Contents;

  /** @throws {RangeError} If a length is not a whole number of 0 or more. */
  constructor(element: Constraint, { maxLength, minLength }: LengthOptions = {}) {
    super();
    this.#element = element;
    const max = this.#maxLength = checkCount("maxLength", maxLength, Infinity);
    this.#minLength = checkCount("minLength", minLength, 0);
    this.#contents = {
      maxChildren: max,
      at(index) {
        if (index >= max) throw new Violation("the list is full");
        return element;
      },
    };
  }

  override within(word: string): Contents | undefined | Refused {
    return word === "list" ? this.#contents : REFUSED;
  }
  override fits(value: unknown): boolean {
    return Array.isArray(value) && !(value instanceof Tuple);
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!Array.isArray(value) || value instanceof Tuple) return checking.refuse("not a list");
    if (value.length > this.#maxLength) return checking.refuse("list too long");
    if (value.length < this.#minLength) return checking.refuse("list too short");
    return checking.once(
      this,
      value,
      () => checkElements(value, () => this.#element, checking) ?? value,
      value,
    );
  }
}
