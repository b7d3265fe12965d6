/**
 * The lines of a file with users and passwords. Pure.
 *
 * Source: Twisted `cred/checkers.py`, `FilePasswordDB._loadCredentials`.
 *
 * @module
 */

import { decodeText } from "../../util/text.ts";

/** How the lines are made up. */
export interface PasswordFileFormat {
  readonly delimiter: Uint8Array;
  readonly usernameField: number;
  readonly passwordField: number;
  readonly caseSensitive: boolean;
}

const LINE_FEED = 0x0a;
/** What Python's `bytes.rstrip` takes away. */
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]);

/** The users and their passwords. Where a name stands twice, the first line counts. */
export function readPasswords(file: Uint8Array, format: PasswordFileFormat): Map<string, Uint8Array> {
  const { delimiter, usernameField, passwordField, caseSensitive } = format;
  const users = new Map<string, Uint8Array>();
  // The whole file is looked at for each login: one pass, and nothing is made for a line but what is kept of it.
  for (let start = 0; start < file.length;) {
    const found = file.indexOf(LINE_FEED, start);
    const next = found < 0 ? file.length : found + 1;
    let end = next;
    while (end > start && SPACES.has(file[end - 1]!)) end--;
    const name = fieldOf(file, start, end, delimiter, usernameField);
    const password = fieldOf(file, start, end, delimiter, passwordField);
    start = next;
    if (name === undefined || password === undefined) continue;
    const text = nameOf(file, name, caseSensitive);
    if (text !== undefined && !users.has(text)) users.set(text, file.slice(password.start, password.end));
  }
  return users;
}

interface Piece {
  readonly start: number;
  readonly end: number;
}

/** Where a field of the line from `start` to `end` is; `undefined` if it has not so many. */
function fieldOf(
  file: Uint8Array,
  start: number,
  end: number,
  delimiter: Uint8Array,
  field: number,
): Piece | undefined {
  const { length } = delimiter;
  let at = start;
  for (let passed = 0;;) {
    let same = 0;
    while (same < length && at + same < end && file[at + same] === delimiter[same]) same++;
    if (same < length) {
      if (at++ < end) continue;
      return passed === field ? { start, end } : undefined;
    }
    if (passed++ === field) return { start, end: at };
    start = at += length;
  }
}

function nameOf(file: Uint8Array, { start, end }: Piece, caseSensitive: boolean): string | undefined {
  try {
    if (caseSensitive) return decodeText(file, start, end);
    return decodeText(file.subarray(start, end).map(lower), 0, end - start);
  } catch {
    return undefined;
  }
}

const lower = (byte: number) => byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
