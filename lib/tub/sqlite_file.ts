/**
 * Opens the SQLite file of a store, or says what is wrong with it. Nothing is written to a file that is not a store of this
 * Tub.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import { PermissionDenied, StoreError, type StoreProblem } from "../errors.ts";
import { requirePermission } from "./permissions.ts";
import { APPLICATION_ID, MIGRATIONS } from "./sqlite_schema.ts";

const OWNER_ONLY = 0o600;
/** "SQLite format 3" and a zero. */
const HEADER = new TextEncoder().encode("SQLite format 3\0");
const LOCKED = 5,
  READ_ONLY = 8,
  IO_ERROR = 10,
  FULL = 13,
  CANNOT_OPEN = 14,
  NOT_A_DATABASE = 26,
  CORRUPT = 11;

/** What is to be known of the file. */
export interface SqliteFileOptions {
  readonly path: string;
  /** What a store of this Tub has in it. */
  readonly check: string;
  /** Whether each change is forced to the disk. */
  readonly isForced: boolean;
  /**
   * What makes each version of the schema from the one before.
   *
   * @default those of this version of the module
   */
  readonly migrations?: readonly string[] | undefined;
}

/**
 * Opens a store, makes one if there is no file, and brings one of an earlier version up to date.
 *
 * @throws {StoreError} If that is not possible; `problem` says why.
 */
export async function openSqliteFile(options: SqliteFileOptions): Promise<DatabaseSync> {
  const { path, check, isForced, migrations = MIGRATIONS } = options;
  const shown = `the store ${JSON.stringify(path)}`;
  permit(path, shown);
  const isNew = prepareFile(path, shown);
  // Only who uses a store pays for loading it.
  const { DatabaseSync } = await import("node:sqlite");
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    // Another process must see neither half of what is kept in memory here. The lock goes with the process.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = OFF; PRAGMA busy_timeout = 0;");
    const [version, application] = [pragma(db, "user_version"), pragma(db, "application_id")];
    if (!isNew || application !== 0) {
      checkOwner(db, { version, application, known: migrations.length }, shown);
    }
    db.exec("BEGIN EXCLUSIVE; COMMIT;");
    if (!isNew) checkWhole(db, shown);
    // Before anything is written to it.
    if (version > 0) checkIdentity(db, check, shown);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${isForced ? "FULL" : "NORMAL"};`);
    migrate(db, { version, check, migrations }, shown);
    return db;
  } catch (error) {
    closeQuietly(db);
    throw storeError(error, `open ${shown}`);
  }
}

/** What is said when SQLite refuses something. */
export function storeError(cause: unknown, action: string): StoreError {
  if (cause instanceof StoreError) return cause;
  const [problem, why] = reasonOf(cause);
  return new StoreError(`Cannot ${action}: ${why}`, { cause, problem });
}

function reasonOf(cause: unknown): [StoreProblem, string] {
  const { errcode, message = "" } = cause as { errcode?: number; message?: string };
  // The upper bits say more than is needed.
  switch ((errcode ?? codeOf(message)) & 0xff) {
    case LOCKED:
      return ["locked", "it is in use; stop the other process or Tub that has it open"];
    case READ_ONLY:
      return ["unavailable", "it can only be read; check its mode and owner, and those of its folder"];
    case FULL:
      return ["write", "the disk is full; make room"];
    case IO_ERROR:
      return ["write", "the system refuses to read or write; check the disk and the folder"];
    case NOT_A_DATABASE:
      return ["foreign", "it is no SQLite file; give another one"];
    case CORRUPT:
      return ["damaged", "it is damaged; restore it from a copy"];
    case CANNOT_OPEN:
      return ["unavailable", "the system refuses; check that it is a file, and its folder"];
  }
  return ["write", "SQLite refuses; see the cause"];
}

/** What `exec` throws has no number in Deno 2.9, only SQLite's own words for it. */
const WORDS: readonly [RegExp, number][] = [
  [/is locked/, LOCKED],
  [/readonly database/, READ_ONLY],
  [/disk I\/O error/, IO_ERROR],
  [/disk image is malformed/, CORRUPT],
  [/disk is full/, FULL],
  [/unable to open/, CANNOT_OPEN],
  [/is not a database/, NOT_A_DATABASE],
];

function codeOf(message: string): number {
  return WORDS.find(([words]) => words.test(message))?.[1] ?? 0;
}

function permit(path: string, shown: string): void {
  try {
    requirePermission({ name: "read", path }, `open ${shown}`);
    requirePermission({ name: "write", path }, `open ${shown}`);
  } catch (cause) {
    if (!(cause instanceof PermissionDenied)) throw cause;
    throw new StoreError(cause.message, { cause, problem: "permission" });
  }
}

/** Whether there is nothing in it. A new file is its owner's only, and what is no SQLite file is not even opened as one. */
function prepareFile(path: string, shown: string): boolean {
  try {
    using file = Deno.openSync(path, { read: true, write: true, create: true, mode: OWNER_ONLY });
    const { isFile, size } = file.statSync();
    if (!isFile) throw unavailable(shown);
    if (size === 0) return true;
    const start = new Uint8Array(HEADER.length);
    file.readSync(start);
    if (start.every((byte, i) => byte === HEADER[i])) return false;
    throw new StoreError(`Cannot open ${shown}: it is no SQLite file; give another one`, {
      problem: "foreign",
    });
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw unavailable(shown, cause);
  }
}

function unavailable(shown: string, cause?: unknown): StoreError {
  return new StoreError(
    cause instanceof Deno.errors.NotFound
      ? `Cannot open ${shown}: its folder does not exist; create the folder first`
      : `Cannot open ${shown}: the system refuses; check that it is a file, its owner and its mode, and those of its folder`,
    { cause, problem: "unavailable" },
  );
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

/** What the header of a file says, and which version is known. */
interface Versions {
  readonly version: number;
  readonly application: number;
  readonly known: number;
}

function checkOwner(db: DatabaseSync, { version, application, known }: Versions, shown: string): void {
  const isEmpty = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.n === 0;
  if (application !== APPLICATION_ID && !(application === 0 && version === 0 && isEmpty)) {
    throw new StoreError(
      `Cannot open ${shown}: it is another program's; give another file`,
      { problem: "foreign" },
    );
  }
  if (version > known) {
    throw new StoreError(
      `Cannot open ${shown}: a later version of this module wrote it (schema ${version}, and this one knows ${known}); use that version`,
      { problem: "newer" },
    );
  }
}

function checkWhole(db: DatabaseSync, shown: string): void {
  const found = db.prepare("PRAGMA quick_check(1)").get();
  if (found === undefined || Object.values(found)[0] === "ok") return;
  throw new StoreError(`Cannot open ${shown}: it is damaged; restore it from a copy`, { problem: "damaged" });
}

function checkIdentity(db: DatabaseSync, check: string, shown: string): void {
  const known = db.prepare("SELECT value FROM meta WHERE key = 'check'").get()?.value;
  if (known === check) return;
  throw new StoreError(
    `Cannot open ${shown}: it is the store of another Tub; start with the certificate that it was made with, or with another file`,
    { problem: "identity" },
  );
}

/** What is to be made of a file. */
interface Update {
  readonly version: number;
  readonly check: string;
  readonly migrations: readonly string[];
}

/** In one go: an update that was interrupted, or failed, has not happened. */
function migrate(db: DatabaseSync, { version, check, migrations }: Update, shown: string): void {
  const latest = migrations.length;
  if (version === latest) return;
  try {
    db.exec("BEGIN EXCLUSIVE");
    for (const step of migrations.slice(version)) db.exec(step);
    if (version === 0) db.prepare("INSERT INTO meta (key, value) VALUES ('check', ?)").run(check);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${latest}; COMMIT`);
  } catch (cause) {
    if (db.isTransaction) db.exec("ROLLBACK");
    if (version === 0) throw cause;
    throw storeError(
      cause,
      `bring ${shown} from schema ${version} to schema ${latest}, and left it as it was`,
    );
  }
}

function closeQuietly(db: DatabaseSync | undefined): void {
  try {
    db?.close();
  } catch {
    // What is wrong with it is being told.
  }
}
