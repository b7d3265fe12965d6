/**
 * Decimal numbers as Python has them.
 *
 * @module
 */

import { DEFAULT_LIMITS } from "../limits.ts";
import { type Keyed, type ValueKey, valueKeyOf } from "../util/keyed.ts";
import { quoteForeign } from "../util/text.ts";
import { numberKey, shortKey } from "./value_key.ts";

/** A number as sign, digits and power of ten; or none. */
type DecimalParts =
  | {
    /** A number with an end. */
    readonly kind: "finite";
    /** Whether there is a minus sign; also in front of 0. */
    readonly isNegative: boolean;
    /** The digits without zeros at either end; empty for 0. */
    readonly digits: string;
    /** The power of ten by which the digits, as an integer, are multiplied. */
    readonly exponent: bigint;
  }
  | { readonly kind: "infinity"; readonly isNegative: boolean }
  | { readonly kind: "nan"; readonly isSignaling: boolean };

/** Python's `MAX_EMAX`: the greatest power of ten of a number's first digit. */
const MAX_ADJUSTED_EXPONENT = 999_999_999_999_999_999n;
/** Python's `MIN_ETINY`: the smallest power of ten of a number's last digit. */
const MIN_EXPONENT = -1_999_999_999_999_999_997n;
/** A longer exponent is out of range whatever its digits; leading zeros aside. */
const MAX_EXPONENT_DIGITS = 19;

/**
 * Reads a decimal number by the grammar of Python's `decimal`, in time linear in its length.
 *
 * Python's constructor also takes white space around it, underscores, and digits other than 0 to 9. Its `str()`,
 * which is what crosses the wire, never writes them, so they are refused here.
 *
 * @param text Such as `1.10`, `-0`, `1E+10`, `Infinity`, `sNaN123`.
 * @returns Its parts, or undefined if the text is none, or its exponent is beyond what Python can hold.
 */
export function parseDecimal(text: string): DecimalParts | undefined {
  const first = text[0];
  const isNegative = first === "-";
  const start = isNegative || first === "+" ? 1 : 0;
  const lead = text.charCodeAt(start) | 0x20;
  if (lead > 0x39) return parseSpecial(text.slice(start), isNegative);

  const pointOrEnd = skipDigits(text, start);
  const hasPoint = text[pointOrEnd] === ".";
  const end = hasPoint ? skipDigits(text, pointOrEnd + 1) : pointOrEnd;
  const whole = text.slice(start, pointOrEnd);
  const fraction = hasPoint ? text.slice(pointOrEnd + 1, end) : "";
  if (whole === "" && fraction === "") return undefined;

  const written = parseExponent(text.slice(end));
  if (written === undefined) return undefined;
  const lastExponent = written - BigInt(fraction.length);
  const { digits, dropped, length } = stripZeros(whole + fraction);
  if (lastExponent < MIN_EXPONENT) return undefined;
  if (lastExponent + BigInt(Math.max(length, 1) - 1) > MAX_ADJUSTED_EXPONENT) return undefined;
  const exponent = digits === "" ? 0n : lastExponent + BigInt(dropped);
  return { kind: "finite", isNegative, digits, exponent };
}

function parseSpecial(word: string, isNegative: boolean): DecimalParts | undefined {
  const name = word.slice(0, 8).toLowerCase();
  if (word.length <= 8 && (name === "inf" || name === "infinity")) return { kind: "infinity", isNegative };
  const isSignaling = name.startsWith("s");
  const start = isSignaling ? 4 : 3;
  if (name.slice(isSignaling ? 1 : 0, start) !== "nan" || skipDigits(word, start) < word.length) {
    return undefined;
  }
  return { kind: "nan", isSignaling };
}

function parseExponent(text: string): bigint | undefined {
  if (text === "") return 0n;
  if (text[0] !== "e" && text[0] !== "E") return undefined;
  const isNegative = text[1] === "-";
  const start = isNegative || text[1] === "+" ? 2 : 1;
  if (start === text.length || skipDigits(text, start) < text.length) return undefined;
  let significant = start;
  while (text[significant] === "0") significant++;
  if (text.length - significant > MAX_EXPONENT_DIGITS) return undefined;
  const magnitude = BigInt(text.slice(significant) || "0");
  return isNegative ? -magnitude : magnitude;
}

/** The index of the first character from `index` on that is not a digit. */
function skipDigits(text: string, index: number): number {
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x30 || code > 0x39) break;
  }
  return index;
}

/** Digits without zeros at either end, how many were dropped at the end, and the length without those in front. */
function stripZeros(digits: string): { digits: string; dropped: number; length: number } {
  let start = 0, end = digits.length;
  while (start < end && digits[start] === "0") start++;
  while (end > start && digits[end - 1] === "0") end--;
  return { digits: digits.slice(start, end), dropped: digits.length - end, length: digits.length - start };
}

/**
 * A JavaScript number, exactly.
 *
 * @param number A bigint, or a number; NaN and the infinities too.
 */
function partsOfNumber(number: number | bigint): DecimalParts {
  if (typeof number === "number" && !Number.isFinite(number)) {
    return Number.isNaN(number)
      ? { kind: "nan", isSignaling: false }
      : { kind: "infinity", isNegative: number < 0 };
  }
  let magnitude = number < 0 ? -number : number;
  let binaryPlaces = 0;
  for (; typeof magnitude === "number" && !Number.isInteger(magnitude); binaryPlaces++) magnitude *= 2;
  // m / 2**k is m * 5**k / 10**k: every binary fraction ends in decimal too.
  const scaled = BigInt(magnitude) * 5n ** BigInt(binaryPlaces);
  const { digits, dropped } = stripZeros(scaled.toString());
  return {
    kind: "finite",
    isNegative: number < 0,
    digits,
    exponent: digits === "" ? 0n : BigInt(dropped - binaryPlaces),
  };
}

/**
 * Compares two numbers exactly.
 *
 * @returns Less than 0, 0, or more than 0; NaN if either is not a number.
 */
function compareParts(a: DecimalParts, b: DecimalParts): number {
  if (a.kind === "nan" || b.kind === "nan") return NaN;
  const signOfA = signOf(a), signOfB = signOf(b);
  if (signOfA !== signOfB || signOfA === 0) return signOfA - signOfB;
  if (a.kind === "infinity" || b.kind === "infinity") {
    return a.kind === b.kind ? 0 : a.kind === "infinity" ? signOfA : -signOfA;
  }
  const topOfA = a.exponent + BigInt(a.digits.length), topOfB = b.exponent + BigInt(b.digits.length);
  if (topOfA !== topOfB) return topOfA < topOfB ? -signOfA : signOfA;
  // Both begin with a digit of the same place and end with another than 0: text order is number order.
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -signOfA : signOfA;
}

function signOf(parts: DecimalParts & { readonly isNegative: boolean }): number {
  if (parts.kind === "finite" && parts.digits === "") return 0;
  return parts.isNegative ? -1 : 1;
}

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
