/**
 * How an audit file gives its place to the next one, so that there is no moment at which a kill loses anything.
 *
 * The next file is made beside it, with its first line in it and forced to the disk, and takes the name in one step. Until
 * then the file that ends has that name, and its last line says that it ends: whoever finds it so does the rest.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import { nodePath } from "../util/node.ts";
import { type AuditTail, readTail } from "./audit_tail.ts";
import { auditPathOf, segmentsOf } from "./audit_series.ts";
import { hasPermission, requirePermission } from "./permissions.ts";
import { fileError } from "./private_file.ts";
import { shownOf } from "./verify_audit.ts";

const OWNER_ONLY = 0o600;

/** When an audit file ends and the next one begins. With neither, one file grows for ever. */
export interface AuditRotation {
  /**
   * How many bytes it may have, at least 4,096. Only one that has a single event may have more.
   *
   * @default any number
   */
  readonly maxBytes?: number | undefined;
  /**
   * A period in milliseconds, at least 1,000, counted from 1970: with 86,400,000 there is a file for each day, by UTC. The
   * first event of a new period begins a file; where nothing happens, none is begun.
   *
   * @default none
   */
  readonly everyMs?: number | undefined;
}

/** An audit file that is open, and locked. */
export interface OpenAudit {
  /** Absolute where that can be known, and what a link leads to. */
  readonly path: string;
  readonly file: Deno.FsFile;
  readonly tail: AuditTail;
}

/** Opens again, when it was rotated at that moment by another Tub. */
const TRIES = 10;

/**
 * Opens an audit file, or makes it.
 *
 * @throws {FileError} If it is another one's, or in use, or cannot be opened. It is not changed then.
 */
export function openAudit(given: string, key: Uint8Array): OpenAudit {
  const shown = shownOf(given);
  const path = auditPathOf(given, ["read", "write"], `open ${shown}`);
  for (let left = TRIES; left > 0; left--) {
    let file: Deno.FsFile | undefined;
    try {
      if (!isThere(path)) recover(path, key, shown);
      file = Deno.openSync(path, { read: true, append: true, create: true, mode: OWNER_ONLY });
      lock(file, shown);
      if (!isAt(path, file)) {
        file.close();
        continue;
      }
      return { path, file, tail: readTail(file, key, shown) };
    } catch (cause) {
      file?.close();
      throw cause instanceof FileError ? cause : fileError("open", shown, cause);
    }
  }
  throw inUse(shown);
}

/** Makes the next file of `path`, empty and locked. */
export function openNext(path: string, mode: number | null): Deno.FsFile {
  const folder = nodePath().dirname(path);
  for (const name of ["read", "write"] as const) {
    requirePermission({ name, path: folder }, `rotate ${shownOf(path)}`);
  }
  dropNext(path);
  const next = Deno.openSync(nextPath(path), { read: true, append: true, createNew: true, mode: OWNER_ONLY });
  try {
    // Who may read the one may read the other. Windows has no modes.
    if (mode !== null && (mode & 0o777) !== OWNER_ONLY) Deno.chmodSync(nextPath(path), mode & 0o777);
    lock(next, shownOf(path));
    return next;
  } catch (cause) {
    next.close();
    dropNext(path);
    throw cause;
  }
}

/** Removes a next file that is not to be. */
export function dropNext(path: string): void {
  try {
    Deno.removeSync(nextPath(path));
  } catch {
    // There is none; or whoever makes one meets what is wrong.
  }
}

/**
 * Puts the next file in the place of the one that has ended.
 *
 * @param ended What that one is called from now on; `undefined` if it is not there any more.
 */
export function putNext(path: string, ended: string | undefined): void {
  const isRenamed = ended !== undefined && nameEnded(path, ended);
  try {
    Deno.renameSync(nextPath(path), path);
  } catch (cause) {
    if (isRenamed) Deno.renameSync(ended, path);
    else if (ended !== undefined) Deno.removeSync(ended);
    throw cause;
  }
  syncFolder(nodePath().dirname(path));
}

/** Gives a file a second name, or, where there are no links, another one; which, it returns. */
function nameEnded(path: string, ended: string): boolean {
  try {
    Deno.linkSync(path, ended);
    return false;
  } catch {
    // A kill may have come after this step.
    if (isSame(path, ended)) return false;
    if (isThere(ended)) {
      throw new FileError(`Cannot rotate ${shownOf(path)}: ${JSON.stringify(ended)} is there; move it away`);
    }
    Deno.renameSync(path, ended);
    return true;
  }
}

/** Where a file is that is open, or was. */
export type AuditPlace =
  | "here"
  /** It has another name now, and its place is free. */
  | "moved"
  | "deleted"
  /** Another file is in its place. */
  | "taken";

/** Looks whether an open file is still where it was. */
export function auditPlace(path: string, file: Deno.FsFile): AuditPlace {
  if (!nodePath().isAbsolute(path) || isAt(path, file)) return "here";
  if (isThere(path) && Deno.statSync(path).size > 0) return "taken";
  return file.statSync().nlink === 0 ? "deleted" : "moved";
}

function nextPath(path: string): string {
  return `${path}.next`;
}

/** There is no file: either it is the first one, or a kill came where a file system has no links. */
function recover(path: string, key: Uint8Array, shown: string): void {
  const folder = nodePath().dirname(path);
  if (!(["read", "write"] as const).every((name) => hasPermission({ name, path: folder }))) return;
  if (!isThere(folder)) return;
  if (isThere(nextPath(path))) {
    using next = Deno.openSync(nextPath(path), { read: true, append: true });
    lock(next, shown);
    const { head, isOpenEnded } = readTail(next, key, shown);
    if (head.line > 0 && !isOpenEnded) return Deno.renameSync(nextPath(path), path);
  }
  const last = segmentsOf(path).at(-1);
  if (last === undefined) return;
  throw new FileError(
    `Cannot open ${shown}: it is not there, and ${
      JSON.stringify(last.path)
    } is, which it goes on from; bring it back, or move away what is left of it`,
  );
}

function lock(file: Deno.FsFile, shown: string): void {
  if (!file.tryLockSync(true)) throw inUse(shown);
}

function inUse(shown: string): FileError {
  return new FileError(`Cannot open ${shown}: it is in use; stop the other Tub that writes to it`);
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    throw cause;
  }
}

function isAt(path: string, file: Deno.FsFile): boolean {
  return isThere(path) && isSameInfo(Deno.statSync(path), file.statSync());
}

function isSame(a: string, b: string): boolean {
  if (!isThere(a) || !isThere(b)) return false;
  const info = Deno.statSync(a);
  // Where files have no numbers nobody knows.
  return info.ino !== null && isSameInfo(info, Deno.statSync(b));
}

function isSameInfo(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** So that a power loss does not take the names. Not all systems can. */
function syncFolder(path: string): void {
  try {
    using folder = Deno.openSync(path);
    folder.syncSync();
  } catch {
    // The files themselves were forced.
  }
}
