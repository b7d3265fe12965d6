/**
 * Python's naive `datetime.time`.
 *
 * @module
 */

import { type Keyed, type ValueKey, valueKeyOf } from "../../util/keyed.ts";
import { checkTime, isoTime, microsecondsOf, timeKey } from "./date_parts.ts";

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
