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

/** Integers from here on are not written out: that costs more than linear time. */
const MAX_SHOWN = 1n << 128n;
/** A place is cut to this many characters at either end: some of it is the text of a stranger. */
const PATH_END = 100;

/** A place from its segments, outermost first; the middle of a very long one is left out. */
export function joinPath(segments: readonly string[]): string {
  const path = segments.join("");
  const whole = path.startsWith(".") ? path.slice(1) : path;
  if (whole.length <= 2 * PATH_END + 1) return whole;
  return `${whole.slice(0, PATH_END).toWellFormed()}…${whole.slice(-PATH_END).toWellFormed()}`;
}

/** How the value under a key of any kind is written. */
export function keySegment(key: unknown): string {
  if (typeof key === "string") return segmentOf(key);
  if (typeof key === "number" || typeof key === "boolean") return `[${key}]`;
  if (typeof key === "bigint") return key < MAX_SHOWN && key > -MAX_SHOWN ? `[${key}]` : "[…]";
  return "[…]";
}

/** The same Violation, with `prefix` in front of its place. */
export function violationAt(violation: Violation, prefix: string): Violation {
  if (prefix === "") return violation;
  const suffix = ` (at ${violation.where})`;
  const bare = violation.where !== "" && violation.message.endsWith(suffix)
    ? violation.message.slice(0, -suffix.length)
    : violation.message;
  // The first segment of a place is written without its dot.
  const inner = /^($|[.[…])/.test(violation.where) ? violation.where : `.${violation.where}`;
  return new Violation(bare, { where: joinPath([prefix, inner]), cause: violation.cause });
}
