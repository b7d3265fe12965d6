/**
 * Decimals. Foolscap has no constraint for them; its users asked for one.
 *
 * @module
 */

import { Decimal } from "../../values/decimal.ts";
import { BytesRule } from "./bytes.ts";
import { type Checking, REFUSED, type Refused } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { kindOf } from "./kind_of.ts";
import { checkCount } from "./options.ts";
import { OPENS } from "./tasters.ts";

/** How long a decimal may be. */
export interface DecimalOptions {
  /** Characters of its text. Default: as many as the Tub's `maxIntegerBytes` lets in. */
  readonly maxLength?: number | undefined;
}

class DecimalRule extends Constraint<Decimal, Decimal> {
  override readonly name = "Decimal";
  protected override readonly taster = OPENS;
  readonly #maxLength: number;
  readonly #contents: Contents | undefined;

  constructor({ maxLength }: DecimalOptions = {}) {
    super();
    this.#maxLength = checkCount("maxLength", maxLength, Infinity);
    if (this.#maxLength === Infinity) return;
    const body = new BytesRule({ maxLength: this.#maxLength });
    this.#contents = { maxChildren: 1, at: () => body };
  }

  override within(word: string): Contents | undefined | Refused {
    return word === "decimal" ? this.#contents : REFUSED;
  }
  override fits(value: unknown): boolean {
    return value instanceof Decimal;
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!(value instanceof Decimal)) return checking.refuse(() => `${kindOf(value)} is not a decimal`);
    const { length } = value.toString();
    if (length > this.#maxLength) {
      return checking.refuse(`decimal too long (${length} > ${this.#maxLength})`);
    }
    return value;
  }
}

/**
 * Takes `Decimal`s, Python's `decimal.Decimal`. The class itself may be written where a constraint is expected.
 *
 * @param options How long its text may be, in characters.
 * @throws {RangeError} If a length is not a whole number of 0 or more.
 */
export function DecimalConstraint(options?: DecimalOptions): Constraint<Decimal, Decimal> {
  return new DecimalRule(options);
}
