/**
 * Paths of unix sockets as connection hints: `unix:%2Frun%2Fcalc.sock` is `/run/calc.sock`.
 *
 * A slash ends the hints of a FURL and a comma separates them, so a path is percent-encoded. Foolscap has no such hint; it
 * passes over what it does not know.
 *
 * @module
 */

import { InvalidHintError } from "../errors.ts";

/** Bytes of the longest path that fits into a socket's address on every system that Deno runs on. */
export const MAX_UNIX_PATH_BYTES = 103;

/**
 * Why a path cannot be that of a unix socket; `undefined` if it can.
 *
 * Only absolute paths mean the same to both ends.
 */
export function problemOfUnixPath(path: string): string | undefined {
  if (!path.startsWith("/")) return "the path does not begin with a slash";
  if (path.includes("\0") || !path.isWellFormed()) return "the path has a NUL or a lone surrogate";
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= MAX_UNIX_PATH_BYTES) return undefined;
  return `the path has ${bytes} bytes, and a unix socket takes ${MAX_UNIX_PATH_BYTES}`;
}

/**
 * The hint for a path.
 *
 * @param path Absolute.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatUnixHint, parseUnixHint } from "./unix_hint.ts";
 *
 * assert.equal(formatUnixHint("/run/calc.sock"), "unix:%2Frun%2Fcalc.sock");
 * assert.equal(parseUnixHint("unix:%2Frun%2Fcalc.sock"), "/run/calc.sock");
 * ```
 */
export function formatUnixHint(path: string): string {
  return `unix:${encodeURIComponent(path)}`;
}

/**
 * The path of a hint.
 *
 * @throws {InvalidHintError} If it is no such hint.
 */
export function parseUnixHint(hint: string): string {
  let path: string;
  try {
    path = decodeURIComponent(hint.slice(hint.indexOf(":") + 1));
  } catch (cause) {
    throw new InvalidHintError("unrecognized unix hint", { cause });
  }
  const problem = problemOfUnixPath(path);
  if (problem !== undefined) throw new InvalidHintError(`unrecognized unix hint: ${problem}`);
  return path;
}
