/**
 * Python's `decimal.Decimal`, as exact text.
 *
 * @module
 */

import { DEFAULT_LIMITS } from "../limits.ts";
import { quoteForeign } from "../util/text.ts";
import { compareParts, type DecimalParts, parseDecimal, partsOfNumber } from "./decimal_parts.ts";
import { type Keyed, type ValueKey, valueKeyOf } from "../util/keyed.ts";
import { numberKey, shortKey } from "./value_key.ts";

/** Decimals of up to this many digits before the point have the same key as an equal int. */
const MAX_INTEGER_DIGITS = 400;
/** Digits and binary places of the longest number that a double holds exactly. */
const MAX_FLOAT_DIGITS = 767, MAX_FLOAT_PLACES = 1_074;

/**
 * A decimal number that keeps its text: `1.10` stays `1.10`. It does no arithmetic; take `toNumber()`, or the
 * text to a library of your choice. Immutable. Foolscap: `slicers/decimal_slicer.py`.
 *
 * As a key of a `Dict` it is compared by its number, as in Python: `1.0`, `1.00` and the int 1 are one key, and
 * so are `0.5` and the float 0.5. (Ints of more than 400 digits excepted: they differ from equal Decimals.)
 */
export class Decimal implements Keyed {
  readonly #text: string;

  /**
   * A decimal number from Python's text for it.
   *
   * @param text Such as `1.10`, `-0`, `1E+10`, `NaN`, `sNaN`, `-Infinity`; without white space or underscores.
   * @param maxCharacters Longest text accepted.
   * @throws {TypeError} If `text` is not a string.
   * @throws {RangeError} If it is too long, is no decimal number, or its exponent is more than Python can hold.
   */
  constructor(text: string, maxCharacters: number = DEFAULT_LIMITS.maxStringBytes) {
    if (typeof text !== "string") {
      throw new TypeError(
        `Cannot make a Decimal: got ${typeof text}, and its text is needed, such as "1.10"`,
      );
    }
    if (text.length > maxCharacters) {
      throw new RangeError(
        `Cannot make a Decimal: text of ${text.length} characters exceeds the limit of ${maxCharacters}`,
      );
    }
    if (parseDecimal(text) === undefined) {
      throw new RangeError(
        `Cannot make a Decimal: ${quoteForeign(text)} is not a number in Python's notation`,
      );
    }
    this.#text = text;
    Object.freeze(this);
  }

  /** The text, exactly as it was given. */
  toString(): string {
    return this.#text;
  }

  /** The text: JSON has no exact numbers. */
  toJSON(): string {
    return this.#text;
  }

  /** The nearest number; NaN for `NaN` and `sNaN`. */
  toNumber(): number {
    const parts = this.#parts();
    if (parts.kind === "nan") return NaN;
    if (parts.kind === "infinity") return parts.isNegative ? -Infinity : Infinity;
    return Number(this.#text);
  }

  /**
   * Refuses: a Decimal turned into a number, or pasted to one, by an operator would lose digits unseen.
   *
   * @throws {TypeError} Always.
   */
  valueOf(): never {
    throw new TypeError("Cannot calculate with a Decimal: call toNumber(), toString() or compare()");
  }

  /** Whether the other has the same text: `1.0` and `1.00` differ. */
  equals(other: Decimal): boolean {
    return this.#text === other.#text;
  }

  /**
   * Compares by number, exactly.
   *
   * @param other A decimal or another number.
   * @returns Less than 0, 0 or more than 0 as this is less, equal or more; NaN if either is not a number.
   */
  compare(other: Decimal | number | bigint): number {
    return compareParts(this.#parts(), other instanceof Decimal ? other.#parts() : partsOfNumber(other));
  }

  /** The key of the number, the same for all that equal it in Python. */
  [valueKeyOf](): ValueKey {
    const parts = this.#parts();
    if (parts.kind === "infinity") return numberKey(parts.isNegative ? -Infinity : Infinity);
    if (parts.kind === "nan") return shortKey(`\0d${this.#text.toLowerCase()}`);
    if (parts.digits === "") return 0;
    const integer = integerOf(parts);
    if (integer !== undefined) return numberKey(integer);
    if (isFloat(parts)) return numberKey(Number(this.#text));
    return shortKey(`\0d${parts.isNegative ? "-" : ""}${parts.digits}e${parts.exponent}`);
  }

  /** How `Deno.inspect` and `console.log` show it. */
  [Symbol.for("Deno.customInspect")](): string {
    return `Decimal("${this.#text}")`;
  }

  // Read again each time: a received Decimal is mostly printed or passed on, and should cost no more than its text.
  #parts(): DecimalParts {
    return parseDecimal(this.#text)!;
  }
}

type Finite = DecimalParts & { readonly kind: "finite" };

/** The integer that it is, if it is one of bounded length: `1E+999999` is seven bytes from a peer. */
function integerOf({ isNegative, digits, exponent }: Finite): bigint | undefined {
  if (exponent < 0n || exponent + BigInt(digits.length) > BigInt(MAX_INTEGER_DIGITS)) return undefined;
  const magnitude = BigInt(digits) * 10n ** exponent;
  return isNegative ? -magnitude : magnitude;
}

/** Whether a double holds exactly this number, which is no integer. */
function isFloat({ digits, exponent }: Finite): boolean {
  const places = Number(-exponent);
  if (exponent >= 0n || places > MAX_FLOAT_PLACES || digits.length > MAX_FLOAT_DIGITS) return false;
  // The digits must be m * 5**places with m below 2**53, so their count is nearly known without calculating.
  const least = places * Math.log10(5);
  if (!digits.endsWith("5") || digits.length < Math.floor(least) || digits.length > least + 17) return false;
  const divisor = 5n ** BigInt(places);
  const all = BigInt(digits);
  return all % divisor === 0n && all / divisor < 2n ** 53n;
}
