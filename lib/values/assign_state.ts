/**
 * Attributes that a peer sent, made properties of an object.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";

/**
 * Makes each attribute an own property. One that would hide a method or accessor of the class is refused: a peer
 * fills in values, never behaviour.
 *
 * @throws {Violation} If an attribute has the name of something that the class defines.
 */
export function assignState(target: object, state: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(state)) {
    if (definedByClass(target, name)) {
      throw new Violation(`Cannot set attribute ${quoteForeign(name, 64)}: the class defines it`);
    }
    Object.defineProperty(target, name, {
      value: state[name],
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}

function definedByClass(target: object, name: string): boolean {
  if (name === "constructor") return false;
  let prototype: object | null = Object.getPrototypeOf(target);
  while (prototype !== null && prototype !== Object.prototype) {
    if (Object.hasOwn(prototype, name)) return true;
    prototype = Object.getPrototypeOf(prototype);
  }
  return false;
}
