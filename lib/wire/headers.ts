/**
 * Headers of tokens: numbers in base 128, least significant digit first. Foolscap and Perspective Broker share them.
 *
 * @module
 */

/**
 * Writes a header and its type byte where there is room for it.
 *
 * @param value A safe integer of 0 or more.
 * @returns The index behind it.
 */
export function writeHeader(buffer: Uint8Array, at: number, value: number, type: number): number {
  let rest = value;
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) buffer[at++] = rest % 128;
  for (; rest > 0x7f; rest >>>= 7) buffer[at++] = rest & 0x7f;
  buffer[at++] = rest;
  buffer[at++] = type;
  return at;
}

/**
 * The digits of a large number, without a type byte.
 *
 * @param value 0 or more.
 * @returns The index behind them.
 */
export function writeDigits(buffer: Uint8Array, at: number, value: bigint): number {
  for (let rest = value; rest > 0n; rest >>= 7n) buffer[at++] = Number(rest & 0x7fn);
  return at;
}

/** The number that the digits `bytes[start..end)` are: any count of digits. */
export function readHeader(bytes: Uint8Array, start: number, end: number): number | bigint {
  let value = 0;
  for (let i = end - 1; i >= start; i--) value = value * 128 + bytes[i]!;
  if (value <= Number.MAX_SAFE_INTEGER) return value;
  let big = 0n;
  for (let i = end - 1; i >= start; i--) big = (big << 7n) | BigInt(bytes[i]!);
  return big;
}
