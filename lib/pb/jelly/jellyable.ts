/**
 * Objects that say themselves how they are written to jelly and read from it.
 *
 * Source: Twisted `jelly.py`, `Jellyable`, `Unjellyable`; `interfaces.py`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { decodeText } from "../../util/text.ts";
import type { Expression } from "../banana/expression.ts";
import type { Jellying, Unjellying } from "./invoker.ts";

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
      // It is no UTF-8: refused below.
    }
  }
  throw new Violation("Cannot take the state of an object: a name in it is no text");
}

/** An object that writes its own s-expression. Twisted: `IJellyable`. */
export interface Jellyable {
  /**
   * Writes one expression, by the methods of the run: `jellier.list(2)`, `jellier.word("my.Tag")`,
   * `jellier.jelly(this.state)`.
   *
   * If a second occurrence shall be a reference to the first, it calls `jellier.prepare(this)` before it writes anything.
   * What it throws fails the call.
   */
  jellyFor(jellier: Jellying): void;
}

/** An object that reads itself out of an s-expression. Twisted: `IUnjellyable`. */
export interface Unjellyable {
  /**
   * Reads the expression whose first element is the tag for which the class is registered.
   *
   * If the expression may contain itself, it calls `unjellier.bind(this)` before it reads its parts.
   *
   * @returns The value: mostly the object itself.
   */
  unjellyFor(unjellier: Unjellying, expression: readonly Expression[]): unknown;
}

/** Whether an object writes itself. */
export function isJellyable(value: object): value is Jellyable {
  return typeof (value as Partial<Jellyable>).jellyFor === "function";
}

/** Whether an object reads itself. */
export function isUnjellyable(value: object): value is Unjellyable {
  return typeof (value as Partial<Unjellyable>).unjellyFor === "function";
}
