/**
 * Python's `tuple`: a frozen array that crosses as `tuple`, where a plain `Array` crosses as `list`.
 *
 * @module
 */

import { type Keyed, type ValueKey, valueKeyOf } from "../util/keyed.ts";
import { containerKey, isDigest, valueKey } from "./value_key.ts";

/**
 * A tuple, frozen when made by {@link tuple}. As a key of a `Dict` or a member of a `ValueSet` it is compared by
 * value. What its methods derive from it (`map`, `slice`, `concat`) are plain arrays.
 *
 * `new Tuple()` is empty and not frozen: for code that learns the elements one by one, pushes them and calls
 * `Object.freeze`. Foolscap: `slicers/tuple.py`.
 */
export class Tuple<T extends readonly unknown[] = readonly unknown[]> extends Array<T[number]>
  implements Keyed {
  /** Derived arrays are plain: a tuple of one number must not become an array of that length. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /**
   * A frozen tuple of whatever an iterable or array-like holds, mapped if a function is given.
   *
   * @throws {TypeError} If `items` is neither.
   */
  static override from<U>(items: Iterable<U> | ArrayLike<U>): Tuple<U[]>;
  /** A frozen tuple of what `map` makes of each item. */
  static override from<U, V>(
    items: Iterable<U> | ArrayLike<U>,
    map: (item: U, index: number) => V,
    thisArg?: unknown,
  ): Tuple<V[]>;
  static override from(
    items: Iterable<unknown> | ArrayLike<unknown>,
    map?: (item: unknown, index: number) => unknown,
    thisArg?: unknown,
  ): Tuple<unknown[]> {
    return frozen(map === undefined ? Array.from(items) : Array.from(items, map, thisArg));
  }

  /** A frozen tuple of its arguments. {@link tuple} is the same with a type for each element. */
  static override of<U>(...items: U[]): Tuple<U[]> {
    return frozen(items);
  }

  #key: string | undefined;

  /** An empty tuple that is not frozen yet. */
  constructor() {
    super();
  }

  /** The key that equal tuples share, whatever their identity. */
  [valueKeyOf](depth: number): ValueKey {
    if (this.#key !== undefined) return this.#key;
    const members: ValueKey[] = [];
    for (let i = 0; i < this.length; i++) members.push(valueKey(this[i], depth + 1));
    const key = containerKey("t", members);
    if (isDigest(key) && Object.isFrozen(this)) this.#key = key;
    return key;
  }
}

/** A {@link Tuple} whose elements have a type each, so that destructuring knows them. */
export type TupleOf<T extends readonly unknown[]> = Tuple<T> & Readonly<T>;

/**
 * Makes a frozen tuple, which crosses as Python's `tuple`.
 *
 * @param items The elements, in order.
 */
export function tuple<T extends readonly unknown[]>(...items: T): TupleOf<T> {
  return frozen(items) as unknown as TupleOf<T>;
}

function frozen<T extends readonly unknown[]>(items: T): Tuple<T> {
  const made = new Tuple<T>();
  for (let i = 0; i < items.length; i++) made[i] = items[i];
  return Object.freeze(made) as Tuple<T>;
}
