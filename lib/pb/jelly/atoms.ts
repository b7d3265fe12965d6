/**
 * Objects without parts, which have forms of their own: dates, times, decimals.
 *
 * Source: Twisted `jelly.py`, `jelly_datetime` and its kin, `jelly_decimal`, `_unjelly_decimal`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { Decimal } from "../../values/decimal.ts";
import type { BananaEncoder } from "../banana/encoder.ts";
import { CalendarDate, DateTime, TimeOfDay } from "../values/date_time.ts";
import { TimeDelta } from "../values/time_delta.ts";

/**
 * Writes a date, time, span of time or decimal.
 *
 * @returns Whether it is one; otherwise nothing is written.
 * @throws {Violation} If it is a decimal that Python's jelly has no form for.
 */
export function writeAtom(value: object, encoder: BananaEncoder): boolean {
  if (value instanceof Decimal) {
    const { coefficient, exponent } = decimalParts(value);
    encoder.list(3);
    encoder.word("decimal");
    encoder.bigInteger(coefficient);
    encoder.bigInteger(exponent);
    return true;
  }
  if (value instanceof DateTime) {
    const { year, month, day, hour, minute, second, microsecond } = value;
    numbers(encoder, "datetime", [year, month, day, hour, minute, second, microsecond]);
  } else if (value instanceof CalendarDate) numbers(encoder, "date", [value.year, value.month, value.day]);
  else if (value instanceof TimeOfDay) {
    numbers(encoder, "time", [value.hour, value.minute, value.second, value.microsecond]);
  } else if (value instanceof TimeDelta) {
    numbers(encoder, "timedelta", [value.days, value.seconds, value.microseconds]);
  } else return false;
  return true;
}

function numbers(encoder: BananaEncoder, tag: string, values: readonly number[]): void {
  encoder.list(2);
  encoder.word(tag);
  encoder.word(values.join(" "));
}

/** Digits of the largest coefficient, 2^448 - 1. */
const MAX_DIGITS = 135;
const FINITE = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/**
 * The two numbers of a decimal. The sign of -0 is lost, as in Twisted.
 *
 * @throws {Violation} If it is not finite, or its coefficient has more digits than an integer may have.
 */
export function decimalParts(value: Decimal): { readonly coefficient: bigint; readonly exponent: bigint } {
  const match = FINITE.exec(value.toString());
  if (match === null) {
    throw new Violation("Cannot send a Decimal that is not finite: Perspective Broker has no form for it");
  }
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits.length > MAX_DIGITS) {
    throw new Violation(
      `Cannot send a Decimal of more than ${MAX_DIGITS} digits: Perspective Broker has no room for it`,
    );
  }
  const magnitude = BigInt(digits);
  return {
    coefficient: sign === "-" ? -magnitude : magnitude,
    exponent: BigInt(exponent) - BigInt(fraction.length),
  };
}

/**
 * The decimal of two numbers, with the text that Python gives it.
 *
 * @throws {Violation} If its exponent is more than Python can hold.
 */
export function decimalOf(coefficient: number | bigint, exponent: number | bigint): Decimal {
  const isNegative = coefficient < 0;
  const digits = String(isNegative ? -coefficient : coefficient);
  const power = BigInt(exponent);
  const left = power + BigInt(digits.length);
  let text: string;
  if (power <= 0n && left > -6n) {
    const point = Number(left);
    text = power === 0n
      ? digits
      : point > 0
      ? `${digits.slice(0, point)}.${digits.slice(point)}`
      : `0.${"0".repeat(-point)}${digits}`;
  } else {
    const shown = left - 1n;
    const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
    text = `${mantissa}E${shown < 0n ? "" : "+"}${shown}`;
  }
  try {
    return new Decimal(isNegative ? `-${text}` : text);
  } catch (cause) {
    throw new Violation("Cannot read a decimal: its exponent is out of range", { cause });
  }
}
