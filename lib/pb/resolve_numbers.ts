/**
 * Options that are numbers with names.
 *
 * @module
 */

import { MAX_TIMER_MS } from "../limits.ts";

/**
 * The defaults, with some numbers replaced.
 *
 * @param given Those whose names end in `Ms` are for timers, which wait no longer than about 24 days.
 * @throws {TypeError} If a name is unknown.
 * @throws {RangeError} If a number is not a whole one of 1 or more, or a time is too long.
 */
export function resolveNumbers<T extends { readonly [Name in keyof T]: number }>(
  defaults: T,
  given: Partial<T> = {},
): T {
  const resolved: Record<string, number> = { ...defaults };
  for (const [name, value] of Object.entries<number | undefined>(given)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(defaults, name)) {
      throw new TypeError(
        `Cannot set the limit ${name}: there is none of that name, only ${Object.keys(defaults).join(", ")}`,
      );
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot set the limit ${name}: ${value} is not a whole number of 1 or more`);
    }
    if (name.endsWith("Ms") && value > MAX_TIMER_MS) {
      throw new RangeError(
        `Cannot set the limit ${name}: ${value} ms are more than ${MAX_TIMER_MS}, the longest time that a timer waits`,
      );
    }
    resolved[name] = value;
  }
  return Object.freeze(resolved) as unknown as T;
}
