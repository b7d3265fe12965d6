/**
 * The token types of Banana, Foolscap's byte encoding.
 *
 * ```text
 * token  = header  type-byte  body
 * header = 0 to 64 bytes below 0x80: a number in base 128, least significant digit first
 * type   = one byte, 0x80 or above
 * body   = `header` bytes, or 8 bytes of a double, or nothing
 *
 * [1, "a"]:  00 88  04 87  01 81  01 88  08 87  01 82 61  01 89  00 89
 *            OPEN 0 list   INT 1  OPEN 1 unicode STRING a  CLOSE  CLOSE
 * ```
 *
 * Source: Foolscap `tokens.py`, `banana.py` (`handleData`). The project's own banana.rst gives other
 * numbers for LONGINT and LONGNEG; the code is right.
 *
 * @module
 */

/** First-generation Banana; never legal in Foolscap. */
export const LIST = 0x80;
/** A number of 0 or more: the header. */
export const INT = 0x81;
/** Bytes: the header is their count. */
export const STRING = 0x82;
/** A negative number: the header is its absolute value. */
export const NEG = 0x83;
/** A double, big-endian. */
export const FLOAT = 0x84;
/** A large number: the header is the count of big-endian bytes. */
export const LONGINT = 0x85;
/** The negative of a large number. */
export const LONGNEG = 0x86;
/** A byte string from the agreed vocabulary: the header is its index. */
export const VOCAB = 0x87;
/** Begins a sequence: the header is the sender's count of OPENs. */
export const OPEN = 0x88;
/** Ends a sequence: the number of its OPEN. */
export const CLOSE = 0x89;
/** The sender gives the sequence up. */
export const ABORT = 0x8a;
/** A last word before the connection closes: the header is the length of the text. */
export const ERROR = 0x8d;
/** Asks for a PONG with the same number. */
export const PING = 0x8e;
/** Answers a PING. */
export const PONG = 0x8f;

/** The type byte is not of this dialect. */
export const NO_SUCH_TOKEN = 0;
/** Nothing follows the type byte. */
export const NO_BODY = 1;
/** As many bytes as the header says follow. */
export const SIZED_BODY = 2;
/** Eight bytes follow. */
export const DOUBLE_BODY = 3;

/** For each type byte, less 0x80, what follows it (one of the four above): a dialect of Banana. */
export type BodyTable = Uint8Array;

/** A table from rows of type byte and body. */
export function bodyTable(rows: Iterable<readonly [type: number, body: number]>): BodyTable {
  const table = new Uint8Array(128);
  for (const [type, body] of rows) table[type - 0x80] = body;
  return table;
}

/** Foolscap's dialect, protocol version 3. */
export const FOOLSCAP_TOKENS: BodyTable = bodyTable([
  [INT, NO_BODY],
  [STRING, SIZED_BODY],
  [NEG, NO_BODY],
  [FLOAT, DOUBLE_BODY],
  [LONGINT, SIZED_BODY],
  [LONGNEG, SIZED_BODY],
  [VOCAB, NO_BODY],
  [OPEN, NO_BODY],
  [CLOSE, NO_BODY],
  [ABORT, NO_BODY],
  [ERROR, SIZED_BODY],
  [PING, NO_BODY],
  [PONG, NO_BODY],
]);

const NAMES: ReadonlyMap<number, string> = new Map([
  [LIST, "LIST"],
  [INT, "INT"],
  [STRING, "STRING"],
  [NEG, "NEG"],
  [FLOAT, "FLOAT"],
  [LONGINT, "LONGINT"],
  [LONGNEG, "LONGNEG"],
  [VOCAB, "VOCAB"],
  [OPEN, "OPEN"],
  [CLOSE, "CLOSE"],
  [ABORT, "ABORT"],
  [ERROR, "ERROR"],
  [PING, "PING"],
  [PONG, "PONG"],
]);

/** The name of a token type, for messages. */
export function tokenName(type: number): string {
  return NAMES.get(type) ?? `0x${type.toString(16)}`;
}
