/**
 * What tells types of objects that travel by reference from others; there are no such properties.
 *
 * @module
 */

/** Only the types need it: what a peer gets a reference to. */
export declare const byReference: unique symbol;

/** An object that travels by reference. */
export interface ByReference {
  /** Only the types need it. */
  readonly [byReference]: true;
}
