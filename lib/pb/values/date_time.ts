/**
 * Python's `datetime`, `date` and `time`.
 *
 * @module
 */

import { type Keyed, type ValueKey, valueKeyOf } from "../../util/keyed.ts";
import { checkDate, checkTime, isoDate, isoTime, microsecondsOf, timeKey } from "./time_delta.ts";

/** What the constructor of a {@linkcode DateTime} takes. */
export type DateTimeFields = [
  year: number,
  month: number,
  day: number,
  hour?: number,
  minute?: number,
  second?: number,
  microsecond?: number,
];

/**
 * A day and a time without a zone, to the microsecond: Python's naive `datetime`. Immutable; as a key of a `Dict` it is
 * compared by value. (Python cannot send one with a zone.)
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const when = new pb.DateTime(2020, 7, 11, 1, 16, 5, 344);
 * assert.equal(String(when), "2020-07-11T01:16:05.000344");
 * assert.deepEqual(pb.unjelly(pb.jelly(when)), when);
 * ```
 */
export class DateTime implements Keyed {
  /** From 1 to 9999. */
  readonly year: number;
  /** From 1 to 12. */
  readonly month: number;
  /** From 1 on. */
  readonly day: number;
  /** From 0 to 23. */
  readonly hour: number;
  /** From 0 to 59. */
  readonly minute: number;
  /** From 0 to 59. */
  readonly second: number;
  /** From 0 to 999,999. */
  readonly microsecond: number;

  /**
   * A day and a time; midnight if no time is given.
   *
   * @throws {RangeError} If there is no such day or time in the years 1 to 9999.
   */
  constructor(...[year, month, day, hour = 0, minute = 0, second = 0, microsecond = 0]: DateTimeFields) {
    checkDate("DateTime", year, month, day);
    checkTime("DateTime", hour, minute, second, microsecond);
    this.year = year;
    this.month = month;
    this.day = day;
    this.hour = hour;
    this.minute = minute;
    this.second = second;
    this.microsecond = microsecond;
    Object.freeze(this);
  }

  /** What the clocks of UTC show at a moment. @throws {RangeError} If it is no moment of the years 1 to 9999. */
  static fromDate(date: Date): DateTime {
    return new DateTime(
      date.getUTCFullYear(),
      date.getUTCMonth() + 1,
      date.getUTCDate(),
      date.getUTCHours(),
      date.getUTCMinutes(),
      date.getUTCSeconds(),
      date.getUTCMilliseconds() * 1000,
    );
  }

  /** The same as a Temporal value. @throws {RangeError} If it has nanoseconds, or is outside the years 1 to 9999. */
  static fromTemporal(value: Temporal.PlainDateTime): DateTime {
    const { year, month, day, hour, minute, second } = value.withCalendar("iso8601");
    return new DateTime(year, month, day, hour, minute, second, microsecondsOf("DateTime", value));
  }

  /** The moment when the clocks of UTC show it. @throws {RangeError} If its microseconds are no whole milliseconds. */
  toDate(): Date {
    if (this.microsecond % 1000 !== 0) {
      throw new RangeError(
        "Cannot make a Date: it has milliseconds, and this DateTime has microseconds, so use toTemporal()",
      );
    }
    const date = new Date(0);
    // Not Date.UTC, which takes years below 100 for those of the last century.
    date.setUTCFullYear(this.year, this.month - 1, this.day);
    date.setUTCHours(this.hour, this.minute, this.second, this.microsecond / 1000);
    return date;
  }

  /** The same as a Temporal value. */
  toTemporal(): Temporal.PlainDateTime {
    const { year, month, day, hour, minute, second, microsecond } = this;
    return new Temporal.PlainDateTime(
      year,
      month,
      day,
      hour,
      minute,
      second,
      Math.floor(microsecond / 1000),
      microsecond % 1000,
    );
  }

  /** As Python's `isoformat()`: `2020-07-11T01:16:05.000344`. */
  toString(): string {
    const { year, month, day, hour, minute, second, microsecond } = this;
    return `${isoDate(year, month, day)}T${isoTime(hour, minute, second, microsecond)}`;
  }

  /** The text. */
  toJSON(): string {
    return this.toString();
  }

  /** The key that equal ones share. */
  [valueKeyOf](): ValueKey {
    return timeKey("dt", this.toString());
  }
}

/** A day: Python's `date`. Immutable; as a key of a `Dict` it is compared by value. */
export class CalendarDate implements Keyed {
  /** From 1 to 9999. */
  readonly year: number;
  /** From 1 to 12. */
  readonly month: number;
  /** From 1 on. */
  readonly day: number;

  /** A day. @throws {RangeError} If there is no such day in the years 1 to 9999. */
  constructor(year: number, month: number, day: number) {
    checkDate("CalendarDate", year, month, day);
    this.year = year;
    this.month = month;
    this.day = day;
    Object.freeze(this);
  }

  /** The day that UTC has at a moment. @throws {RangeError} If it is no moment of the years 1 to 9999. */
  static fromDate(date: Date): CalendarDate {
    return new CalendarDate(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
  }

  /** The same as a Temporal value. @throws {RangeError} If it is outside the years 1 to 9999. */
  static fromTemporal(value: Temporal.PlainDate): CalendarDate {
    const { year, month, day } = value.withCalendar("iso8601");
    return new CalendarDate(year, month, day);
  }

  /** Midnight UTC of the day. */
  toDate(): Date {
    const date = new Date(0);
    date.setUTCFullYear(this.year, this.month - 1, this.day);
    return date;
  }

  /** The same as a Temporal value. */
  toTemporal(): Temporal.PlainDate {
    return new Temporal.PlainDate(this.year, this.month, this.day);
  }

  /** As Python's `isoformat()`: `2020-07-11`. */
  toString(): string {
    return isoDate(this.year, this.month, this.day);
  }

  /** The text. */
  toJSON(): string {
    return this.toString();
  }

  /** The key that equal ones share. */
  [valueKeyOf](): ValueKey {
    return timeKey("d", this.toString());
  }
}

/** A time of day without a zone: Python's naive `time`. Immutable; as a key of a `Dict` it is compared by value. */
export class TimeOfDay implements Keyed {
  /** From 0 to 23. */
  readonly hour: number;
  /** From 0 to 59. */
  readonly minute: number;
  /** From 0 to 59. */
  readonly second: number;
  /** From 0 to 999,999. */
  readonly microsecond: number;

  /** A time of day. @throws {RangeError} If there is no such time. */
  constructor(hour = 0, minute = 0, second = 0, microsecond = 0) {
    checkTime("TimeOfDay", hour, minute, second, microsecond);
    this.hour = hour;
    this.minute = minute;
    this.second = second;
    this.microsecond = microsecond;
    Object.freeze(this);
  }

  /** The same as a Temporal value. @throws {RangeError} If it has nanoseconds. */
  static fromTemporal(value: Temporal.PlainTime): TimeOfDay {
    return new TimeOfDay(value.hour, value.minute, value.second, microsecondsOf("TimeOfDay", value));
  }

  /** The same as a Temporal value. */
  toTemporal(): Temporal.PlainTime {
    const { hour, minute, second, microsecond } = this;
    return new Temporal.PlainTime(hour, minute, second, Math.floor(microsecond / 1000), microsecond % 1000);
  }

  /** As Python's `isoformat()`: `01:16:05.000344`. */
  toString(): string {
    return isoTime(this.hour, this.minute, this.second, this.microsecond);
  }

  /** The text. */
  toJSON(): string {
    return this.toString();
  }

  /** The key that equal ones share. */
  [valueKeyOf](): ValueKey {
    return timeKey("t", this.toString());
  }
}
