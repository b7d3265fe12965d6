/**
 * Types of the one module of `deno-std` that the library uses; the package ships none.
 *
 * @module
 */

/**
 * The bytes of RFC 4648 base32.
 *
 * @param text Upper case and padded.
 * @throws {TypeError} If the length is not a multiple of 8 or a character is not of the alphabet.
 * @throws {RangeError} If the number of characters before the padding is impossible.
 */
export function decodeBase32(text: string): Uint8Array<ArrayBuffer>;
