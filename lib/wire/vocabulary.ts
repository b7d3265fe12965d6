/**
 * Vocabulary tables: words that travel as one number. Two Tubs agree on a table when they connect.
 *
 * Source: Foolscap `vocab.py`.
 *
 * @module
 */

/** The tables by their number: 0 is empty, 1 is what every Foolscap of today agrees on. */
export const VOCABULARIES: readonly (readonly string[])[] = [
  [],
  [
    "none",
    "boolean",
    "reference",
    "dict",
    "list",
    "tuple",
    "set",
    "immutable-set",
    "unicode",
    "set-vocab",
    "add-vocab",
    "call",
    "arguments",
    "answer",
    "error",
    "my-reference",
    "your-reference",
    "their-reference",
    "copyable",
    "instance",
    "module",
    "class",
    "method",
    "function",
    "attrdict",
  ],
];

/** The first 4 hex digits of SHA-1 over each table's words, joined with a zero byte. */
const HASHES: readonly string[] = ["da39", "bb33"];

/**
 * What two Tubs compare to be sure that they mean the same table.
 *
 * @param index The number of the table, 0 or 1.
 * @throws {RangeError} If there is no such table.
 */
export function vocabularyHash(index: number): string {
  const hash = HASHES[index];
  if (hash === undefined) throw new RangeError(`There is no vocabulary table ${index}`);
  return hash;
}

/** The words of a table. */
export function vocabularyWords(index: number): readonly string[] {
  const words = VOCABULARIES[index];
  if (words === undefined) throw new RangeError(`There is no vocabulary table ${index}`);
  return words;
}
