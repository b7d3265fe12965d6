/**
 * Values that are compared by what they hold, where `Dict` and `ValueSet` compare them.
 *
 * @module
 */

/** What a native `Map` compares in place of a value. Two values with one key are one key to Python. */
export type ValueKey = string | number | symbol | object | null;

/** The method by which a value class says its own key. */
export const valueKeyOf: unique symbol = Symbol("foolscap.valueKey");

/** A value that is compared by what it holds. */
export interface Keyed {
  /**
   * The key of this value.
   *
   * @param depth How many containers this one stands in.
   */
  [valueKeyOf](depth: number): ValueKey;
}
