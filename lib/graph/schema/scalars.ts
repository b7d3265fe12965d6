/**
 * Constraints for what has no parts: anything, constants, numbers.
 *
 * @module
 */

import { Decimal } from "../../values/decimal.ts";
import { Float } from "../../values/float.ts";
import { FLOAT, INT, LONGINT, LONGNEG, NEG } from "../../wire/tokens.ts";
import { BytesRule } from "./text.ts";
import { type Checking, kindOf, REFUSED, type Refused } from "./checking.ts";
import { checkCount, Constraint, type Contents, type Taster } from "./constraint.ts";
import { EVERYTHING, OPENS } from "./tasters.ts";

class AnyRule extends Constraint {
  override readonly name = "Any";
  protected override readonly taster = EVERYTHING;

  override within(): Contents | undefined {
    return undefined;
  }
  override check(value: unknown): unknown {
    return value;
  }
}

/** The one that there is: it has no state. */
const ANY = new AnyRule();

/**
 * Takes every value. Unlike in Foolscap, integers are limited by the Tub alone, not to 1,000 bytes.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * schema.method([["value", schema.Any()]], schema.Any());
 * ```
 */
export function Any(): Constraint {
  return ANY;
}

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

/** How large an integer may be. */
export interface IntegerOptions {
  /**
   * -1: 32 bits with a sign. 4 or more: its absolute value fits in so many bytes. `null`: any size.
   * Default: -1 for integers, 1024 for numbers.
   */
  readonly maxBytes?: number | null | undefined;
}

/** How large a number may be. */
export interface NumberOptions {
  /** An integer's absolute value fits in so many bytes, 4 or more. `null`: any size. Default: 1024. */
  readonly maxBytes?: number | null | undefined;
}

/** The size that integers have where only their type is named (Foolscap's own number), in bytes. */
export const SHORTCUT_BYTES = 1_024;

/** Integers up to some size. */
export class IntegerRule extends Constraint<number | bigint, number | bigint> {
  override readonly name: string = "IntegerConstraint";
  protected override readonly taster: Taster;
  readonly #isFloatAllowed: boolean;
  readonly #least: bigint;
  readonly #most: bigint;
  readonly #isUnlimited: boolean;

  /** @throws {RangeError} If `maxBytes` is none of the sizes above. */
  constructor(maxBytes: number | null, isFloatAllowed = false) {
    super();
    const isBits = maxBytes === -1 && !isFloatAllowed;
    if (maxBytes !== null && !isBits && !(Number.isSafeInteger(maxBytes) && maxBytes >= 4)) {
      const other = isFloatAllowed ? "" : "-1, ";
      throw new RangeError(
        `Cannot make a constraint: maxBytes is ${maxBytes}, and ${other}null or a whole number of 4 or more is needed`,
      );
    }
    this.#isFloatAllowed = isFloatAllowed;
    this.#isUnlimited = maxBytes === null;
    const most = isBits ? 2n ** 31n : maxBytes === null ? 0n : 2n ** BigInt(8 * maxBytes);
    this.#most = most - 1n;
    this.#least = isBits ? -most : 1n - most;
    const taster = new Map([[INT, Infinity], [NEG, Infinity]]);
    if (!isBits) taster.set(LONGINT, maxBytes ?? Infinity).set(LONGNEG, maxBytes ?? Infinity);
    if (isFloatAllowed) taster.set(FLOAT, Infinity);
    this.taster = taster;
  }

  override fits(value: unknown): boolean {
    return typeof value === "number" || typeof value === "bigint" ||
      (this.#isFloatAllowed && value instanceof Float);
  }
  override check(value: unknown, checking: Checking): unknown {
    if (typeof value === "bigint") {
      const checked = this.#checkSize(value, checking);
      return typeof checked === "bigint" ? exactly(checked) : checked;
    }
    if (typeof value === "number") {
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) return this.#checkSize(value, checking);
      if (this.#isFloatAllowed) return value;
      return checking.refuse("a number with a fraction, or too large for an exact one, is not an integer");
    }
    if (this.#isFloatAllowed && value instanceof Float) return value;
    return checking.refuse(() => `${kindOf(value)} is not a number`);
  }

  #checkSize(value: number | bigint, checking: Checking): unknown {
    if (!this.#isUnlimited && (value > this.#most || value < this.#least)) {
      return checking.refuse("number too large");
    }
    return value;
  }
}

/** A number where that is exact: small bigints would stay bigints, at a peer that can tell. */
function exactly(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Numbers of any type that arrive as a `number`, even where the peer sent an integer that needs a bigint. */
export class PlainNumberRule extends IntegerRule {
  override readonly name: string = "NumberConstraint";

  /** Numbers; integers up to Foolscap's size. */
  constructor() {
    super(SHORTCUT_BYTES, true);
  }

  override check(value: unknown, checking: Checking): unknown {
    const checked = super.check(value, checking);
    if (checking.direction === "outbound" || checked === REFUSED) return checked;
    const plain = checked instanceof Float ? checked.value : Number(checked);
    if (typeof checked === "bigint" && !Number.isFinite(plain)) return checking.refuse("number too large");
    return plain;
  }
}

/** Numbers that are sent as a double. */
class FloatRule extends PlainNumberRule {
  override readonly name = "Float";

  override check(value: unknown, checking: Checking): unknown {
    const checked = super.check(value, checking);
    if (checking.direction === "inbound" || checked instanceof Float || checked === REFUSED) return checked;
    if (typeof value === "bigint") {
      return checking.refuse("a bigint is not a float: turn it into a number first");
    }
    return Number.isSafeInteger(checked) && !Object.is(checked, -0) ? new Float(checked as number) : checked;
  }
}

class NumberRule extends IntegerRule {
  override readonly name = "NumberConstraint";
}

/**
 * Takes integers: integral numbers in the safe range, and bigints. By default those of 32 bits with a sign.
 *
 * @param options How large: 32 bits, so many bytes, or any size.
 * @throws {RangeError} If `maxBytes` is neither -1, `null` nor a whole number of 4 or more.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * schema.method([["count", schema.IntegerConstraint()], ["offset", schema.IntegerConstraint({ maxBytes: 8 })]], null);
 * ```
 */
export function IntegerConstraint(
  options?: { readonly maxBytes?: -1 | 4 | 5 | 6 },
): Constraint<number | bigint, number>;
/** The same for sizes where what arrives may be a bigint. */
export function IntegerConstraint(options: IntegerOptions): Constraint<number | bigint, number | bigint>;
export function IntegerConstraint(
  options: IntegerOptions = {},
): Constraint<number | bigint, number | bigint> {
  const rule = new IntegerRule(options.maxBytes === undefined ? -1 : options.maxBytes);
  return rule;
}

/**
 * Takes integers and floats. Integers from 2^53 on arrive as bigints; the shortcut `Number` makes numbers of them.
 *
 * @param options How large an integer may be. Default: 1,024 bytes.
 * @throws {RangeError} If `maxBytes` is neither `null` nor a whole number of 4 or more.
 */
export function NumberConstraint(
  options: NumberOptions = {},
): Constraint<number | bigint | Float, number | bigint> {
  return new NumberRule(options.maxBytes === undefined ? SHORTCUT_BYTES : options.maxBytes, true);
}

/**
 * Takes numbers and always sends them as Python's `float`, where JavaScript's `3` would otherwise be an `int` to Python.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * schema.method([["seconds", schema.Float()]], schema.ListOf(schema.Float()));
 * ```
 */
export function FloatConstraint(): Constraint<number | Float, number> {
  return new FloatRule() as Constraint<number | Float, number>;
}

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
