/**
 * Brings a store of schema 1 to one with a step that has no end: to be killed.
 *
 * @module
 */

import { openSqliteFile } from "../../lib/tub/sqlite_file.ts";
import { MIGRATIONS } from "../../lib/tub/sqlite_schema.ts";

Deno.stdout.writeSync(new TextEncoder().encode("begins\n"));
await openSqliteFile({
  path: Deno.args[0]!,
  check: "mine",
  isForced: false,
  migrations: [
    MIGRATIONS[0]!,
    // More than SQLite keeps in memory, so that a part of it is in the WAL.
    `PRAGMA cache_size = 10; CREATE TABLE notes (text TEXT) STRICT; INSERT INTO notes
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT hex(randomblob(2000)) FROM n`,
  ],
});
