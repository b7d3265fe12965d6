/**
 * The RemoteInterfaces of the process by name: a caller finds the rules of an object by the name that came with it.
 *
 * Source: Foolscap `remoteinterface.py`, `RemoteInterfaceRegistry`.
 *
 * How constraints see objects that travel by reference, of which this layer knows nothing: by methods and marks with
 * symbols for names, which no peer can reach.
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

/** What a reference says of the object behind it. */
export interface Provided {
  /** Whether the object lives here or in a peer. */
  readonly kind: "local" | "remote";
  /** Whether it is a function. */
  readonly isFunction?: boolean;
  /** The name of its RemoteInterface; `undefined` or empty for none. */
  readonly interfaceName?: string | undefined;
  /** Its RemoteInterface, where that is known by more than its name. */
  readonly rules?: InterfaceRules | undefined;
}

/** The method of everything that travels by reference: what it provides. */
export const providedInterface: unique symbol = Symbol("providedInterface");

/** What travels by reference. */
export interface Providing {
  /** What it provides. */
  [providedInterface](): Provided;
}

/** What a value provides that travels by reference; `undefined` for all other values. */
export function providedBy(value: unknown): Provided | undefined {
  if (typeof value !== "object" || value === null || !(providedInterface in value)) return undefined;
  const { [providedInterface]: method } = value as Partial<Providing>;
  return typeof method === "function" ? method.call(value as Providing) : undefined;
}

/** A mark of the classes that stand for any reference where a constraint is expected, and which they stand for. */
export const anyReference: unique symbol = Symbol("anyReference");

/** Objects that travel by reference, and references to them. */
export interface AnyReference {
  /** Only the types need it. */
  readonly [isReference]: true;
}

/** Functions that travel by reference, and references to them. */
export interface AnyFunction {
  /** Only the types need it. */
  readonly [isFunctionReference]: true;
}

/** Only the types need it: there is no such property. */
export declare const isReference: unique symbol;
/** Only the types need it: there is no such property. */
export declare const isFunctionReference: unique symbol;

/** A mark of RemoteInterfaces, which stand for references to objects that provide them. */
export const isInterface: unique symbol = Symbol("isInterface");
