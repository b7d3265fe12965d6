/**
 * Objects without parts, which have forms of their own: dates, times, decimals.
 *
 * @module
 */

import { Decimal } from "../../values/decimal.ts";
import type { BananaEncoder } from "../banana/encoder.ts";
import { CalendarDate } from "../values/calendar_date.ts";
import { DateTime } from "../values/date_time.ts";
import { TimeDelta } from "../values/time_delta.ts";
import { TimeOfDay } from "../values/time_of_day.ts";
import { decimalParts } from "./decimals.ts";

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
