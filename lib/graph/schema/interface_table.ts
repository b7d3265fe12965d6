/**
 * The RemoteInterfaces of the process by name: a caller finds the rules of an object by the name that came with it.
 *
 * Source: Foolscap `remoteinterface.py`, `RemoteInterfaceRegistry`.
 *
 * @module
 */

import { quoteForeign } from "../../util/text.ts";
import type { InterfaceRules } from "./method_schema.ts";

/** Two RemoteInterfaces were declared with one name. Foolscap: `DuplicateRemoteInterfaceError`. */
export class DuplicateRemoteInterfaceError extends RangeError {
  /** The name of the class, also where minifying took it. */
  override name = "DuplicateRemoteInterfaceError";
  /** Foolscap's name for it. */
  static readonly wireType = "foolscap.remoteinterface.DuplicateRemoteInterfaceError";
}

const interfaces = new Map<string, InterfaceRules>();

/**
 * Makes a RemoteInterface known under its name. The same one once more is harmless.
 *
 * @throws {DuplicateRemoteInterfaceError} If another one has the name.
 */
export function addRemoteInterface(rules: InterfaceRules, name: string = rules.name): void {
  const known = interfaces.get(name);
  if (known !== undefined && known !== rules) {
    throw new DuplicateRemoteInterfaceError(
      `Cannot declare a RemoteInterface: ${quoteForeign(name, 100)} is declared already`,
    );
  }
  interfaces.set(name, rules);
}

/** The RemoteInterface of a name. */
export function findRemoteInterface(name: string): InterfaceRules | undefined {
  return interfaces.get(name);
}
