/**
 * Base32 as Foolscap writes it: the RFC 4648 alphabet in lower case, without padding.
 *
 * @module
 */

import { decodeBase32 as decodePadded, encodeBase32 as encodePadded } from "../deps.ts";

const BASE32 = /^[a-z2-7]*$/;

/**
 * Bytes as lower-case base32 without padding. Foolscap: `base32.encode`.
 *
 * @param bytes Any length; 20 bytes give exactly 32 characters.
 */
export function encodeBase32(bytes: Uint8Array): string {
  return encodePadded(bytes).toLowerCase().replace(/=+$/, "");
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
