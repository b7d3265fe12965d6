/**
 * Objects that peers may call. Source: Foolscap `referenceable.py`, `Referenceable`.
 *
 * @module
 */

import type { InterfaceRules } from "../graph/schema/method_schema.ts";
import {
  type AnyReference,
  anyReference,
  type isReference,
  type Provided,
  providedInterface,
  type Providing,
} from "../graph/schema/provided.ts";
import { quoteForeign } from "../util/text.ts";
import type { CallContext } from "./call_context.ts";
import { nameErrors } from "./remote_errors.ts";

/**
 * An object with an identity that connections can know it by, and nothing more: sending one is a Violation. What can be
 * sent, and called, is a {@linkcode Referenceable}.
 *
 * @example
 * ```ts
 * import { OnlyReferenceable, serialize, Violation } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const token = new OnlyReferenceable();
 * assert.equal(token.processUniqueID(), token);
 * assert.throws(() => serialize(token), Violation);
 * ```
 */
export class OnlyReferenceable {
  /**
   * What tells this object from all others of the process. Objects that give the same value look like one to a peer:
   * calls of it go to the one that was sent first, for as long as the peer holds that.
   *
   * By default: the object itself.
   *
   * @returns Any value, compared as keys of a Map are. The objects of all classes share one space: give an object, not a
   *   plain number.
   */
  processUniqueID(): unknown {
    return this;
  }
}

/**
 * An object that travels by reference: whoever gets it, in an argument, a result or by its FURL, can call its methods.
 *
 * Only methods that its class, or a class between it and Referenceable, declares with a name that begins with `remote_`
 * can be reached: no field, no accessor, nothing that is inherited from elsewhere.
 *
 * A method may return any value of the value table or a promise of one. What it throws fails the call at the caller,
 * as a {@linkcode RemoteException} with the error's name and message; paths of this machine and tracebacks stay here
 * unless the Tub is told otherwise. Keyword arguments come as a last argument of class `Kwargs`.
 *
 * @example
 * ```ts
 * import { Referenceable } from "../../mod.ts";
 *
 * class Calculator extends Referenceable {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 * new Calculator();
 * ```
 */
export class Referenceable extends OnlyReferenceable implements AnyReference, Providing {
  /** The class itself, where a constraint is expected, stands for any object that travels by reference. */
  static readonly [anyReference] = "object";
  /**
   * The RemoteInterface that objects of the class provide: calls are checked against it, here and, where it is known by
   * its name, at the caller. Default: none, and nothing is checked.
   */
  static remoteInterface?: InterfaceRules | undefined;
  /**
   * The Deno permissions without which objects of the class cannot work: asked for when one is registered or granted, and
   * again at each call that a peer makes. A subclass that declares its own declares all of them. Default: none.
   */
  static requires?: readonly Deno.PermissionDescriptor[] | undefined;

  /** Only the types need it, to tell a Referenceable from a plain object with the same methods. */
  declare readonly [referenceable]: true;
  /** Only the types need it: what travels by reference. */
  declare readonly [isReference]: true;

  /**
   * Serves one call: the single hook for dynamic dispatch. By default calls the method `remote_<name>`.
   *
   * @param name The method's name, without `remote_`. Any text: a peer chooses it.
   * @param args What the peer sent.
   * @param context Who calls, and whether somebody still waits.
   * @returns The result, or a promise of it.
   * @throws {NoSuchMethodError} If the class declares no such method.
   */
  doRemoteCall(name: string, args: unknown[], context: CallContext): unknown {
    void context;
    return findRemoteMethod(this, name).apply(this, args);
  }

  /** The RemoteInterface that this object provides: by default the `remoteInterface` of its class. */
  getInterface(): InterfaceRules | undefined {
    // Not this.constructor: an object may have a property of that name.
    return (Object.getPrototypeOf(this).constructor as typeof Referenceable).remoteInterface;
  }

  /** The name of the RemoteInterface that this object provides, told to peers; `undefined` for none. */
  getInterfaceName(): string | undefined {
    return this.getInterface()?.name;
  }

  /** What constraints ask; no peer can. */
  [providedInterface](): Provided {
    return { kind: "local", interfaceName: this.getInterfaceName(), rules: this.getInterface() };
  }
}

declare const referenceable: unique symbol;

/** The peer asked for a method that the object does not have. For Python it is an `AttributeError`. */
export class NoSuchMethodError extends TypeError {
  /** The name of the class. */
  override name = "NoSuchMethodError";
}
// Foolscap reports a missing method as Python does.
nameErrors(NoSuchMethodError, "javascript.NoSuchMethodError", "builtins.AttributeError");

type Method = (...args: unknown[]) => unknown;

/**
 * The method of an object that a peer may call by this name: the nearest one that a class declares. A field, an accessor
 * or another value that hides it there hides it from peers as well.
 */
export function findRemoteMethod(object: Referenceable, name: string): Method {
  const key = `remote_${name}`;
  let owner: object | null = object;
  while (owner !== null && owner !== Referenceable.prototype && !Object.hasOwn(owner, key)) {
    owner = Object.getPrototypeOf(owner);
  }
  if (owner !== null && owner !== object && owner !== Referenceable.prototype) {
    const method: unknown = Object.getOwnPropertyDescriptor(owner, key)?.value;
    if (typeof method === "function") return method as Method;
  }
  throw new NoSuchMethodError(`"${object.constructor.name}" object has no method ${quoteForeign(key, 100)}`);
}
