/**
 * Until when a capability is good: a time, or how long from now.
 *
 * @module
 */

import { quoteForeign } from "../util/text.ts";

/**
 * Until when: ISO 8601 text, of a duration from now such as `PT1H` or `P30D`, or of a time such as `2030-01-01T00:00:00Z`; a
 * `Date`; a number of milliseconds since 1970; a `Temporal.Duration` from now or a `Temporal.Instant`.
 */
export type ExpiryTime = string | number | Date | Temporal.Duration | Temporal.Instant;

/** The last time that a Date can tell, in milliseconds since 1970. */
const LAST = 8.64e15;

/**
 * The time in milliseconds since 1970.
 *
 * @param now What durations count from. Months and years are those of the calendar in UTC.
 * @throws {TypeError} If it is nothing of the kind.
 * @throws {RangeError} If a text is neither duration nor time, or it is not later than now, or no Date could tell it.
 */
export function expiryTime(expires: ExpiryTime, now: number): number {
  const at = timeOf(expires, now);
  if (!(Math.abs(at) <= LAST)) throw new RangeError("Cannot grant: expires is no time that a Date can tell");
  if (at <= now) {
    throw new RangeError(
      `Cannot grant: it would have expired at ${
        new Date(at).toISOString()
      }; give a time that is still to come`,
    );
  }
  return at;
}

function timeOf(expires: ExpiryTime, now: number): number {
  if (typeof expires === "number") return expires;
  if (typeof expires === "string") return timeOfText(expires, now);
  if (expires instanceof Date) return expires.getTime();
  if (expires instanceof Temporal.Instant) return expires.epochMilliseconds;
  if (expires instanceof Temporal.Duration) return later(expires, now);
  throw new TypeError(
    "Cannot grant: expires is neither text, a Date, a number of milliseconds since 1970, nor one of Temporal's",
  );
}

function timeOfText(text: string, now: number): number {
  try {
    return /^[+-]?P/i.test(text)
      ? later(Temporal.Duration.from(text), now)
      : Temporal.Instant.from(text).epochMilliseconds;
  } catch (cause) {
    throw new RangeError(
      `Cannot grant: expires is ${
        quoteForeign(text, 64)
      }; give a duration such as "PT1H", or a time with its zone ` +
        `such as "2030-01-01T00:00:00Z"`,
      { cause },
    );
  }
}

function later(duration: Temporal.Duration, now: number): number {
  try {
    return Temporal.Instant.fromEpochMilliseconds(Math.floor(now)).toZonedDateTimeISO("UTC").add(duration)
      .epochMilliseconds;
  } catch (cause) {
    throw new RangeError("Cannot grant: expires is a duration that leads beyond what can be told", { cause });
  }
}
