/**
 * Which types change when a value crosses.
 *
 * @module
 */

import type { Copyable } from "../graph/copyable.ts";
import type { AnyFunction, AnyReference } from "../graph/schema/provided.ts";
import type { Levels, Unchanging } from "../values/crossing_types.ts";

/**
 * `true` (or `boolean`) if there are objects or functions in a value that are something else to who receives it. The types
 * of all other values stay what they are, so that classes keep their private parts.
 */
export type HoldsObjects<T, Depth extends readonly unknown[] = Levels> = 0 extends 1 & T ? false
  : T extends Unchanging | Copyable ? false
  : T extends AnyReference | AnyFunction ? true
  : Depth extends readonly [unknown, ...infer Rest]
    ? T extends ReadonlyMap<infer K, infer V> ? HoldsObjects<K | V, Rest>
    : T extends ReadonlySet<infer M> ? HoldsObjects<M, Rest>
    : T extends readonly (infer E)[] ? HoldsObjects<E, Rest>
    : { [P in keyof T]-?: HoldsObjects<T[P], Rest> }[keyof T]
  : false;
