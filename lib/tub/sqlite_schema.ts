/**
 * The tables of a store, version by version.
 *
 * @module
 */

/** Stands in the header of the file, and says whose it is: "FlsC". */
export const APPLICATION_ID = 0x466c7343;

/**
 * What makes each version of the schema from the one before; the first one, from nothing. Never changed once it was
 * released: a new version is a new entry.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) WITHOUT ROWID, STRICT;
  CREATE TABLE grants (
    id INTEGER PRIMARY KEY,
    parent INTEGER,
    name_hash TEXT UNIQUE,
    caveat_id TEXT NOT NULL,
    sealed_root BLOB NOT NULL,
    terms TEXT NOT NULL,
    factory TEXT,
    args BLOB,
    created_at REAL NOT NULL,
    used INTEGER NOT NULL,
    last_used_at REAL
  ) STRICT;
  CREATE TABLE retired (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name_hash TEXT NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('revoked', 'expires'))
  ) STRICT;
  CREATE TABLE caveat_counts (
    id TEXT NOT NULL,
    mark TEXT NOT NULL,
    until REAL,
    used INTEGER NOT NULL,
    PRIMARY KEY (id, mark)
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE caveat_revocations (
    id TEXT NOT NULL,
    mark TEXT NOT NULL,
    until REAL,
    PRIMARY KEY (id, mark)
  ) WITHOUT ROWID, STRICT;
  `,
  // Each grant looks whether its name was retired: among 10,000 that took longer than all the rest.
  "CREATE INDEX retired_names ON retired (name_hash)",
];
