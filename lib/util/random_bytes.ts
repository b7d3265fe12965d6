/**
 * Randomness as something that is handed in, so that tests know what comes.
 *
 * @module
 */

/** A source of `length` random bytes, fit for secrets. */
export type RandomBytes = (length: number) => Uint8Array;

/** The system's own cryptographic source. */
export const systemRandomBytes: RandomBytes = (length): Uint8Array =>
  crypto.getRandomValues(new Uint8Array(length));
