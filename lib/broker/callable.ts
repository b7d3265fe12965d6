/**
 * Functions that travel by reference. Source: Foolscap `referenceable.py`, `CallableSlicer`.
 *
 * @module
 */

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

const callables = new WeakMap<object, Callable>();

/**
 * Allows a function to travel by reference: the peer gets a RemoteFunction (in Python: an object whose `callRemote`
 * takes arguments and no method name). A bare function is a Violation, so that none is handed out by accident.
 *
 * @returns The same for the same function, so that the peer sees one object.
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
export function callable<F extends (...args: never[]) => unknown>(f: F): Callable<F> {
  if (typeof f !== "function") throw new TypeError("Cannot make a Callable: it is not a function");
  let known = callables.get(f);
  if (known === undefined) callables.set(f, known = new Callable(f));
  return known as Callable<F>;
}
