/**
 * Types of the one module of `deno-std` that the library uses; the package ships none.
 *
 * Narrower than the package: it also takes text and encodes it as UTF-8, which is never what is meant here.
 *
 * @module
 */

/**
 * RFC 4648 base32, upper case, padded with `=` to a multiple of 8 characters.
 *
 * @param data Bytes of any length; they are copied first.
 */
export function encodeBase32(data: Uint8Array): string;

/**
 * The inverse of `encodeBase32`.
 *
 * @param text Upper case and padded.
 * @throws {TypeError} If the length is not a multiple of 8 or a character is not of the alphabet.
 * @throws {RangeError} If the number of characters before the padding is impossible.
 */
export function decodeBase32(text: string): Uint8Array<ArrayBuffer>;
