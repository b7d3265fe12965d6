/**
 * Objects of classes that are not Referenceable, and travel by reference all the same: each by an adapter of its own.
 *
 * Source: Foolscap `ipb.py`, `IRemotelyCallable`, and Twisted's `registerAdapter`.
 *
 * @module
 */

import { type AdaptedClass, addAdapter, standInFor } from "../graph/adapters.ts";
import { Referenceable } from "./referenceable.ts";

/** By adapter: what it stands for. */
const adapted = new WeakMap<object, object>();
const givers = new WeakMap<(object: never) => Referenceable, (object: object) => Referenceable>();

/** The object that an adapter stands for. */
export function adaptedBy(adapter: object): object | undefined {
  return adapted.get(adapter);
}

/** Says what comes home in the place of an object that stands for it. */
export function standFor(standIn: object, object: object): void {
  adapted.set(standIn, object);
}

/**
 * Lets objects of a class travel by reference: calls go to an adapter, which is asked for once for each object and is
 * kept for as long as the object. A peer that sends the reference home gives back the object itself.
 *
 * Foolscap: an adapter of the class to `IReferenceable` and `IRemotelyCallable`.
 *
 * @param construct The class; subclasses travel alike, unless they have a registration of their own.
 * @param adapt Gives a new Referenceable for an object. What it throws fails the call with a {@linkcode Violation}.
 * @throws {TypeError} If it is not a class or not a function.
 * @throws {RangeError} If the class has another adapter, slicer or copier already, or travels by itself as a `Map` does.
 *
 * @example
 * ```ts
 * import { Referenceable, registerRemotelyCallable, remotelyCallable } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Counter { // of somebody else's library
 *   value = 0;
 * }
 * class CounterAdapter extends Referenceable {
 *   constructor(readonly counter: Counter) {
 *     super();
 *   }
 *   remote_increment(): number {
 *     return ++this.counter.value;
 *   }
 * }
 * registerRemotelyCallable(Counter, (counter) => new CounterAdapter(counter));
 *
 * const counter = new Counter();
 * assert.equal(remotelyCallable(counter), remotelyCallable(counter));
 * ```
 */
export function registerRemotelyCallable<T extends object>(
  construct: AdaptedClass<T>,
  adapt: (object: T) => Referenceable,
): void {
  if (typeof adapt !== "function") {
    throw new TypeError("Cannot register an adapter: there is no function");
  }
  let give = givers.get(adapt);
  if (give === undefined) givers.set(adapt, give = remembering(adapt as (object: object) => Referenceable));
  addAdapter(construct, { kind: "value", give }, "an adapter");
}

/** An adapter holds its object; the table must keep neither of them alive. */
function remembering(adapt: (object: object) => Referenceable): (object: object) => Referenceable {
  const known = new WeakMap<object, Referenceable>();
  return (object) => {
    let adapter = known.get(object);
    if (adapter === undefined) {
      adapter = adapt(object);
      if (!(adapter instanceof Referenceable)) throw new TypeError("The adapter is not a Referenceable");
      known.set(object, adapter);
      if (!adapted.has(adapter)) adapted.set(adapter, object);
    }
    return adapter;
  };
}

/**
 * The Referenceable that stands for an object: itself if it is one, else its adapter. What `registerReference` takes.
 *
 * @throws {TypeError} If it has none: {@linkcode registerRemotelyCallable} gives its class one.
 */
export function remotelyCallable(object: object): Referenceable {
  if (object instanceof Referenceable) return object;
  const given = standInFor(object);
  if (given instanceof Referenceable) return given;
  throw new TypeError(
    "Cannot call an object remotely: it is not a Referenceable, and registerRemotelyCallable has none for its class",
  );
}
