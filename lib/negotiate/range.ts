/**
 * Ranges of numbers that two peers compare, such as `3 3`.
 *
 * Source: Foolscap `negotiate.py`, `best_overlap()`, `check_inrange()`.
 *
 * @module
 */

import { openRefusal, refusalOf } from "./refusal.ts";

/** Numbers from `min` to `max`, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * Reads `MIN MAX`.
 *
 * @param form "open" allows more words behind, as Foolscap does for vocabulary tables.
 * @throws {Refusal} If there are not two numbers.
 */
export function parseRange(text: string, form: "exact" | "open"): Range {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const [min, max] = words.map(parseInteger);
  if (min === undefined || max === undefined || (form === "exact" && words.length !== 2)) {
    throw refusalOf("A header block has a range that is not two numbers", text);
  }
  return { min, max };
}

/** A number of at most 9 digits; `undefined` for any other text. */
export function parseInteger(text: string): number | undefined {
  return /^[+-]?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/**
 * The greatest number in both ranges.
 *
 * @param name What is counted, for the two texts that the peer is told.
 * @throws {Refusal} If the ranges have none in common.
 */
export function bestOverlap(mine: Range, theirs: Range, name: string): number {
  const best = Math.min(mine.max, theirs.max);
  if (best < mine.min) throw openRefusal(`I can't handle ${name} ${best}`);
  if (best < theirs.min) throw openRefusal(`You can't handle ${name} ${best}`);
  return best;
}
