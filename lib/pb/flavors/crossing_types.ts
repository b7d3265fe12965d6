/**
 * Which types change when a value crosses.
 *
 * @module
 */

import type { HasMethods, Levels, Unchanging } from "../../values/crossing_types.ts";
import type { AnyRemoteReference, ByReference } from "./marks.ts";

/**
 * `true` (or `boolean`) if there are objects in a value that are references to who receives it. The types of all other
 * values stay what they are, and so do those of instances of classes, which travel by copy.
 */
export type HoldsObjects<T, Depth extends readonly unknown[] = Levels> = 0 extends 1 & T ? false
  : T extends Unchanging ? false
  : T extends ByReference | AnyRemoteReference ? true
  : Depth extends readonly [unknown, ...infer Rest]
    ? T extends ReadonlyMap<infer K, infer V> ? HoldsObjects<K | V, Rest>
    : T extends ReadonlySet<infer M> ? HoldsObjects<M, Rest>
    : T extends readonly (infer E)[] ? HoldsObjects<E, Rest>
    : HasMethods<T> extends true ? false
    : { [P in keyof T]-?: HoldsObjects<T[P], Rest> }[keyof T]
  : false;
