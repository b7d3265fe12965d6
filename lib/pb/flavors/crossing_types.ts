/**
 * Which types change when a value crosses.
 *
 * @module
 */

import type { AnyRemoteReference, ByReference } from "./marks.ts";

/**
 * How many levels the types follow: the compiler would never end with a type that contains itself, as that of JSON does.
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
  | ((...args: never[]) => unknown);

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

/** Whether an object has methods: it is of a class then, and not plain. */
export type HasMethods<T> = true extends {
  [P in keyof T]-?: T[P] extends (...args: never[]) => unknown ? true : false;
}[keyof T] ? true
  : false;
