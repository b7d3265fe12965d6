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
  const users = new Map<string, Uint8Array>();
  for (let start = 0; start < file.length;) {
    const found = file.indexOf(LINE_FEED, start);
    const next = found < 0 ? file.length : found + 1;
    let end = next;
    while (end > start && SPACES.has(file[end - 1]!)) end--;
    const fields = split(file.subarray(start, end), format.delimiter);
    start = next;
    const username = fields[format.usernameField];
    const password = fields[format.passwordField];
    if (username === undefined || password === undefined) continue;
    const name = nameOf(format.caseSensitive ? username : username.map(lower));
    if (name !== undefined && !users.has(name)) users.set(name, password.slice());
  }
  return users;
}

function split(line: Uint8Array, delimiter: Uint8Array): Uint8Array[] {
  const fields: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at + delimiter.length <= line.length;) {
    if (delimiter.every((byte, i) => line[at + i] === byte)) {
      fields.push(line.subarray(start, at));
      start = at += delimiter.length;
    } else at++;
  }
  fields.push(line.subarray(start));
  return fields;
}

function nameOf(bytes: Uint8Array): string | undefined {
  try {
    return decodeText(bytes, 0, bytes.length);
  } catch {
    return undefined;
  }
}

const lower = (byte: number) => byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
