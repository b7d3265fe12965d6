/**
 * Objects that say themselves how they are written and read.
 *
 * Source: Twisted `jelly.py`, `Jellyable`, `Unjellyable`; `interfaces.py`.
 *
 * @module
 */

import type { Expression } from "../banana/expression.ts";
import type { Jellying, Unjellying } from "./invoker.ts";

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
