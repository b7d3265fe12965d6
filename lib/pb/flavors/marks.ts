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

/** Only the types need it: what stands for an object of a peer. */
export declare const remoteReference: unique symbol;

/** A reference to an object of a peer, whatever is known of its methods. */
export interface AnyRemoteReference {
  /** Only the types need it. */
  readonly [remoteReference]: true;
}
