/**
 * A named set of methods with their rules. Source: Foolscap `remoteinterface.py`, `RemoteInterfaceClass`.
 *
 * @module
 */

import { MAX_NAME_BYTES } from "../../limits.ts";
import { encodeText } from "../../util/text.ts";
import { addRemoteInterface, isInterface } from "./provided.ts";
import { isPlain, quoteName } from "./checking.ts";
import { isRemoteInterface } from "./make_constraint.ts";
import { InvalidRemoteInterface } from "./method.ts";
import { type InterfaceRules, isMethodRules, type MethodRules } from "./method_schema.ts";

/** The methods of a RemoteInterface by name. */
export type MethodTable = Readonly<Record<string, MethodRules>>;

/** The rules of an interface: its own methods, and those that it has from others. */
export class RemoteInterfaceRules implements InterfaceRules {
  /** Marks it, so that it stands for a reference where a constraint is expected. */
  readonly [isInterface] = true;
  /** Its name on the wire. */
  readonly name: string;
  /** The RemoteInterfaces that it extends. */
  readonly bases: readonly InterfaceRules[];
  readonly #methods: ReadonlyMap<string, MethodRules>;

  /**
   * Declares an interface, and makes it known by its name.
   *
   * @throws {InvalidRemoteInterface} If a name or method is not what it should be.
   * @throws {DuplicateRemoteInterfaceError} If another one has the name.
   */
  constructor(name: string, methods: MethodTable, bases: readonly InterfaceRules[] = []) {
    if (!isName(name)) {
      throw new InvalidRemoteInterface(
        "Cannot declare a RemoteInterface: its name is empty, too long or no text",
      );
    }
    if (!bases.every(isRemoteInterface)) {
      throw new InvalidRemoteInterface(
        `Cannot declare ${quoteName(name)}: it extends what is no RemoteInterface`,
      );
    }
    // Also found so: `{ __proto__: ... }`, which sets a prototype and no method.
    if (!isPlain(methods)) {
      throw new InvalidRemoteInterface(`Cannot declare ${quoteName(name)}: its methods are no plain object`);
    }
    for (const [method, rules] of Object.entries(methods)) checkMethod(name, method, rules);
    this.name = name;
    this.bases = Object.freeze([...bases]);
    this.#methods = new Map(Object.entries(methods));
    Object.freeze(this);
    addRemoteInterface(this);
  }

  /** The rules of a method: its own, else those of the first interface it extends that has one. */
  method(name: string): MethodRules | undefined {
    const own = this.#methods.get(name);
    if (own !== undefined) return own;
    for (const base of this.bases) {
      const inherited = base.method(name);
      if (inherited !== undefined) return inherited;
    }
    return undefined;
  }

  /** The names of its methods, with those that it has from others. */
  names(): readonly string[] {
    const names = new Set(this.#methods.keys());
    for (const base of this.bases) {
      if (base instanceof RemoteInterfaceRules) { for (const name of base.names()) names.add(name); }
    }
    return [...names];
  }
}

function checkMethod(owner: string, method: string, rules: unknown): void {
  if (!isName(method) || method.startsWith("_")) {
    throw new InvalidRemoteInterface(
      `Cannot declare ${quoteName(owner)}: the method ${quoteName(method)} has no name that peers may call`,
    );
  }
  if (!isMethodRules(rules)) {
    throw new InvalidRemoteInterface(
      `Cannot declare ${quoteName(owner)}: the rules of ${quoteName(method)} are not from schema.method(...)`,
    );
  }
}

function isName(name: unknown): name is string {
  return typeof name === "string" && name !== "" && name.isWellFormed() &&
    encodeText(name).length <= MAX_NAME_BYTES;
}
