/**
 * Sets and frozen sets. Source: Foolscap `slicers/set.py`, `SetConstraint`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { FrozenSet } from "../../values/frozen_set.ts";
import { ValueSet } from "../../values/value_set.ts";
import { type Checking, REFUSED, type Refused } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { checkCount } from "./options.ts";
import { checkElements } from "./parts.ts";
import { OPENS } from "./tasters.ts";

/** What a set may be. */
export interface SetOptions {
  /** Most members. Default: any number. */
  readonly maxLength?: number | undefined;
  /** `true` for sets, `false` for frozen sets. Default: both. */
  readonly mutable?: boolean | undefined;
}

/** Sets whose members all keep one rule. */
export class SetRule extends Constraint {
  override readonly name = "SetConstraint";
  protected override readonly taster = OPENS;
  readonly #member: Constraint;
  readonly #maxLength: number;
  readonly #mutable: boolean | undefined;
  readonly #contents: Contents;

  /** @throws {RangeError} If the length is not a whole number of 0 or more. */
  constructor(member: Constraint, { maxLength, mutable }: SetOptions = {}) {
    super();
    this.#member = member;
    const max = this.#maxLength = checkCount("maxLength", maxLength, Infinity);
    this.#mutable = mutable;
    this.#contents = {
      maxChildren: max,
      at(index) {
        if (index >= max) throw new Violation("the set is full");
        return member;
      },
    };
  }

  override within(word: string): Contents | undefined | Refused {
    if (word === "set" && this.#mutable !== false) return this.#contents;
    if (word === "immutable-set" && this.#mutable !== true) return this.#contents;
    return REFUSED;
  }
  override fits(value: unknown): boolean {
    return value instanceof Set;
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!(value instanceof Set)) return checking.refuse("not a set");
    const isFrozen = value instanceof FrozenSet;
    if (this.#mutable === true && isFrozen) return checking.refuse("obj is a set, but not a mutable one");
    if (this.#mutable === false && !isFrozen) {
      return checking.refuse("obj is a set, but not an immutable one");
    }
    if (value.size > this.#maxLength) return checking.refuse("set is too large");
    return checking.once(this, value, () => {
      const changed = checkElements([...value], () => this.#member, checking);
      if (changed === REFUSED) return REFUSED;
      if (changed === undefined) return value;
      return isFrozen ? FrozenSet.from(changed) : new ValueSet(changed);
    });
  }
}
