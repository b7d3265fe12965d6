/**
 * TubIDs and swissnums, which are written in base32.
 *
 * @module
 */

import { decodeBase32 as decodePadded } from "../deps.ts";
import { type RandomBytes, systemRandomBytes } from "../util/random_bytes.ts";
import { textOfCodes } from "../util/text.ts";

const BASE32 = /^[a-z2-7]*$/;
const ALPHABET = [..."abcdefghijklmnopqrstuvwxyz234567"].map((letter) => letter.charCodeAt(0));

/**
 * Bytes as lower-case base32 without padding. Foolscap: `base32.encode`.
 *
 * Every name is made here. The library's way by padded capitals takes ten times as long.
 *
 * @param bytes Any length; 20 bytes give exactly 32 characters.
 */
export function encodeBase32(bytes: Uint8Array): string {
  const codes: number[] = [];
  let bits = 0, waiting = 0;
  for (const byte of bytes) {
    waiting = (waiting << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5;) codes.push(ALPHABET[waiting >>> (bits -= 5) & 31]!);
  }
  if (bits > 0) codes.push(ALPHABET[waiting << (5 - bits) & 31]!);
  return textOfCodes(codes);
}

/**
 * The inverse of {@linkcode encodeBase32}; each sequence of bytes has exactly one text.
 *
 * @param text Lower case, unpadded.
 * @returns New memory.
 * @throws {SyntaxError} If a character is not of the alphabet, or no bytes encode to this text.
 */
export function decodeBase32(text: string): Uint8Array<ArrayBuffer> {
  if (BASE32.test(text) && ![1, 3, 6].includes(text.length % 8)) {
    const bytes = decodePadded(text.toUpperCase().padEnd(Math.ceil(text.length / 8) * 8, "="));
    // The bits that do not fill a byte must be zero, or two texts would mean the same bytes.
    if (encodeBase32(bytes) === text) return bytes;
  }
  throw new SyntaxError("Cannot decode base32: the text is not lower-case, unpadded base32 (a-z, 2-7)");
}

/** Characters of a TubID: 160 bits of SHA-1 in base32, which is never padded. */
export const TUB_ID_LENGTH = 32;

const TUB_ID = /^[a-z2-7]{32}$/;

/**
 * The TubID of a certificate: lower-case, unpadded base32 of the SHA-1 of its DER.
 *
 * The whole certificate is hashed, so a new certificate for the same key is another Tub.
 * Foolscap: `crypto.digest32`, `Tub.setupEncryption`.
 *
 * @param certificate DER of the X.509 certificate.
 * @returns 32 characters of `a-z2-7`. Never rejects.
 */
export async function tubIdOf(certificate: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new Uint8Array(certificate));
  return encodeBase32(new Uint8Array(digest));
}

/** Whether `text` is a TubID as a Tub writes its own: 32 characters, lower case. */
export function isTubId(text: string): boolean {
  return TUB_ID.test(text);
}

/**
 * The first 4 characters of a TubID, for messages to people. Foolscap: `getShortTubID`.
 *
 * @param tubId A TubID; what is shorter comes back whole.
 */
export function shortTubId(tubId: string): string {
  return tubId.slice(0, 4);
}

/** Bytes of a generated name: 160 bits, Foolscap's `Tub.NAMEBITS`. */
const SWISSNUM_BYTES = 20;

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
