/**
 * The attributes of an object, as a peer may have sent them.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { decodeText } from "../../util/text.ts";

/**
 * Attributes by name, of a state that came: a dictionary of texts, or of byte strings, as Python 2 sends them; nothing
 * at all is no attributes, as Python 3.11 sends them.
 *
 * @throws {Violation} If it is something else.
 */
export function stateOf(state: unknown): Record<string, unknown> {
  if (state === null || state === undefined) return Object.create(null);
  if (state instanceof Map) {
    const named: Record<string, unknown> = Object.create(null);
    for (const [key, value] of state) named[nameOf(key)] = value;
    return named;
  }
  if (typeof state === "object" && Object.getPrototypeOf(state) === null) {
    return state as Record<string, unknown>;
  }
  throw new Violation("Cannot take the state of an object: it is no dictionary");
}

function nameOf(key: unknown): string {
  if (typeof key === "string") return key;
  if (key instanceof Uint8Array) {
    try {
      return decodeText(key, 0, key.length);
    } catch {
      // Said below.
    }
  }
  throw new Violation("Cannot take the state of an object: a name in it is no text");
}
