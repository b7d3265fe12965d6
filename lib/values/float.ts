/**
 * Python's `float` where a JavaScript number would cross as `int`.
 *
 * @module
 */

import { type Keyed, type ValueKey, valueKeyOf } from "../util/keyed.ts";
import { numberKey } from "./value_key.ts";

/** A number that crosses as FLOAT even if it is integral. It arrives as a plain number. */
export class Float implements Keyed {
  /** The number. */
  readonly value: number;

  /**
   * A number to be sent as FLOAT.
   *
   * @throws {TypeError} If `value` is not a number.
   */
  constructor(value: number) {
    if (typeof value !== "number") {
      throw new TypeError(`Cannot make a Float: got ${typeof value}, and a number is needed`);
    }
    this.value = value;
    Object.freeze(this);
  }

  /** The number, so that a Float can be calculated with. */
  valueOf(): number {
    return this.value;
  }

  /** The number as text. */
  toString(): string {
    return String(this.value);
  }

  /** As a dict key it is the number: Python takes `3.0` and `3` for one key. */
  [valueKeyOf](): ValueKey {
    return numberKey(this.value);
  }
}

/**
 * Marks a number to be sent as Python's `float`.
 *
 * @param value Any number, such as the `3` that Python shall see as `3.0`.
 * @throws {TypeError} If `value` is not a number.
 */
export function float(value: number): Float {
  return new Float(value);
}
