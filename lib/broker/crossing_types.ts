/**
 * Which types change when a value crosses.
 *
 * @module
 */

import type { Copyable } from "../graph/copyable.ts";
import type { AnyFunction, AnyReference } from "../graph/schema/provided.ts";

/**
 * How many levels of arrays in arrays, and of anything where objects are looked for, the types follow: the compiler would
 * never end with a type that contains itself, as that of JSON does.
 */
export type Levels = readonly [1, 2, 3, 4];

/** Values whose types are the same on both sides, whatever they consist of. */
export type Unchanging =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | symbol
  | ArrayBufferView
  | Copyable
  | ((...args: never[]) => unknown);

/**
 * `true` (or `boolean`) if there are objects or functions in a value that are something else to who receives it. The types
 * of all other values stay what they are, so that classes keep their private parts.
 */
export type HoldsObjects<T, Depth extends readonly unknown[] = Levels> = 0 extends 1 & T ? false
  : T extends Unchanging ? false
  : T extends AnyReference | AnyFunction ? true
  : Depth extends readonly [unknown, ...infer Rest]
    ? T extends ReadonlyMap<infer K, infer V> ? HoldsObjects<K | V, Rest>
    : T extends ReadonlySet<infer M> ? HoldsObjects<M, Rest>
    : T extends readonly (infer E)[] ? HoldsObjects<E, Rest>
    : { [P in keyof T]-?: HoldsObjects<T[P], Rest> }[keyof T]
  : false;

/** Whether an object has methods: it is of a class then, and not plain. */
export type HasMethods<T> = true extends {
  [P in keyof T]-?: T[P] extends (...args: never[]) => unknown ? true : false;
}[keyof T] ? true
  : false;
