/**
 * The end of an audit file, as a Tub finds it that goes on writing to it.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import { MAX_AUDIT_LINE_BYTES } from "../limits.ts";
import type { AuditHead } from "../registry/audit_trail.ts";
import { EMPTY_HEAD, hashOf, isGenuine, readLine, type TornLine } from "./verify_audit.ts";

const NEWLINE = 0x0a;

/** Where to go on. */
export interface AuditTail {
  readonly head: AuditHead;
  readonly after: "nothing" | "closed" | "unclosed";
  /** What stands behind the last newline. */
  readonly torn: TornLine | undefined;
  /** Whether a newline is missing at the end. */
  readonly isOpenEnded: boolean;
  /** Whether another file was to go on, and does not yet. */
  readonly isRotated: boolean;
}

/**
 * Looks at the end of a file. What stands before its last line, only `verifyAuditFile` checks.
 *
 * @param file Open for reading.
 * @param shown Such as `the audit file "a.jsonl"`.
 * @throws {FileError} If it is no audit file of the Tub with this key.
 */
export function readTail(file: Deno.FsFile, key: Uint8Array, shown: string): AuditTail {
  const { size, isFile } = file.statSync();
  if (!isFile) throw new FileError(`Cannot open ${shown}: it is no file; give another path`);
  const bytes = lastBytes(file, size);
  const end = bytes.lastIndexOf(NEWLINE);
  const rest = bytes.subarray(end + 1);
  const isOpenEnded = rest.length > 0;
  const restText = new TextDecoder().decode(rest);
  const restLine = readLine(restText);
  if (restLine !== undefined && isGenuine(restText, key)) {
    // Only its newline was not written any more.
    const after = restLine.type === "closed" ? "closed" : "unclosed";
    return {
      head: { line: restLine.line, hash: hashOf(rest) },
      after,
      torn: undefined,
      isOpenEnded,
      isRotated: restLine.type === "rotated",
    };
  }
  const torn = rest.length === 0 ? undefined : { bytes: rest.length, hash: hashOf(rest) };
  if (end < 0) {
    // The very first line was being written, or it is something else.
    const isOurs = rest.length === 0 || (size < MAX_AUDIT_LINE_BYTES && startsAsOurs(rest));
    if (isOurs) {
      const after = isOpenEnded ? "unclosed" : "nothing";
      return { head: EMPTY_HEAD, after, torn, isOpenEnded, isRotated: false };
    }
    throw foreign(shown);
  }
  // A line that was torn in an earlier life stands before the "opened" of the next one, so the last one is whole.
  const start = end === 0 ? 0 : bytes.lastIndexOf(NEWLINE, end - 1) + 1;
  const last = bytes.subarray(start, end);
  const text = new TextDecoder().decode(last);
  const line = readLine(text);
  if (line === undefined) throw foreign(shown);
  if (!isGenuine(text, key)) {
    throw new FileError(
      `Cannot open ${shown}: its last line is not of this Tub's key: it is another Tub's file, or was tampered with; verify it, and give another path`,
    );
  }
  return {
    head: { line: line.line, hash: hashOf(last) },
    after: line.type === "closed" && torn === undefined ? "closed" : "unclosed",
    torn,
    isOpenEnded,
    isRotated: line.type === "rotated" && torn === undefined,
  };
}

function lastBytes(file: Deno.FsFile, size: number): Uint8Array {
  // Room for a torn line and for a whole one before it.
  const bytes = new Uint8Array(Math.min(size, 2 * MAX_AUDIT_LINE_BYTES + 2));
  file.seekSync(size - bytes.length, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const read = file.readSync(bytes.subarray(at));
    if (read === null) return bytes.subarray(0, at);
    at += read;
  }
  return bytes;
}

function startsAsOurs(bytes: Uint8Array): boolean {
  const start = '{"line":1,"at":';
  return new TextDecoder().decode(bytes.subarray(0, start.length)) === start.slice(0, bytes.length);
}

function foreign(shown: string): FileError {
  return new FileError(`Cannot open ${shown}: it is no audit file; give another path`);
}
