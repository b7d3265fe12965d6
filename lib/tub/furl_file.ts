/**
 * Registering an object with a Tub: its name, and the file that keeps its FURL, so that it has the same one after a restart.
 *
 * The file has one line, the FURL.
 *
 * Source: Foolscap `pb.py`, `Tub.registerReference`, `furlFile=`.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { FurlError, WrongNameError, WrongTubIdError } from "../errors.ts";
import { formatFurl, type FurlParts, parseFurl } from "../names/furl.ts";
import { shortTubId } from "../names/tub_id.ts";
import type { CapabilityRegistry } from "../registry/registry.ts";
import { requirePermission } from "./permissions.ts";
import { fileError, refuseDeadLink, replacePrivateFile, toPath } from "./private_file.ts";
import { useFile } from "./used_permissions.ts";

/** What the FURL in the file must agree with. */
interface ExpectedFurl {
  /** The Tub that the object is registered with. */
  readonly tubId: string;
  /** The name that the program gave, if it gave one. */
  readonly name?: string | undefined;
}

function show(path: string): string {
  return `the FURL file ${JSON.stringify(path)}`;
}

/** The first line with text in it, or else an empty one; undefined if the file is missing, or a device. */
function readLine(path: string): string | undefined {
  try {
    const line = Deno.readTextFileSync(path).trim().split(/[\r\n]/, 1)[0]!.trim();
    return line !== "" || Deno.statSync(path).isFile ? line : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return refuseDeadLink(path, show(path)), undefined;
    throw fileError("read", show(path), error);
  }
}

/**
 * Reads the name of an object from its FURL file. Synchronous, as registering an object is.
 *
 * @param file The path of the file, or its `file:` URL.
 * @param expected What it must agree with.
 * @returns The name, a secret; undefined if there is no such file, or it is a device that keeps nothing.
 * @throws {FurlError} If the file has no FURL in it, and if it is empty: so a full disk or a crash may have left it, and a new
 *   name would silently take the place of the one that others have. Names the file, never the name, as the other two.
 * @throws {WrongTubIdError} If it has one of another Tub.
 * @throws {WrongNameError} If it has another name than the program gave.
 * @throws {FileError} If the system refuses: it is no file, or another user's; or it is a link to a file that does not exist.
 * @throws {TypeError} If the file's name is empty.
 * @throws {PermissionDenied} If the program may not read the file; names the flag to add.
 */
export function readFurlFile(file: string | URL, expected: ExpectedFurl): string | undefined {
  const path = toPath(file, "furlFile");
  requirePermission({ name: "read", path }, `read ${show(path)}`);
  const line = readLine(path);
  if (line === undefined) return undefined;
  if (line === "") {
    throw new FurlError(
      `Cannot use ${show(path)}: it is empty; put its FURL back, or remove it to get a new name`,
    );
  }
  let furl: FurlParts;
  try {
    furl = parseFurl(line);
  } catch (cause) {
    throw new FurlError(
      `Cannot use ${show(path)}: its first line is not a FURL; correct it, or remove it to get a new name`,
      { cause },
    );
  }
  if (furl.tubId !== expected.tubId) {
    throw new WrongTubIdError(
      `Cannot use ${show(path)}: its FURL is of the Tub ${shortTubId(furl.tubId)}… and this one is ` +
        `${shortTubId(expected.tubId)}…; load that Tub's certFile, or remove the file to get a new FURL`,
    );
  }
  if (expected.name !== undefined && expected.name !== furl.name) {
    throw new WrongNameError(
      `Cannot use ${show(path)}: its FURL has another name than the one given; ` +
        "leave out the name to keep that FURL, or remove the file",
    );
  }
  return furl.name;
}

/**
 * Writes the FURL of an object, and a newline, to its file. Synchronous, as registering an object is.
 *
 * A new file gets mode 0600; one that exists keeps its mode. It is never seen half written.
 *
 * @param file The path of the file, or its `file:` URL.
 * @param furl The FURL, without a newline.
 * @throws {PermissionDenied} If the program may not read and write the file; names the flag to add.
 * @throws {FileError} If the folder does not exist, the file is a link to one that does not, or the system refuses.
 * @throws {TypeError} If the file's name is empty.
 */
export function writeFurlFile(file: string | URL, furl: string): void {
  const path = toPath(file, "furlFile");
  requirePermission({ name: "read", path }, `write ${show(path)}`);
  requirePermission({ name: "write", path }, `write ${show(path)}`);
  refuseDeadLink(path, show(path));
  try {
    replacePrivateFile(path, `${furl}\n`);
  } catch (error) {
    throw fileError("write", show(path), error);
  }
}

/** Options of {@linkcode Tub.registerReference}. */
export interface RegisterOptions {
  /**
   * A name of the program's choice. Whoever can guess it can use the object.
   *
   * @default 160 random bits
   */
  readonly name?: string | undefined;
  /**
   * A file that keeps the FURL: its name is used again, so that the object has the same FURL after a restart. It is
   * written, in one step, when the hints have changed; a new file gets mode 0600, and one that exists keeps its mode, owner
   * and group. An empty one is refused: it may be what a crash has left of a FURL that others have. The files of the Python Foolscap can be used, and the reverse.
   *
   * @default the FURL is kept nowhere
   */
  readonly furlFile?: string | URL | undefined;
}

/** Where a FURL leads, besides its name. */
interface FurlBase {
  readonly tubId: string;
  readonly hints: readonly string[];
}

/**
 * Registers an object; see {@linkcode Tub.registerReference}. If the file cannot be used, a new object is not registered.
 *
 * @returns The object's FURL.
 */
export function registerObject(
  registry: CapabilityRegistry,
  object: Publishable,
  { tubId, hints }: FurlBase,
  { name, furlFile }: RegisterOptions,
): string {
  const isNew = !registry.has(object);
  const wanted = isNew ? name : registry.nameOf(object);
  const stored = furlFile === undefined ? undefined : readFurlFile(furlFile, { tubId, name: wanted });
  const given = registry.register(object, wanted ?? stored);
  try {
    const furl = formatFurl({ tubId, hints, name: given });
    if (furlFile === undefined) return furl;
    writeFurlFile(furlFile, furl);
    useFile(registry, furlFile, "furlFile");
    return furl;
  } catch (error) {
    if (isNew) registry.unregister(object);
    throw error;
  }
}
