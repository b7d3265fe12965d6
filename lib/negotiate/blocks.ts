/**
 * Header blocks: lines of `key: value`, each ended by CR LF, and an empty line behind them.
 *
 * Source: Foolscap `negotiate.py`, `sendBlock()`, `parseLines()`.
 *
 * @module
 */

import { DEFAULT_LIMITS } from "../limits.ts";
import { encodeText } from "../util/text.ts";
import { refusalOf } from "./refusal.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const END_OF_BLOCK = [13, 10, 13, 10] as const;

/**
 * Writes a block. Keys are lower-cased and sorted, as Python writes them.
 *
 * @throws {TypeError} If a key has a colon or a line break, is empty, or stands there twice, or a value has
 * a line break; or if the block is longer than any peer takes.
 */
export function encodeBlock(entries: Iterable<readonly [string, string]>): Uint8Array {
  const lines = new Map<string, string>();
  for (const [name, value] of entries) {
    const key = name.toLowerCase();
    if (!/^[^:\r\n]+$/.test(key) || lines.has(key)) {
      throw new TypeError(
        `Cannot write header block: ${JSON.stringify(key)} is no key, or stands there twice`,
      );
    }
    if (/[\r\n]/.test(value)) {
      throw new TypeError(`Cannot write header block: the value of "${key}" has a line break`);
    }
    lines.set(key, value);
  }
  const sorted = [...lines].sort(([a], [b]) => a < b ? -1 : 1);
  const block = encodeText(sorted.map(([key, value]) => `${key}: ${value}\r\n`).join("") + "\r\n");
  const { maxHeaderBlockBytes } = DEFAULT_LIMITS;
  if (block.length > maxHeaderBlockBytes) {
    throw new TypeError(
      `Cannot write header block: ${block.length} bytes are more than the ${maxHeaderBlockBytes} that a peer takes`,
    );
  }
  return block;
}

/**
 * Reads a block. The last of equal keys counts; every key is data, `__proto__` too.
 *
 * @param block The lines, without the CR LF CR LF at their end.
 * @returns Values by lower-case key; white space in front of a value is dropped, behind it not.
 * @throws {Refusal} If a line has no colon, or the bytes are not UTF-8.
 */
export function decodeBlock(block: Uint8Array): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of decodeLines(block)) {
    const colon = line.indexOf(":");
    if (colon < 0) throw refusalOf("A line of the header block has no colon", line);
    const key = line.slice(0, colon).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    entries.set(key, line.slice(colon + 1).replace(/^[ \t\n\r\v\f]+/, ""));
  }
  return entries;
}

/**
 * The lines of a block as text.
 *
 * @throws {Refusal} If the bytes are not UTF-8.
 */
export function decodeLines(block: Uint8Array): string[] {
  try {
    return decoder.decode(block).split("\r\n");
  } catch {
    throw refusalOf("A header block is not UTF-8 text", String.fromCharCode(...block.subarray(0, 200)));
  }
}

/**
 * Where the first CR LF CR LF of `bytes` begins.
 *
 * @returns -1 if there is none.
 */
export function endOfBlock(bytes: Uint8Array, from = 0): number {
  for (let at = bytes.indexOf(13, from); at >= 0; at = bytes.indexOf(13, at + 1)) {
    if (END_OF_BLOCK.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
