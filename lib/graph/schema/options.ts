/**
 * Checks of what a program gives to a constraint.
 *
 * @module
 */

/**
 * A length or count of a constraint.
 *
 * @throws {RangeError} If it is not a whole number of 0 or more.
 */
export function checkCount(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (value !== Infinity && (!Number.isSafeInteger(value) || value < 0)) {
    throw new RangeError(
      `Cannot make a constraint: ${name} is ${value}, and a whole number of 0 or more is needed`,
    );
  }
  return value;
}
