/**
 * What the classes of dates and times have in common: checks, and texts of numbers.
 *
 * @module
 */

import { shortKey } from "../../values/value_key.ts";

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Checks a number of a date or time.
 *
 * @throws {RangeError} If it is not a whole number between the two.
 */
export function checkField(kind: string, field: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot make a ${kind}: its ${field} is ${
      String(value)
    }, and must be a whole number from ${least} to ${most}`,
  );
}

/** Checks a day as Python's calendar has it: years 1 to 9999. @throws {RangeError} If there is no such day. */
export function checkDate(kind: string, year: number, month: number, day: number): void {
  checkField(kind, "year", year, 1, 9999);
  checkField(kind, "month", month, 1, 12);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  checkField(kind, "day", day, 1, month === 2 && !isLeap ? 28 : DAYS[month - 1]!);
}

/** Checks a time of day. @throws {RangeError} If there is no such time. */
export function checkTime(
  kind: string,
  hour: number,
  minute: number,
  second: number,
  microsecond: number,
): void {
  checkField(kind, "hour", hour, 0, 23);
  checkField(kind, "minute", minute, 0, 59);
  checkField(kind, "second", second, 0, 59);
  checkField(kind, "microsecond", microsecond, 0, 999_999);
}

/** Two digits. */
export function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** A year, month and day as ISO 8601 has them. */
export function isoDate(year: number, month: number, day: number): string {
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
}

/** A time as Python's `isoformat` has it: microseconds only where there are any. */
export function isoTime(hour: number, minute: number, second: number, microsecond: number): string {
  const fraction = microsecond === 0 ? "" : `.${String(microsecond).padStart(6, "0")}`;
  return `${two(hour)}:${two(minute)}:${two(second)}${fraction}`;
}

/** The key by which equal dates, times or durations are one key of a `Dict`. */
export function timeKey(kind: string, text: string): string {
  return shortKey(`\0T${kind}${text}`);
}

/** Milliseconds and microseconds of what a Temporal value has below the second. @throws {RangeError} If not exact. */
export function microsecondsOf(
  kind: string,
  value: { readonly millisecond: number; readonly microsecond: number; readonly nanosecond: number },
): number {
  if (value.nanosecond !== 0) {
    throw new RangeError(
      `Cannot make a ${kind}: it has microseconds, and the value given has nanoseconds, so round it`,
    );
  }
  return value.millisecond * 1000 + value.microsecond;
}
