/**
 * References to values that have not been read yet.
 *
 * Source: Twisted `crefutil.py`, `_Dereference`.
 *
 * @module
 */

/** Stands for `(dereference n)` until what it refers to is known. Never seen by users. */
export class Dereference {
  readonly #dependants: ((value: unknown) => void)[] = [];

  /** Has a place filled when the value is known. */
  whenKnown(fill: (value: unknown) => void): void {
    this.#dependants.push(fill);
  }

  /** Fills all places. */
  resolve(value: unknown): void {
    for (const fill of this.#dependants.splice(0)) fill(value);
  }
}
