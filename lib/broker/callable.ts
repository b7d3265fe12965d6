/**
 * Functions that travel by reference. Source: Foolscap `referenceable.py`, `CallableSlicer`.
 *
 * @module
 */

import type { Referenceable } from "./referenceable.ts";
import {
  type AnyFunction,
  anyReference,
  type isFunctionReference,
  type Provided,
  providedInterface,
  type Providing,
} from "../graph/schema/provided.ts";

/** A function that has been allowed to travel by reference. Made by {@linkcode callable}. */
export class Callable<F extends (...args: never[]) => unknown = (...args: never[]) => unknown>
  implements AnyFunction, Providing {
  /** The class itself, where a constraint is expected, stands for any function that travels by reference. */
  static readonly [anyReference] = "function";
  /** Only the types need it: functions that travel by reference. */
  declare readonly [isFunctionReference]: true;

  // Private, so that a function, which has a `call` too, is not taken for a Callable.
  readonly #call: F;

  /** Use {@linkcode callable}, which gives the same Callable for the same function. */
  constructor(call: F) {
    this.#call = call;
  }

  /** The function. */
  get call(): F {
    return this.#call;
  }

  /** What constraints ask; no peer can. */
  [providedInterface](): Provided {
    return { kind: "local", isFunction: true };
  }
}

/** What can have a FURL: objects and functions that travel by reference. */
export type Publishable = Referenceable | Callable;

/** The names of the methods of `T`. */
export type MethodName<T> = keyof {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: true;
};

const callables = new WeakMap<object, Callable>();
const methods = new WeakMap<object, Map<PropertyKey, Callable>>();

/**
 * Allows a function to travel by reference: the peer gets a RemoteFunction (in Python: an object whose `callRemote`
 * takes arguments and no method name). A bare function is a Violation, so that none is handed out by accident.
 *
 * Like an object, it gets a FURL if the Tub has a location, can be registered, and can be given to third Tubs.
 *
 * @returns The same for the same function, so that the peer sees one object. `object.method.bind(object)` is another
 *   function each time; `callable(object, "method")` gives the same for the same object and name.
 * @throws {TypeError} If it is not a function.
 *
 * @example
 * ```ts
 * import { callable } from "../../mod.ts";
 *
 * const onChange = callable((value: number) => value * 2);
 * void onChange; // await ref.callRemote("watch", onChange)
 * ```
 */
export function callable<F extends (...args: never[]) => unknown>(f: F): Callable<F>;
/**
 * Allows a method of an object to travel by reference. The method is looked up at each call.
 *
 * @param object The method's `this`. Kept for as long as somebody holds the Callable.
 * @param method Its name; of a Referenceable too, the whole name, such as `remote_add`.
 * @returns The same for the same object and name. In Python, each bound method is another object to the peer.
 * @throws {TypeError} If the object has no such method.
 *
 * @example
 * ```ts
 * import { callable } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const log = { lines: [] as string[], add(line: string) { this.lines.push(line); } };
 * assert.equal(callable(log, "add"), callable(log, "add"));
 * ```
 */
export function callable<T extends object, K extends MethodName<T>>(
  object: T,
  method: K,
): Callable<Extract<T[K & keyof T], (...args: never[]) => unknown>>;
export function callable(target: object, method?: PropertyKey): Callable {
  if (method !== undefined) return methodOf(target as Record<PropertyKey, unknown>, method);
  if (typeof target !== "function") throw new TypeError("Cannot make a Callable: it is not a function");
  let known = callables.get(target);
  if (known === undefined) {
    callables.set(target, known = new Callable(target as (...args: never[]) => unknown));
  }
  return known;
}

function methodOf(object: Record<PropertyKey, unknown>, name: PropertyKey): Callable {
  if (Object(object) !== object || typeof object[name] !== "function") {
    throw new TypeError("Cannot make a Callable: the object has no method of that name");
  }
  let known = methods.get(object);
  if (known === undefined) methods.set(object, known = new Map());
  let made = known.get(name);
  if (made === undefined) {
    made = new Callable((...args: never[]) => (object[name] as (...args: never[]) => unknown)(...args));
    known.set(name, made);
  }
  return made;
}
