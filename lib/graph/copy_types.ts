/**
 * Which class or function makes the objects that arrive by value, which function takes objects of other classes apart to
 * be sent, and which names the attributes of a `copyable` may have. One table for the process, as in Foolscap.
 *
 * Source: Foolscap `copyable.py`, `registerRemoteCopy` and its kin, `RemoteCopyUnslicer`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import { MAX_NAME_BYTES } from "../limits.ts";
import { decodeText } from "../util/text.ts";
import { STRING, tokenName, VOCAB } from "../wire/tokens.ts";
import { addAdapter, type Copier } from "./adapters.ts";
import type { StateRules } from "./schema/state_rules.ts";
import type { Receiving, Unslicer } from "./unslicer.ts";

/**
 * May this token be the name of an attribute?
 *
 * @throws {ProtocolError} If it is no STRING.
 * @throws {Violation} If it is too long.
 */
export function checkAttributeToken(type: number, size: number): void {
  if (type !== STRING && type !== VOCAB) {
    throw new ProtocolError(`RemoteCopyUnslicer keys must be STRINGs, not ${tokenName(type)}`);
  }
  if (size > MAX_NAME_BYTES) {
    throw new Violation(`Attribute name too long: ${size} > ${MAX_NAME_BYTES} bytes`);
  }
}

/**
 * The name in `bytes[start..end)`.
 *
 * @throws {Violation} If it is not UTF-8.
 */
export function attributeName(bytes: Uint8Array, start: number, end: number): string {
  try {
    return decodeText(bytes, start, end);
  } catch (cause) {
    throw new Violation("Attribute name is not UTF-8", { cause });
  }
}

/** How objects of one type are made from what arrives. */
export type CopyType =
  & {
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
const copyUnslicers = new Map<string, CopyUnslicerFactory>();

/** Makes what takes in one object of a type from its very tokens. */
type CopyUnslicerFactory = (receiver: Receiving) => Unslicer;

/** What is registered for a type. */
export function findCopyType(copytype: string): CopyType | undefined {
  return copyTypes.get(copytype);
}

/** What takes in the tokens of a type, where something does. */
export function findCopyUnslicer(copytype: string): CopyUnslicerFactory | undefined {
  return copyUnslicers.get(copytype);
}

/** Registers what takes in the tokens of a type. */
export function addCopyUnslicer(copytype: string, make: CopyUnslicerFactory): void {
  checkCopytype(copytype);
  if (copyTypes.has(copytype) || (copyUnslicers.has(copytype) && copyUnslicers.get(copytype) !== make)) {
    throw alreadyRegistered(copytype);
  }
  copyUnslicers.set(copytype, make);
}

function checkCopytype(copytype: unknown): void {
  if (typeof copytype === "string" && copytype !== "") return;
  throw new TypeError("Cannot register a RemoteCopy: its copytype is not a text, or empty");
}

function alreadyRegistered(copytype: string): RangeError {
  return new RangeError(`Cannot register a RemoteCopy: "${copytype}" is registered already`);
}

/** Registers how objects of a type are made. */
function addCopyType(copytype: string, type: CopyType): void {
  checkCopytype(copytype);
  const known = copyTypes.get(copytype);
  if (copyUnslicers.has(copytype) || (known !== undefined && !isSame(known, type))) {
    throw alreadyRegistered(copytype);
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

/**
 * Teaches instances of a class that is not Copyable to travel by value. Foolscap: `registerCopier`.
 *
 * @param construct The class; subclasses are copied alike, unless they have a copier of their own.
 * @param copier Takes an instance apart. What it throws fails the call with a Violation.
 * @throws {RangeError} If the class has another copier, or a slicer, already, or travels by itself as an `Array` does.
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
  addAdapter(construct, { kind: "copy", take: copier as Copier<object> }, "a copier");
}

/** Options of {@linkcode registerRemoteCopyFactory}. */
export interface RemoteCopyFactoryOptions {
  /**
   * Whether other parts of the message may refer to the object before it is made. If not, such a reference is a
   * Violation, as it is for Foolscap's `nonCyclic`.
   *
   * @default true
   */
  readonly cyclic?: boolean | undefined;
}

/**
 * Registers a function that makes the objects of a type from their values. Foolscap: `registerRemoteCopyFactory`.
 *
 * @param make Gets the values by attribute. What it throws fails the call with a Violation.
 * @throws {TypeError} If the type is no text or empty, or there is no function.
 * @throws {RangeError} If something else is registered for the type.
 */
export function registerRemoteCopyFactory(
  copytype: string,
  make: (state: Record<string, unknown>) => unknown,
  { cyclic = true }: RemoteCopyFactoryOptions = {},
): void {
  if (typeof make !== "function") {
    throw new TypeError("Cannot register a RemoteCopy: there is no function");
  }
  addCopyType(copytype, { kind: "factory", cyclic, make });
}
