/**
 * The objects of one message that `reference` sequences may name, by the count of their OPEN tokens.
 *
 * Source: Foolscap `slicer.py`, `ScopedUnslicer`.
 *
 * @module
 */

/** Objects by rising number. */
export class ObjectTable {
  #numbers: number[] = [];
  #objects: unknown[] = [];
  #lookedUp: Set<number> | undefined;

  /** Forgets everything: the next message begins. */
  clear(): void {
    this.#lookedUp = undefined;
    if (this.#numbers.length === 0) return;
    this.#numbers = [];
    this.#objects = [];
  }

  /** Adds an object, whose number is higher than all before. `undefined` keeps the place for one to come. */
  add(number: number, object: unknown): void {
    this.#numbers.push(number);
    this.#objects.push(object);
  }

  /** Puts another object under the number of one that was added. */
  replace(number: number, object: unknown): void {
    const at = this.#indexOf(number);
    if (at >= 0) this.#objects[at] = object;
  }

  /** The object under a number; `undefined` if there is none yet. */
  find(number: number): unknown {
    const at = this.#indexOf(number);
    const object = at < 0 ? undefined : this.#objects[at];
    if (object !== undefined) (this.#lookedUp ??= new Set()).add(number);
    return object;
  }

  /** Whether somebody has found the object under this number, and so may hold it. */
  wasFound(number: number): boolean {
    return this.#lookedUp?.has(number) === true;
  }

  #indexOf(wanted: number): number {
    let low = 0;
    let high = this.#numbers.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const number = this.#numbers[middle]!;
      if (number === wanted) return middle;
      if (number < wanted) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
