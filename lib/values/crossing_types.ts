/**
 * What types say of values that cross, in either protocol.
 *
 * @module
 */

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
  | ((...args: never[]) => unknown);

/** Whether an object has methods: it is of a class then, and not plain. */
export type HasMethods<T> = true extends {
  [P in keyof T]-?: T[P] extends (...args: never[]) => unknown ? true : false;
}[keyof T] ? true
  : false;
