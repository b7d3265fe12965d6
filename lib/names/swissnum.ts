/**
 * Names that cannot be guessed: knowing one is the permission to use the object behind it.
 *
 * @module
 */

import { type RandomBytes, systemRandomBytes } from "../util/random_bytes.ts";
import { encodeBase32 } from "./base32.ts";

/** Bytes of a generated name: 160 bits, Foolscap's `Tub.NAMEBITS`. */
export const SWISSNUM_BYTES = 20;

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
