/**
 * The limits of a grant as text, for a store.
 *
 * @module
 */

import { StoreError } from "../errors.ts";
import { checkTerms, type Terms } from "./grant_options.ts";

/** JSON, with the same keys as the options of a grant. The name is left out: it is a secret. */
export function writeTerms({ methods, expiresAt, maxCalls, rate, holders, requires, label }: Terms): string {
  return JSON.stringify({
    methods: methods && [...methods],
    expires: expiresAt,
    maxCalls,
    rate,
    holders: holders && [...holders],
    requires: requires.length === 0 ? undefined : requires.map(plain),
    label,
  });
}

/**
 * The limits of a text.
 *
 * @throws {StoreError} If it is none of {@linkcode writeTerms}.
 */
export function readTerms(text: string): Terms {
  try {
    const parsed: unknown = JSON.parse(text);
    const { expires, ...others } = parsed as { expires?: unknown };
    const expiresAt = expires as number | undefined;
    if (expiresAt !== undefined && !Number.isFinite(expiresAt)) throw new TypeError("expires is no number");
    // It may be over: the registry looks.
    return { ...checkTerms(others, -Infinity), expiresAt };
  } catch (cause) {
    throw new StoreError(
      "Cannot read the store: it has a grant that makes no sense; restore the file from a copy",
      { cause, problem: "damaged" },
    );
  }
}

/** A path may be a URL, which JSON writes as text that is no path. */
function plain(descriptor: Deno.PermissionDescriptor): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(descriptor).map(([key, value]) => [
      key,
      value instanceof URL && value.protocol === "file:" ? decodeURIComponent(value.pathname) : value,
    ]),
  );
}
