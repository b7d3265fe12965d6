/**
 * What the text of a decimal number says: Python's grammar, and exact comparison of all kinds of numbers.
 *
 * @module
 */

/** A number as sign, digits and power of ten; or none. */
export type DecimalParts =
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
export function partsOfNumber(number: number | bigint): DecimalParts {
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
export function compareParts(a: DecimalParts, b: DecimalParts): number {
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
