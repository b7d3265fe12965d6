/**
 * How constraints see promises of values, of which this layer knows nothing: by a method with a symbol for its name,
 * which no peer can reach.
 *
 * @module
 */

/** Only the types need it: there is no such property. */
export declare const promisedType: unique symbol;

/** A value that is to come, as an argument of a call. */
export interface PromisedValue<out T> {
  /** Only the types need it: the value. */
  readonly [promisedType]: T;
}

/** How a promise was settled. */
export interface Settled {
  readonly isRejected: boolean;
  /** The value, or the reason. */
  readonly value: unknown;
}

/** The method of promises that can be arguments: how it was settled; `undefined` while it is not. */
export const promised: unique symbol = Symbol("promised");

/** Whether a value is a promise that can be an argument, and how it was settled. */
export function promiseOf(value: unknown): { readonly settled: Settled | undefined } | undefined {
  if (!(value instanceof Promise) || !(promised in value)) return undefined;
  return { settled: (value as unknown as { [promised](): Settled | undefined })[promised]() };
}
