/**
 * Python's `datetime.date`.
 *
 * @module
 */

import { type Keyed, type ValueKey, valueKeyOf } from "../../util/keyed.ts";
import { checkDate, isoDate, timeKey } from "./date_parts.ts";

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
