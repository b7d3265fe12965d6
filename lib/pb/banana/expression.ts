/**
 * An s-expression: what Banana carries.
 *
 * @module
 */

import type { Float } from "../../values/float.ts";

/**
 * An s-expression as Perspective Broker's Banana carries it.
 *
 * | on the wire | here |
 * | --- | --- |
 * | INT, NEG, LONGINT, LONGNEG | `number` if safe, else `bigint` |
 * | FLOAT | `number` if it is no safe integer, else {@linkcode Float} |
 * | STRING, VOCAB | `Uint8Array` |
 * | LIST | array |
 *
 * To be read only: words of the protocol are shared among expressions.
 */
export type Expression = number | bigint | Float | Uint8Array | readonly Expression[];
