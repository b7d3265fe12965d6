/**
 * What values take in memory, in bytes: measured with V8 on 64 bits, rounded up. The receiver adds these to the
 * lengths of strings, so that a message of many tiny values cannot take much more memory than
 * `Limits.maxMessageBytes` says.
 *
 * @module
 */

/** Any token; alone it is enough for a number. */
export const TOKEN_COST = 16;
/** Any sequence; alone it is enough for text, none and a boolean. */
export const SEQUENCE_COST = 64;
/** A `Uint8Array`, besides its bytes. */
export const BYTES_COST = 192;
/** A list, tuple, plain object or copy, besides what `SEQUENCE_COST` covers. */
export const CONTAINER_COST = 144;
/** A Dict or set, besides that. */
export const COLLECTION_COST = 192;
/** An entry of a Dict, or a member of a set, besides its key and value. */
export const ENTRY_COST = 128;
/** A Date, besides what `SEQUENCE_COST` covers. */
export const OBJECT_COST = 64;
/** A URL, besides its text; or an object of `Temporal`. */
export const URL_COST = 512;
/** A RegExp, besides its source. */
export const REGEXP_COST = 512;
/** An Error, besides its texts: the engine notes where it was made. */
export const ERROR_COST = 2_048;
