/**
 * What a Tub keeps in files of what was granted: the store and the audit file, opened before the Tub is made.
 *
 * @module
 */

import { systemClock } from "../util/clock.ts";
import { safeTrace } from "../util/trace.ts";
import { AuditFile } from "./audit_file.ts";
import { getCertData, type Identity } from "./identity.ts";
import type { TubOptions } from "./options.ts";
import { toPath } from "./private_file.ts";
import { openSqliteFile } from "./sqlite_file.ts";
import { SqliteStore } from "./sqlite_store.ts";
import { auditKeyOf, storeKeysOf } from "./tub_keys.ts";

/** The files of one Tub. They are closed by its registry. */
export interface Durable {
  readonly store: SqliteStore | undefined;
  readonly audit: AuditFile | undefined;
}

/**
 * Opens the files that the options name. The options have been checked.
 *
 * @throws {StoreError} If the store cannot be used.
 * @throws {FileError} If the audit file cannot be used.
 */
export async function openDurable(identity: Identity, options: TubOptions): Promise<Durable> {
  const store = await openStore(identity, options);
  try {
    return { store, audit: openAudit(identity, options) };
  } catch (error) {
    store?.close();
    throw error;
  }
}

async function openStore(identity: Identity, { store }: TubOptions): Promise<SqliteStore | undefined> {
  if (store === undefined) return undefined;
  const { file, survives, countAhead = 1 } = isPath(store) ? { file: store } : store;
  const keys = storeKeysOf(getCertData(identity));
  const isForced = survives !== "crash";
  const db = await openSqliteFile({ path: toPath(file, "store"), check: keys.check, isForced });
  return new SqliteStore(db, keys, countAhead);
}

function openAudit(identity: Identity, options: TubOptions): AuditFile | undefined {
  const { auditFile, clock = systemClock } = options;
  if (auditFile === undefined) return undefined;
  return AuditFile.open({
    ...(isPath(auditFile) ? { file: auditFile } : auditFile),
    tubId: identity.tubId,
    key: auditKeyOf(getCertData(identity)),
    clock,
    trace: safeTrace(options.trace),
  });
}

function isPath(option: unknown): option is string | URL {
  return typeof option === "string" || option instanceof URL;
}
