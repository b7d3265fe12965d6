/**
 * Which class or function makes the objects that arrive by value, and which function takes objects of other
 * classes apart to be sent. One table for the process, as in Foolscap.
 *
 * Source: Foolscap `copyable.py`, `registerRemoteCopy` and its kin.
 *
 * @module
 */

import type { StateRules } from "./schema/state_rules.ts";

/** How objects of one type are made from what arrives. */
export type CopyType =
  & {
    /** May a token of this type be the value of this attribute? Throws a Violation or ProtocolError if not. */
    checkToken?(name: string, type: number, size: number): void;
    /** The rules of its attributes. */
    readonly stateSchema?: StateRules | undefined;
  }
  & (
    | { readonly kind: "class"; readonly construct: new () => object }
    | {
      readonly kind: "factory";
      readonly cyclic: boolean;
      make(state: Record<string, unknown>): unknown;
    }
  );

const copyTypes = new Map<string, CopyType>();

/** What is registered for a type. */
export function findCopyType(copytype: string): CopyType | undefined {
  return copyTypes.get(copytype);
}

/** Registers how objects of a type are made. */
export function addCopyType(copytype: string, type: CopyType): void {
  if (typeof copytype !== "string" || copytype === "") {
    throw new TypeError("Cannot register a RemoteCopy: its copytype is not a text, or empty");
  }
  const known = copyTypes.get(copytype);
  if (known !== undefined && !isSame(known, type)) {
    throw new RangeError(`Cannot register a RemoteCopy: "${copytype}" is registered already`);
  }
  copyTypes.set(copytype, type);
}

function isSame(a: CopyType, b: CopyType): boolean {
  if (a.kind === "class") return b.kind === "class" && a.construct === b.construct;
  return b.kind === "factory" && a.make === b.make;
}

/** A class that a peer's objects can become. */
export interface RemoteCopyClass {
  /** Called without arguments when an object arrives. */
  new (): object;
  /** The name of the type on the wire. */
  copytype?: string;
  /** The rules of its attributes: an `AttributeDictConstraint`. Foolscap: `RemoteCopy.stateSchema`. */
  stateSchema?: StateRules;
}

/**
 * Registers the class for objects that arrive by value: by its own static `copytype`.
 *
 * @throws {TypeError} If there is no copytype.
 * @throws {RangeError} If another class is registered for it.
 */
export function registerRemoteCopy(construct: RemoteCopyClass): void;
/**
 * Registers the class for objects that arrive by value under a type's name. Foolscap: `registerRemoteCopy`.
 *
 * The class is constructed without arguments; then its `setCopyableState(state)` is called, if it has one, or the
 * attributes become its properties.
 *
 * @throws {RangeError} If another class is registered for the type.
 */
export function registerRemoteCopy(copytype: string, construct: new () => object): void;
export function registerRemoteCopy(first: string | RemoteCopyClass, second?: new () => object): void {
  if (typeof first === "function") addCopyType(first.copytype ?? "", classType(first));
  else if (typeof second === "function") addCopyType(first, classType(second));
  else throw new TypeError("Cannot register a RemoteCopy: there is no class");
}

function classType(construct: RemoteCopyClass): CopyType {
  return { kind: "class", construct, stateSchema: construct.stateSchema };
}

/** Takes an object apart: the type's name, and the values by attribute. */
export type Copier<T> = (object: T) => readonly [copytype: string, state: Record<string, unknown>];

const copiers = new Map<object, Copier<never>>();
let generation = 0;

/** Changes whenever a copier is registered, for those who remember what they looked up. */
export function copierGeneration(): number {
  return generation;
}

/** The copier for objects with exactly this prototype. */
export function findCopier(prototype: object): Copier<object> | undefined {
  return copiers.get(prototype) as Copier<object> | undefined;
}

/**
 * Teaches instances of a class that is not Copyable to travel by value. Foolscap: `registerCopier`.
 *
 * @param construct The class; subclasses are copied alike, unless they have a copier of their own.
 * @param copier Takes an instance apart. What it throws fails the call with a Violation.
 * @throws {RangeError} If the class has another copier already.
 *
 * @example
 * ```ts
 * import { registerCopier, serialize, unserialize, registerRemoteCopyFactory } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * registerCopier(Date, (date) => ["example.org/Date", { ms: date.getTime() }]);
 * registerRemoteCopyFactory("example.org/Date", ({ ms }) => new Date(ms as number));
 * assert.deepEqual(unserialize(serialize(new Date(5))), new Date(5));
 * ```
 */
export function registerCopier<T extends object>(
  construct: abstract new (...args: never[]) => T,
  copier: Copier<T>,
): void {
  const prototype: object = construct.prototype;
  const known = copiers.get(prototype);
  if (known !== undefined && known !== copier) {
    throw new RangeError(`Cannot register a copier: ${construct.name} has another one already`);
  }
  copiers.set(prototype, copier);
  generation++;
}

/**
 * Registers a function that makes the objects of a type from their values. Foolscap: `registerRemoteCopyFactory`.
 *
 * @param make Gets the values by attribute. What it throws fails the call with a Violation.
 * @throws {RangeError} If something else is registered for the type.
 */
export function registerRemoteCopyFactory(
  copytype: string,
  make: (state: Record<string, unknown>) => unknown,
): void {
  addCopyType(copytype, { kind: "factory", cyclic: true, make });
}
