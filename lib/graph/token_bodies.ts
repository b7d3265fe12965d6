/**
 * What the bodies of tokens mean.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { decodeText } from "../util/text.ts";

/**
 * The word of an index token: `bytes[start..end)`.
 *
 * @throws {Violation} If it is not UTF-8.
 */
export function indexWord(bytes: Uint8Array, start: number, end: number): string {
  try {
    return decodeText(bytes, start, end);
  } catch (cause) {
    throw new Violation("Index token is not UTF-8", { cause });
  }
}

/** Big-endian bytes as an integer: a number where that is exact. */
export function integerOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  isNegative: boolean,
): number | bigint {
  if (end - start <= 6) {
    let value = 0;
    for (let i = start; i < end; i++) value = value * 256 + bytes[i]!;
    return isNegative ? 0 - value : value;
  }
  const big = BigInt(`0x${bytes.subarray(start, end).toHex()}`);
  const signed = isNegative ? -big : big;
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}
