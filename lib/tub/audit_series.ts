/**
 * The files that the audit of a Tub was divided into, and checking all of them.
 *
 * The one that is being written has the name that the program gave it. One that has ended has the number of its last line
 * behind that: `audit.jsonl.000000051234`.
 *
 * @module
 */

import { nodePath } from "../util/node.ts";
import { hasPermission, requirePermission } from "./permissions.ts";
import { fileError, toPath } from "./private_file.ts";
import {
  AuditCheck,
  type AuditReport,
  type ReadLine,
  readLine,
  shownOf,
  type VerifyAuditOptions,
} from "./verify_audit.ts";

/** What {@linkcode verifyAudit} has found. */
export interface AuditSeriesReport extends AuditReport {
  /** The files, in order. */
  readonly files: readonly string[];
  /** The one with the `problem`, if there is one: `problem.at` is a line of it. */
  readonly problemFile: string | undefined;
}

/**
 * Checks the audit files of a Tub that rotates them, from the first one to the one that is being written: each has to go on
 * where the one before ended, so that one that was deleted, or is in the place of another, shows.
 *
 * The Tub may go on writing meanwhile.
 *
 * @param files The `auditFile` of the Tub: those that it has rotated are found beside it. Or all of them, in order, where
 *   they have other names or places.
 * @throws {FileError} If one cannot be read.
 * @throws {PermissionDenied} If the program may not read them, and their folder; names the flag.
 *
 * @example
 * ```ts
 * import { auditKeyOf, Referenceable, Tub, verifyAudit } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const file = `${await Deno.makeTempDir()}/audit.jsonl`;
 * const tub = await Tub.create({ auditFile: { file, rotate: { maxBytes: 4_096 } } });
 * for (let i = 0; i < 50; i++) tub.registry.grant(new Referenceable(), { label: "door" });
 * const key = auditKeyOf(tub.getCertData());
 * await tub.stop();
 *
 * const { isIntact, files } = await verifyAudit(file, { key });
 * assert.equal(isIntact, true);
 * assert.ok(files.length > 1);
 * ```
 */
export async function verifyAudit(
  files: string | URL | readonly (string | URL)[],
  options: VerifyAuditOptions = {},
): Promise<AuditSeriesReport> {
  const check = new AuditCheck(options);
  const series = Array.isArray(files)
    ? { paths: files.map((file) => toPath(file, "file")), isCut: false }
    : seriesOf(toPath(files as string | URL, "file"));
  // It may be rotated while those before it are read: then it has another name.
  using current = series.current;
  const { paths, isCut } = series;
  let read = paths[0];
  for (const [index, path] of paths.entries()) {
    requirePermission({ name: "read", path }, `verify ${shownOf(path)}`);
    if (!check.next()) break;
    read = path;
    await check.read(path, index === series.currentIndex ? current : undefined);
  }
  if (isCut) check.end();
  const report = check.report();
  return { ...report, files: paths, problemFile: report.problem && read };
}

/**
 * Where an audit file is: the directory of the program may change, and a link is not to become a file.
 *
 * @param needs What the program has to be allowed there: of a link, also of what it leads to, or Deno would prompt.
 * @param action What cannot be done without it, for the error.
 * @throws {PermissionDenied} If a permission is missing; names the flag.
 */
export function auditPathOf(given: string, needs: readonly ("read" | "write")[], action: string): string {
  const { isAbsolute, resolve } = nodePath();
  const requireAt = (path: string) => {
    for (const name of needs) requirePermission({ name, path }, action);
  };
  requireAt(given);
  const path = isAbsolute(given) || !hasPermission({ name: "read", path: "." }) ? given : resolve(given);
  let target: string;
  try {
    target = Deno.lstatSync(path).isSymlink ? Deno.realPathSync(path) : path;
  } catch {
    // It is made, or whoever opens it says what is wrong.
    return path;
  }
  requireAt(target);
  return target;
}

/** What a file is called that has ended: its last line has that number. Their order is that of their names. */
export function segmentPath(path: string, lastLine: number): string {
  return `${path}.${String(lastLine).padStart(SEGMENT_DIGITS, "0")}`;
}

/** Files that have ended, beside the one that is being written, in order, with the number in their names. */
export function segmentsOf(path: string): { readonly path: string; readonly lastLine: number }[] {
  const { dirname, basename, join } = nodePath();
  const start = `${basename(path)}.`;
  const found: { path: string; lastLine: number }[] = [];
  for (const { name } of Deno.readDirSync(dirname(path))) {
    const number = name.startsWith(start) ? name.slice(start.length) : "";
    if (!SEGMENT.test(number)) continue;
    found.push({ path: join(dirname(path), name), lastLine: Number(number) });
  }
  return found.sort((a, b) => a.lastLine - b.lastLine);
}

const SEGMENT_DIGITS = 12;
const SEGMENT = /^[0-9]{12,16}$/;
/** How often one looks again, as a file may be rotated meanwhile. */
const LOOKS = 10;
/** Bytes in which the first whole line of a file is. */
const FIRST_LINE_BYTES = 65_536;

/** The files of a Tub. */
interface Series {
  readonly paths: readonly string[];
  /** The one that is being written, open. */
  readonly current?: Deno.FsFile | undefined;
  readonly currentIndex?: number;
  /** Whether the last one is not there. */
  readonly isCut: boolean;
}

function seriesOf(given: string): Series {
  const shown = shownOf(given);
  const action = `verify ${shown}`;
  const path = auditPathOf(given, ["read"], action);
  requirePermission({ name: "read", path: nodePath().dirname(path) }, action);
  let current: Deno.FsFile | undefined;
  try {
    for (let look = 1;; look++) {
      current = openIfThere(path);
      const first = current === undefined ? Infinity : firstLineIn(current)?.line ?? Infinity;
      const ended = segmentsOf(path);
      const before = ended.filter(({ lastLine }) => lastLine < first).map((one) => one.path);
      // When it was just rotated, or the Tub was killed at that, it is here as well.
      const after = ended.slice(before.length).map((one) => one.path)
        .filter((one) => firstLineOf(one) !== first);
      if (current === undefined && before.length > 0) return { paths: before, isCut: true };
      if (after.length === 0 || look === LOOKS) {
        const paths = [...before, path, ...after];
        return { paths, current, currentIndex: before.length, isCut: after.length > 0 };
      }
      current?.close();
    }
  } catch (cause) {
    current?.[Symbol.dispose]();
    throw fileError("verify", shown, cause);
  }
}

function openIfThere(path: string): Deno.FsFile | undefined {
  try {
    return openFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw cause;
  }
}

/** To open a pipe would stop the whole process until somebody writes to it. */
function openFile(path: string): Deno.FsFile {
  if (!Deno.statSync(path).isFile) throw new TypeError("it is no file");
  return Deno.openSync(path);
}

function firstLineOf(path: string): number | undefined {
  using file = openFile(path);
  return firstLineIn(file)?.line;
}

/** The first whole line of a file, which is left at its start: a piece of a line may stand before it. */
export function firstLineIn(file: Deno.FsFile): ReadLine | undefined {
  const bytes = new Uint8Array(FIRST_LINE_BYTES);
  file.seekSync(0, Deno.SeekMode.Start);
  const length = file.readSync(bytes) ?? 0;
  file.seekSync(0, Deno.SeekMode.Start);
  const lines = new TextDecoder().decode(bytes.subarray(0, length)).split("\n", 2);
  return lines.map(readLine).find((line) => line !== undefined);
}
