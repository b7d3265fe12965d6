/**
 * Bytes as hexadecimal text, for vectors and failure messages.
 *
 * @module
 */

/** The bytes that a hex text stands for; spaces between them are allowed. */
export function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

/** Bytes as lower-case hex, two digits each. */
export function encodeHex(bytes: Uint8Array): string {
  return bytes.toHex();
}
