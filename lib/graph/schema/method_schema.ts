/**
 * What a broker asks of a RemoteInterface: the contract between the messages of a connection and the schemas.
 *
 * Source: Foolscap `remoteinterface.py`, the methods of `RemoteMethodSchema` that `call.py` and `broker.py` call.
 *
 * @module
 */

import type { Constraint } from "./constraint.ts";

/** Keyword arguments by name. */
export type Keywords = Readonly<Record<string, unknown>>;

/** The rules of one method. */
export interface MethodRules {
  /** The rule for the result; `undefined` if any will do. */
  readonly response: Constraint | undefined;
  /**
   * The rule for a positional argument that is about to come.
   *
   * @throws {Violation} If there are not so many.
   */
  positional(index: number): Constraint | undefined;
  /**
   * The rule for a keyword argument whose name has come.
   *
   * @param positional How many positional arguments came before.
   * @throws {Violation} If there is no such argument, or a positional one was it.
   */
  keyword(name: string, positional: number): Constraint | undefined;
  /**
   * Checks the arguments of a call that is complete, before the method sees them.
   *
   * @returns The arguments in the order of their declaration; what the method does not declare and yet takes, by name,
   * is a last one of class `Kwargs`.
   * @throws {Violation} If one breaks its rule, or is missing.
   */
  checkInbound(args: readonly unknown[], keywords: Keywords | undefined): unknown[];
  /**
   * Checks the arguments of a call that is about to be sent: as the program gave them, keyword arguments as a last one
   * of class `Kwargs`.
   *
   * @returns The arguments to send.
   * @throws {Violation} If one breaks its rule, or is missing.
   */
  checkOutbound(args: readonly unknown[]): readonly unknown[];
}

/** Whether something has what a broker asks of a method's rules. */
export function isMethodRules(value: unknown): value is MethodRules {
  if (typeof value !== "object" || value === null) return false;
  const { positional, keyword, checkInbound, checkOutbound } = value as Partial<MethodRules>;
  return [positional, keyword, checkInbound, checkOutbound].every((part) => typeof part === "function");
}

/** What a RemoteInterface says about its methods. */
export interface InterfaceRules {
  /** Its name on the wire. */
  readonly name: string;
  /** The RemoteInterfaces that it extends: what provides it provides them too. */
  readonly bases?: readonly InterfaceRules[];
  /** The rules of a method; `undefined` if it has no such method. */
  method(name: string): MethodRules | undefined;
}
