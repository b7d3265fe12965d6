/**
 * The place of a value inside another, as text: `arguments[0].tags[2]`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";

/** How an element or attribute is written behind what contains it. */
export function segmentOf(key: number | string): string {
  if (typeof key === "number") return `[${key}]`;
  return /^[A-Za-z_$][\w$]{0,63}$/.test(key) ? `.${key}` : `[${quoteForeign(key, 64)}]`;
}

/** How the value under a key of any kind is written. */
export function keySegment(key: unknown): string {
  if (typeof key === "string") return segmentOf(key);
  if (typeof key === "number" || typeof key === "bigint" || typeof key === "boolean") return `[${key}]`;
  return "[…]";
}

/** The same Violation, with `prefix` in front of its place. */
export function violationAt(violation: Violation, prefix: string): Violation {
  if (prefix === "") return violation;
  const suffix = ` (at ${violation.where})`;
  const bare = violation.where !== "" && violation.message.endsWith(suffix)
    ? violation.message.slice(0, -suffix.length)
    : violation.message;
  const where = prefix + violation.where;
  return new Violation(bare, {
    where: where.startsWith(".") ? where.slice(1) : where,
    cause: violation.cause,
  });
}
