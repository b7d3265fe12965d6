/**
 * Dates and times of `Temporal`, each with its own type, calendar and time zone.
 *
 * `OPEN temporal STRING(kind) STRING(text) CLOSE`: the text is that of `toString()`; of a Duration, whose text loses how it
 * was put together, the ten numbers from years to nanoseconds with commas between them.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { URL_COST } from "../costs.ts";
import type { Slicer, Slicing } from "../slicing.ts";
import { TextLeaf } from "./leaf.ts";

/** A class of `Temporal`. */
interface TemporalClass {
  readonly prototype: object;
  from(text: string): object;
}

const DURATION = "Duration";
const KINDS: ReadonlyMap<string, TemporalClass> = new Map<string, TemporalClass>([
  ["Instant", Temporal.Instant],
  ["ZonedDateTime", Temporal.ZonedDateTime],
  ["PlainDateTime", Temporal.PlainDateTime],
  ["PlainDate", Temporal.PlainDate],
  ["PlainTime", Temporal.PlainTime],
  ["PlainYearMonth", Temporal.PlainYearMonth],
  ["PlainMonthDay", Temporal.PlainMonthDay],
  [DURATION, Temporal.Duration],
]);
/** More than any of them has, in bytes: kind, and text. */
const LIMITS = [32, 400];

function sliceTemporal(kind: string, value: object, out: Slicing): void {
  const number = out.beginShared(value, "temporal");
  if (number < 0) return;
  out.encoder.word(kind);
  out.encoder.word(value instanceof Temporal.Duration ? numbersOf(value) : String(value));
  out.end(number);
}

function numbersOf(duration: Temporal.Duration): string {
  const { years, months, weeks, days, hours, minutes, seconds } = duration;
  const { milliseconds, microseconds, nanoseconds } = duration;
  return [years, months, weeks, days, hours, minutes, seconds, milliseconds, microseconds, nanoseconds]
    .join();
}

/** The slicers of all kinds. */
export const TEMPORAL_SLICERS: readonly (readonly [object, Slicer])[] = Array.from(
  KINDS,
  ([kind, { prototype }]) => [prototype, (value: object, out: Slicing) => sliceTemporal(kind, value, out)],
);

/** Takes two STRINGs and gives an object of one of the kinds. */
export class TemporalUnslicer extends TextLeaf {
  protected override readonly word = "temporal";
  protected override readonly cost = URL_COST;
  protected override readonly limits = LIMITS;

  protected override make([kind, text]: readonly string[]): object {
    const construct = KINDS.get(kind!);
    if (construct === undefined) throw new Violation("A temporal is of an unknown kind");
    try {
      if (kind !== DURATION) return construct.from(text!);
      const numbers = text!.split(",");
      if (numbers.length !== 10 || !numbers.every((number) => /^-?\d{1,310}$/.test(number))) {
        throw new RangeError("not ten numbers");
      }
      return new Temporal.Duration(...numbers.map(Number));
    } catch (cause) {
      throw new Violation(`The text of a temporal makes no ${kind}`, { cause });
    }
  }
}
