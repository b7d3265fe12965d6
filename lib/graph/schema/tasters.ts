/**
 * Tasters that several constraints have in common. Source: Foolscap `constraint.py`.
 *
 * @module
 */

import { FLOAT, INT, LONGINT, LONGNEG, NEG, OPEN, STRING, VOCAB } from "../../wire/tokens.ts";
import type { Taster } from "./constraint.ts";

/** Any token of any size: the Tub's own limits hold all the same. */
export const EVERYTHING: Taster = new Map(
  [INT, NEG, LONGINT, LONGNEG, FLOAT, STRING, VOCAB, OPEN].map((type) => [type, Infinity]),
);

/** Sequences only. */
export const OPENS: Taster = new Map([[OPEN, Infinity]]);

/** No token at all. */
export const NOTHING: Taster = new Map();
