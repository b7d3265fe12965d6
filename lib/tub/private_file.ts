/**
 * Small files with secrets: readable by their owner only, and never seen half written.
 *
 * The text goes to a second file in the same folder, is forced to the disk, and takes its name in
 * one step. A program that may write just the one file (`--allow-write=calc.pem`) cannot make the
 * second one: then the file itself is written, at once but not atomically.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import { nodeUrl } from "../util/node.ts";
import { hasPermission } from "./permissions.ts";

const OWNER_ONLY = 0o600;

/**
 * The path of a file that a program named by path or by `file:` URL.
 *
 * @param option The option that it stands in, for the error.
 * @throws {TypeError} If the name is empty, or the URL is of another kind.
 */
export function toPath(file: string | URL, option: string): string {
  if (file === "") {
    throw new TypeError(`Cannot use a file: the name that ${option} gives is empty; leave ${option} out`);
  }
  return typeof file === "string" ? file : nodeUrl().fileURLToPath(file);
}

/**
 * Refuses a link to a file that does not exist. What it leads to may be away for a while, such as a disk that is not mounted:
 * a file made in its place would have another secret in it, and hide the real one.
 *
 * @param shown Such as `the identity file "calc.pem"`.
 * @throws {FileError} If it is one.
 */
export function refuseDeadLink(path: string, shown: string): void {
  if (!isLink(path)) return;
  try {
    Deno.statSync(path);
  } catch (cause) {
    // Whatever else is wrong with it is said by whoever reads or writes it.
    if (!(cause instanceof Deno.errors.NotFound)) return;
    throw new FileError(
      `Cannot create ${shown}: it is a link to a file that does not exist; remove it, or bring that file back`,
      { cause },
    );
  }
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}

/**
 * What is said when the system does not do something with a file.
 *
 * @param action Such as `read`.
 * @param shown Such as `the identity file "calc.pem"`.
 */
export function fileError(action: string, shown: string, cause: unknown): FileError {
  return new FileError(
    cause instanceof Deno.errors.NotFound
      ? `Cannot ${action} ${shown}: its folder does not exist; create the folder first`
      : `Cannot ${action} ${shown}: the system refuses; check that it is a file, its owner and its mode, and those of its folder`,
    { cause },
  );
}

function writeAll(path: string, text: string, options: Deno.OpenOptions): void {
  using file = Deno.openSync(path, { write: true, mode: OWNER_ONLY, ...options });
  try {
    const bytes = new TextEncoder().encode(text);
    for (let offset = 0; offset < bytes.length;) offset += file.writeSync(bytes.subarray(offset));
    // A device or a pipe has nothing to force to the disk, and refuses.
    if (file.statSync().isFile) file.syncSync();
  } catch (error) {
    // On a full disk: half a file would be refused, as damaged, by every later start.
    if (options.createNew) Deno.removeSync(path);
    throw error;
  }
}

/** A name in the same folder, for a rename only works within one file system. Undefined if not permitted. */
function temporaryPath(path: string): string | undefined {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const isPermitted = (["read", "write"] as const).every((name) => hasPermission({ name, path: temporary }));
  return isPermitted ? temporary : undefined;
}

/**
 * Creates a file with mode 0600, unless it is there already: of two processes that do it at once, one wins.
 *
 * @param path The file. Read and write permission for it are the caller's to check.
 * @param text Its contents.
 * @returns Whether it was created; false if a file of that name exists, which is left as it is.
 * @throws {Deno.errors.NotFound} If the folder does not exist.
 */
export function createPrivateFile(path: string, text: string): boolean {
  const temporary = temporaryPath(path);
  if (temporary !== undefined) {
    writeAll(temporary, text, { createNew: true });
    try {
      Deno.linkSync(temporary, path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      // Some file systems have no hard links; O_EXCL below still lets only one process win.
    } finally {
      Deno.removeSync(temporary);
    }
  }
  try {
    writeAll(path, text, { createNew: true });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

/**
 * Writes a file. A new one gets mode 0600; one that exists keeps its mode, owner and group, and stays a link if it is one;
 * if it has that text already, it is left alone.
 *
 * @param path The file. Read and write permission for it are the caller's to check.
 * @param text Its new contents.
 * @throws {Deno.errors.NotFound} If the folder does not exist.
 */
export function replacePrivateFile(path: string, text: string): void {
  let old: Deno.FileInfo | undefined;
  try {
    old = Deno.lstatSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (old?.isFile === true && hasText(path, text, old.size)) return;
  const temporary = old === undefined || old.isFile ? temporaryPath(path) : undefined;
  if (temporary !== undefined) {
    writeAll(temporary, text, { createNew: true });
    let isSame = false;
    try {
      isSame = old === undefined || makeAlike(temporary, old);
      if (isSame) Deno.renameSync(temporary, path);
    } catch (error) {
      Deno.removeSync(temporary);
      throw error;
    }
    if (isSame) return;
    Deno.removeSync(temporary);
  }
  writeAll(path, text, { create: true, truncate: true });
}

function hasText(path: string, text: string, size: number): boolean {
  if (size !== new TextEncoder().encode(text).length) return false;
  try {
    return Deno.readTextFileSync(path) === text;
  } catch {
    return false;
  }
}

/** Gives a file the owner, group and mode of another; false if this user may not, and whoever could read it could not. */
function makeAlike(path: string, { uid, gid, mode }: Deno.FileInfo): boolean {
  const made = Deno.lstatSync(path);
  if (uid !== null && gid !== null && (made.uid !== uid || made.gid !== gid)) {
    try {
      Deno.chownSync(path, uid, gid);
    } catch {
      return false;
    }
  }
  if (mode !== null) Deno.chmodSync(path, mode & 0o777);
  return true;
}
