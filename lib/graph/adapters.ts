/**
 * What stands for objects of classes that cannot be sent by themselves: their parts, or another value. One table for the
 * process, as in Foolscap.
 *
 * Source: Foolscap `copyable.py`, `registerCopier`; Twisted's `registerAdapter` for Foolscap's `ISlicer`.
 *
 * @module
 */

/**
 * Takes an object apart: the type's name, and the values by attribute. `null` for the type is the name of the object's
 * class.
 */
export type Copier<T> = (object: T) => readonly [copytype: string | null, state: Record<string, unknown>];

/** What stands for objects of one class. */
export type Adapter =
  | { readonly kind: "copy"; readonly take: Copier<object> }
  | { readonly kind: "value"; readonly give: (object: object) => unknown };

const adapters = new Map<object, Adapter>();
const refused = new WeakSet<object>();

/**
 * Lets no adapter stand for values of these very prototypes: every part of the process, this module included, relies on how
 * they travel. Twisted refuses a second adapter of such a class too.
 */
export function refuseAdapters(prototypes: Iterable<object | null>): void {
  for (const prototype of prototypes) if (prototype !== null) refused.add(prototype);
}

let generation = 0;

/** Changes whenever an adapter is registered, for those who remember what they looked up. */
export function adapterGeneration(): number {
  return generation;
}

/** The adapter for objects with exactly this prototype. */
export function findAdapter(prototype: object): Adapter | undefined {
  return adapters.get(prototype);
}

/** Any class, abstract or not. */
export type AdaptedClass<T extends object> = abstract new (...args: never[]) => T;

/**
 * Registers an adapter.
 *
 * @throws {TypeError} If it is not a class or not a function.
 * @throws {RangeError} If the class has another one, or {@linkcode refuseAdapters} has named it.
 */
export function addAdapter<T extends object>(
  construct: AdaptedClass<T>,
  adapter: Adapter,
  what: string,
): void {
  const run: unknown = adapter.kind === "copy" ? adapter.take : adapter.give;
  if (typeof construct !== "function" || typeof construct.prototype !== "object") {
    throw new TypeError(`Cannot register ${what}: there is no class`);
  }
  if (typeof run !== "function") throw new TypeError(`Cannot register ${what}: there is no function`);
  const prototype: object | null = construct.prototype;
  if (prototype === null) throw new TypeError(`Cannot register ${what}: the class has no objects`);
  if (refused.has(prototype)) {
    throw new RangeError(
      `Cannot register ${what}: objects of ${construct.name} travel as they are; derive a class of your own from it`,
    );
  }
  const known = adapters.get(prototype);
  if (known !== undefined && !isSame(known, adapter)) {
    throw new RangeError(`Cannot register ${what}: ${construct.name} has another one already`);
  }
  adapters.set(prototype, adapter);
  generation++;
}

function isSame(a: Adapter, b: Adapter): boolean {
  if (a.kind === "copy") return b.kind === "copy" && a.take === b.take;
  return b.kind === "value" && a.give === b.give;
}

/**
 * Lets objects of a class travel as another value, such as a list of their parts. The receiver gets that value and does
 * not learn of the class.
 *
 * Foolscap: an adapter of the class to `ISlicer`, which yields tokens; here it gives any value that can be sent. What an
 * adapter gives late (a Deferred there) must be awaited before the call.
 *
 * @param construct The class; subclasses are sent alike, unless they have a slicer of their own.
 * @param give Gives what is sent; asked once for each object in a message, which stays one object on the other side if
 *   what it gives is one. What it throws fails the call with a {@linkcode Violation}.
 * @throws {TypeError} If it is not a class or not a function.
 * @throws {RangeError} If the class has another slicer, or a copier, already, or is one that travels by itself: `Object`,
 *   `Array`, `Map`, `Referenceable` and their like. Classes derived from those can have one.
 *
 * @example
 * ```ts
 * import { registerSlicer, serialize, tuple, unserialize } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Money {
 *   constructor(readonly amount: number, readonly currency: string) {}
 * }
 * registerSlicer(Money, ({ amount, currency }) => tuple(amount, currency));
 * assert.deepEqual(unserialize(serialize([new Money(5, "EUR")])), [tuple(5, "EUR")]);
 * ```
 */
export function registerSlicer<T extends object>(
  construct: AdaptedClass<T>,
  give: (object: T) => unknown,
): void {
  addAdapter(construct, { kind: "value", give: give as (object: object) => unknown }, "a slicer");
}
