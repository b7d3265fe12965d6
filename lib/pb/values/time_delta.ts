/**
 * Spans of time, and the parts of dates and times.
 *
 * @module
 */

import { type Keyed, type ValueKey, valueKeyOf } from "../../util/keyed.ts";
import { shortKey } from "../../values/value_key.ts";

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Checks a number of a date or time.
 *
 * @throws {RangeError} If it is not a whole number between the two.
 */
function checkField(kind: string, field: string, value: number, least: number, most: number): void {
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
function two(value: number): string {
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

const SECONDS_A_DAY = 86_400, MICROSECONDS_A_SECOND = 1_000_000;
const MICROSECONDS_A_DAY = BigInt(SECONDS_A_DAY * MICROSECONDS_A_SECOND);
const MAX_DAYS = 999_999_999;

/**
 * A span of time, to the microsecond: Python's `timedelta`. As there, only the days are ever negative: a second less
 * than nothing is -1 day and 86,399 seconds. Immutable; as a key of a `Dict` it is compared by value.
 */
export class TimeDelta implements Keyed {
  /** From -999,999,999 to 999,999,999. */
  readonly days: number;
  /** From 0 to 86,399. */
  readonly seconds: number;
  /** From 0 to 999,999. */
  readonly microseconds: number;

  /**
   * The sum of whole days, seconds and microseconds, each of either sign and any size.
   *
   * @throws {RangeError} If one is no safe integer, or the sum has too many days.
   */
  constructor(days = 0, seconds = 0, microseconds = 0) {
    for (const [field, value] of Object.entries({ days, seconds, microseconds })) {
      checkField("TimeDelta", field, value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    }
    const carry = Math.floor(microseconds / MICROSECONDS_A_SECOND);
    const allSeconds = seconds + carry;
    const allDays = days + Math.floor(allSeconds / SECONDS_A_DAY);
    checkField("TimeDelta", "number of days", allDays, -MAX_DAYS, MAX_DAYS);
    this.days = allDays;
    this.seconds = allSeconds - Math.floor(allSeconds / SECONDS_A_DAY) * SECONDS_A_DAY;
    this.microseconds = microseconds - carry * MICROSECONDS_A_SECOND;
    Object.freeze(this);
  }

  /** A span of so many microseconds. @throws {RangeError} If they are too many days. */
  static fromMicroseconds(total: bigint): TimeDelta {
    let days = total / MICROSECONDS_A_DAY;
    let rest = total % MICROSECONDS_A_DAY;
    if (rest < 0n) {
      days -= 1n;
      rest += MICROSECONDS_A_DAY;
    }
    const second = BigInt(MICROSECONDS_A_SECOND);
    return new TimeDelta(Number(days), Number(rest / second), Number(rest % second));
  }

  /** A Temporal span without years, months and weeks. @throws {RangeError} If it has any, or nanoseconds. */
  static fromTemporal(value: Temporal.Duration): TimeDelta {
    if (value.years !== 0 || value.months !== 0 || value.nanoseconds !== 0) {
      throw new RangeError(
        "Cannot make a TimeDelta: it has days, seconds and microseconds, and no years, months or nanoseconds",
      );
    }
    const hours = BigInt(value.weeks * 7 + value.days) * 24n + BigInt(value.hours);
    const seconds = (hours * 60n + BigInt(value.minutes)) * 60n + BigInt(value.seconds);
    return TimeDelta.fromMicroseconds(
      (seconds * 1000n + BigInt(value.milliseconds)) * 1000n + BigInt(value.microseconds),
    );
  }

  /** All of it in microseconds. */
  get totalMicroseconds(): bigint {
    return BigInt(this.days) * MICROSECONDS_A_DAY +
      BigInt(this.seconds * MICROSECONDS_A_SECOND + this.microseconds);
  }

  /** The same as a Temporal value, in days, seconds and microseconds of one sign. */
  toTemporal(): Temporal.Duration {
    const total = this.totalMicroseconds;
    const rest = Number(total % MICROSECONDS_A_DAY);
    return Temporal.Duration.from({
      days: Number(total / MICROSECONDS_A_DAY),
      seconds: Math.trunc(rest / MICROSECONDS_A_SECOND),
      microseconds: rest % MICROSECONDS_A_SECOND,
    });
  }

  /** As Python's `str`: `-1 day, 0:00:05.000007`. */
  toString(): string {
    const { days, seconds, microseconds } = this;
    const clock = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    const time = microseconds === 0 ? clock : `${clock}.${String(microseconds).padStart(6, "0")}`;
    return days === 0 ? time : `${days} day${Math.abs(days) === 1 ? "" : "s"}, ${time}`;
  }

  /** The text. */
  toJSON(): string {
    return this.toString();
  }

  /** The key that equal ones share. */
  [valueKeyOf](): ValueKey {
    return timeKey("td", `${this.days} ${this.seconds} ${this.microseconds}`);
  }
}
