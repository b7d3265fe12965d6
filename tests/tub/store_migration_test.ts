import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../../mod.ts";
import { openSqliteFile } from "../../lib/tub/sqlite_file.ts";
import { MIGRATIONS } from "../../lib/tub/sqlite_schema.ts";

const FIRST = MIGRATIONS[0]!;
/** Steps that need each other, and what was there before. */
const STEPS: readonly string[] = [
  FIRST,
  "CREATE TABLE notes (text TEXT) STRICT; INSERT INTO notes SELECT 'of ' || why FROM retired;",
  "ALTER TABLE notes ADD COLUMN kind TEXT NOT NULL DEFAULT 'old'; UPDATE notes SET text = upper(text)",
  "INSERT INTO notes VALUES ('new', 'new')",
];

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(`${folder}/caps.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function open<R>(
  path: string,
  migrations: readonly string[],
  run: (db: DatabaseSync) => R,
  check = "mine",
): Promise<R> {
  using db = await openSqliteFile({ path, check, isForced: false, migrations });
  return run(db);
}

const versionOf = (db: DatabaseSync): unknown => db.prepare("PRAGMA user_version").get()!.user_version;
const retired = (db: DatabaseSync): unknown[] =>
  db.prepare("SELECT name_hash FROM retired").all().map(({ name_hash }) => name_hash);

/** A store of schema 1 with something in it. */
const make = (path: string) =>
  open(path, [FIRST], (db) => {
    db.exec("INSERT INTO retired (name_hash, why) VALUES ('a', 'revoked'), ('b', 'expires')");
  });

/** That it is what {@linkcode make} has made. */
const checkFirst = (path: string) =>
  open(path, [FIRST], (db) => {
    assert.deepEqual([versionOf(db), retired(db)], [1, ["a", "b"]]);
    assert.equal(db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'notes'").get()!.n, 0);
  });

for (const from of [0, 1, 2, 3]) {
  Deno.test(`openSqliteFile() brings a store from schema ${from} to 4, step by step`, () =>
    inFolder(async (path) => {
      if (from > 0) await make(path);
      if (from > 1) await open(path, STEPS.slice(0, from), () => {});
      await open(path, STEPS, (db) => {
        assert.equal(versionOf(db), 4);
        const notes = db.prepare("SELECT * FROM notes").all().map(({ text, kind }) => [text, kind]);
        const old = [["OF REVOKED", "old"], ["OF EXPIRES", "old"]];
        assert.deepEqual(notes, [...from === 0 ? [] : old, ["new", "new"]]);
      });
    }));
}

const FAILING: readonly [string, string, RegExp][] = [
  ["that makes no sense", "CREATE TABLE notes (text)", /SQLite refuses/],
  [
    "that the data does not fit",
    "CREATE UNIQUE INDEX one ON notes (kind)",
    /SQLite refuses/,
  ],
  [
    "for which the disk is too small",
    `PRAGMA max_page_count = 20; INSERT INTO notes WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
     SELECT hex(randomblob(1000)), 'big' FROM n`,
    /the disk is full; make room/,
  ],
];
for (const [what, step, message] of FAILING) {
  Deno.test(`openSqliteFile() leaves a store as it was at a step ${what}`, () =>
    inFolder(async (path) => {
      await make(path);
      const steps = STEPS.with(3, step);
      for (let i = 0; i < 2; i++) {
        await assert.rejects(open(path, steps, () => {}), (error: StoreError) => {
          assert.ok(error instanceof StoreError && error.problem === "write");
          assert.match(error.message, /from schema 1 to schema 4, and left it as it was: /);
          assert.match(error.message, message);
          return true;
        });
      }
      await checkFirst(path);
      await open(path, STEPS, (db) => assert.equal(versionOf(db), 4));
    }));
}

Deno.test("openSqliteFile() refuses a schema that it does not know, and says which it knows", () =>
  inFolder(async (path) => {
    await make(path);
    await open(path, STEPS, () => {});
    const before = await Deno.readFile(path);
    await assert.rejects(open(path, STEPS.slice(0, 2), () => {}), {
      name: "StoreError",
      problem: "newer",
      message: /schema 4, and this one knows 2/,
    });
    assert.deepEqual(await Deno.readFile(path), before);
  }));

Deno.test("openSqliteFile() does not bring another Tub's store up to date", () =>
  inFolder(async (path) => {
    await make(path);
    const before = await Deno.readFile(path);
    await assert.rejects(open(path, STEPS, () => {}, "another"), { name: "StoreError", problem: "identity" });
    assert.deepEqual(await Deno.readFile(path), before);
    await checkFirst(path);
  }));

Deno.test("openSqliteFile() leaves a store as it was when it is killed while it brings it up to date", () =>
  inFolder(async (path) => {
    await make(path);
    for (const ms of [0, 20, 60, 150]) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "-A", new URL("migration_child.ts", import.meta.url).href, path],
        stdin: "null",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = child.stdout.getReader();
      assert.equal(new TextDecoder().decode((await reader.read()).value), "begins\n");
      // By then it has written some of what its step, which has no end, writes.
      await new Promise((resolve) => setTimeout(resolve, ms));
      child.kill("SIGKILL");
      await reader.cancel();
      assert.equal((await child.status).signal, "SIGKILL");
      await checkFirst(path);
    }
    await open(path, STEPS, (db) => assert.equal(versionOf(db), 4));
  }));

Deno.test("openSqliteFile() makes of an old store what a new one is", () =>
  inFolder(async (path) => {
    const schema = (db: DatabaseSync) =>
      db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").all();
    await make(path);
    const old = await open(path, MIGRATIONS, (db) => {
      const plan = db.prepare("EXPLAIN QUERY PLAN DELETE FROM retired WHERE name_hash = ?").all("a");
      assert.match(String(plan[0]!.detail), /USING INDEX retired_names/);
      assert.deepEqual(retired(db), ["a", "b"]);
      return schema(db);
    });
    assert.deepEqual(old, await open(`${path}.new`, MIGRATIONS, schema));
  }));
