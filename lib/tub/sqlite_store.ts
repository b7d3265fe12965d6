/**
 * The store of a Tub's grants in an SQLite file.
 *
 * Its WAL is forced to the disk at each commit (`synchronous = FULL`), unless the program says that surviving a crash is
 * enough: what is in the WAL survives the end of the process without that, as the system has it.
 *
 * @module
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { StoreError } from "../errors.ts";
import { MAX_RETIRED_NAMES } from "../limits.ts";
import type { CaveatMark } from "../registry/caveat_state.ts";
import type { GateEnd } from "../registry/gate.ts";
import type {
  Store,
  StoredCaveatCount,
  StoredGrant,
  StoredRegistry,
  StoredRetiredName,
  StoredUse,
  StoreKeys,
} from "../registry/store.ts";
import { storeError } from "./sqlite_file.ts";

type Row = Record<string, unknown>;
/** The columns of the table, in its own order. */
const GRANT_COLUMNS =
  "id, parent, name_hash, caveat_id, sealed_root, terms, factory, args, created_at, used, last_used_at";
type GrantRow = readonly [
  id: number,
  parent: number | null,
  nameHash: string | null,
  caveatId: string,
  sealedRoot: Uint8Array,
  terms: string,
  factory: string | null,
  args: Uint8Array | null,
  createdAt: number,
  used: number,
  lastUsedAt: number | null,
];

/** Before the hash of a name that was taken back, with the number of the grant: another one may have that name again. */
const TAKEN_BACK = /^-\d+:/;

/** Keeps grants in a file that was opened. */
export class SqliteStore implements Store {
  readonly keys: StoreKeys;
  readonly countAhead: number;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** The highest number that a grant has had, where that is not written yet: once, however many there are in a batch. */
  #lastId: number | undefined;
  #hasRetired = true;
  #isInBatch = false;
  #batchFailure: StoreError | undefined;
  #isClosed = false;

  /** @param db As `openSqliteFile` gives it; closed with the store. */
  constructor(db: DatabaseSync, keys: StoreKeys, countAhead: number) {
    this.#db = db;
    this.keys = keys;
    this.countAhead = countAhead;
  }

  load(): StoredRegistry {
    return this.#tell("read", () => {
      const all = (sql: string): Row[] => this.#db.prepare(sql).all() as Row[];
      const [ended] = all("SELECT value FROM meta WHERE key = 'ended_until'");
      const [last] = all("SELECT value FROM meta WHERE key = 'last_id'");
      const retired = all("SELECT name_hash, why FROM retired ORDER BY number").map(retiredOf);
      this.#hasRetired = retired.length > 0;
      return {
        grants: this.#grants(),
        retired,
        lastId: Number(last?.value ?? 0),
        counts: all("SELECT * FROM caveat_counts").map((row) => ({ ...markOf(row), used: Number(row.used) })),
        revoked: all("SELECT * FROM caveat_revocations").map(markOf),
        endedUntil: Number(ended?.value ?? 0),
      };
    });
  }

  addGrant(grant: StoredGrant): void {
    const { id, parent, nameHash, caveatId, sealedRoot, terms, factory, args, createdAt, used, lastUsedAt } =
      grant;
    this.#write(() => {
      this.#run(
        "INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id,
        parent ?? null,
        nameHash ?? null,
        caveatId,
        sealedRoot,
        terms,
        factory ?? null,
        args ?? null,
        createdAt,
        used,
        lastUsedAt ?? null,
      );
      // A name that was retired may be chosen again.
      if (nameHash !== undefined && this.#hasRetired) {
        this.#run("DELETE FROM retired WHERE name_hash = ?", nameHash);
      }
      this.#lastId = id;
    });
  }

  endGrants(ids: readonly number[], why: GateEnd): void {
    this.#write(() => {
      this.#hasRetired = true;
      for (const id of ids) {
        this.#run(
          "INSERT INTO retired (name_hash, why) SELECT name_hash, ? FROM grants WHERE id = ? AND name_hash NOT LIKE '-%'",
          why,
          id,
        );
        this.#run("DELETE FROM grants WHERE id = ?", id);
      }
      this.#run(
        "DELETE FROM retired WHERE number <= (SELECT max(number) FROM retired) - ?",
        MAX_RETIRED_NAMES,
      );
    });
  }

  unnameGrant(id: number): void {
    this.#write(() => {
      this.#run(
        "UPDATE grants SET name_hash = '-' || id || ':' || name_hash WHERE id = ? AND name_hash NOT LIKE '-%'",
        id,
      );
    });
  }

  setUses(uses: readonly StoredUse[]): void {
    this.#write(() => {
      for (const { id, used, lastUsedAt } of uses) {
        this.#run("UPDATE grants SET used = ?, last_used_at = ? WHERE id = ?", used, lastUsedAt ?? null, id);
      }
    });
  }

  setCounts(counts: readonly StoredCaveatCount[]): void {
    this.#write(() => {
      for (const { id, mark, until, used } of counts) {
        this.#run("INSERT OR REPLACE INTO caveat_counts VALUES (?, ?, ?, ?)", id, mark, until ?? null, used);
      }
    });
  }

  addRevoked({ id, mark, until }: CaveatMark): void {
    this.#write(() => {
      this.#run("INSERT OR REPLACE INTO caveat_revocations VALUES (?, ?, ?)", id, mark, until ?? null);
    });
  }

  forgetId(id: string): void {
    this.#write(() => {
      this.#run("DELETE FROM caveat_counts WHERE id = ?", id);
      this.#run("DELETE FROM caveat_revocations WHERE id = ?", id);
    });
  }

  forgetOver(now: number, endedUntil: number): void {
    this.#write(() => {
      this.#run("DELETE FROM caveat_counts WHERE until <= ?", now);
      this.#run("DELETE FROM caveat_revocations WHERE until <= ?", now);
      this.#run("INSERT OR REPLACE INTO meta (key, value) VALUES ('ended_until', ?)", endedUntil);
    });
  }

  batch(run: () => void): void {
    this.#write(() => {
      this.#isInBatch = true;
      this.#batchFailure = undefined;
      try {
        run();
      } finally {
        this.#isInBatch = false;
      }
      // What was half written must not be kept.
      if (this.#batchFailure !== undefined) throw this.#batchFailure;
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#statements.clear();
    try {
      this.#db.close();
    } catch {
      // All that was acknowledged is in the file.
    }
  }

  *#grants(): Generator<StoredGrant> {
    // Deno has it, and its types have not.
    const statement = this.#db.prepare(`SELECT ${GRANT_COLUMNS} FROM grants ORDER BY id`) as
      & StatementSync
      & { setReturnArrays(isOn: boolean): void };
    // Objects, and one at a time, take more than twice as long.
    statement.setReturnArrays(true);
    for (const row of statement.all() as unknown as GrantRow[]) yield grantOf(row);
  }

  /** Makes a change, all of it or nothing. */
  #write(change: () => void): void {
    if (this.#isClosed) {
      throw new StoreError("Cannot write to the store: the Tub has been stopped", { problem: "write" });
    }
    if (this.#isInBatch) return this.#writeInBatch(change);
    this.#tell("write to", () => {
      this.#run("BEGIN IMMEDIATE");
      try {
        change();
        if (this.#lastId !== undefined) {
          this.#run("INSERT OR REPLACE INTO meta (key, value) VALUES ('last_id', ?)", this.#lastId);
        }
        this.#run("COMMIT");
      } catch (error) {
        // Some failures end the transaction by themselves.
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      } finally {
        this.#lastId = undefined;
      }
    });
  }

  #writeInBatch(change: () => void): void {
    if (this.#batchFailure !== undefined) throw this.#batchFailure;
    try {
      this.#tell("write to", change);
    } catch (error) {
      this.#batchFailure = error as StoreError;
      throw error;
    }
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#db.prepare(sql));
    statement.run(...values);
  }

  #tell<R>(action: string, run: () => R): R {
    try {
      return run();
    } catch (error) {
      throw storeError(error, `${action} the store`);
    }
  }
}

function grantOf(row: GrantRow): StoredGrant {
  const [id, parent, nameHash, caveatId, sealedRoot, terms, factory, args, createdAt, used, lastUsedAt] = row;
  const isTakenBack = nameHash?.startsWith("-") === true;
  return {
    id,
    parent: parent ?? undefined,
    nameHash: isTakenBack ? nameHash.replace(TAKEN_BACK, "") : nameHash ?? undefined,
    isUnnamed: nameHash === null || isTakenBack,
    caveatId,
    sealedRoot,
    terms,
    factory: factory ?? undefined,
    args: args ?? undefined,
    createdAt,
    used,
    lastUsedAt: lastUsedAt ?? undefined,
  };
}

function retiredOf(row: Row): StoredRetiredName {
  return { nameHash: row.name_hash as string, why: row.why as GateEnd };
}

function markOf(row: Row): CaveatMark {
  return { id: row.id as string, mark: row.mark as string, until: (row.until as number | null) ?? undefined };
}
