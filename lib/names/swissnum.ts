/**
 * Names that cannot be guessed: knowing one is the permission to use the object behind it.
 *
 * @module
 */

import { encodeBase32 } from "./base32.ts";

/** Bytes of a generated name: 160 bits, Foolscap's `Tub.NAMEBITS`. */
export const SWISSNUM_BYTES = 20;

/** A source of `length` random bytes, fit for secrets. */
export type RandomBytes = (length: number) => Uint8Array;

/** The system's own cryptographic source. */
export const systemRandomBytes: RandomBytes = (length): Uint8Array =>
  crypto.getRandomValues(new Uint8Array(length));

/**
 * A new name of 160 random bits. Foolscap: `Tub.generateSwissnumber`.
 *
 * @param randomBytes Where the bits come from.
 * @returns 32 characters of lower-case, unpadded base32.
 * @throws {RangeError} If the source gives another number of bytes than it was asked for.
 */
export function createSwissnum(randomBytes: RandomBytes = systemRandomBytes): string {
  const bytes = randomBytes(SWISSNUM_BYTES);
  if (bytes.length !== SWISSNUM_BYTES) {
    // A short name would be a guessable one.
    throw new RangeError(
      `Cannot create a name: the random source gave ${bytes.length} bytes instead of ${SWISSNUM_BYTES}`,
    );
  }
  return encodeBase32(bytes);
}
