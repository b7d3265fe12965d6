/**
 * Objects of this process that stand for objects of a peer whom others cannot reach: calls go through.
 *
 * A gift is the way of Foolscap to pass a third Tub's object on, and it takes a FURL that the recipient can follow. There is
 * none for what lives in a confined child, nor can the child follow one. So on both sides of the connection with it, what would
 * be a gift goes as an object of this process instead; and comes home as what it stands for.
 *
 * @module
 */

import { Callable, type Publishable } from "./callable.ts";
import type { CallContext } from "./call_context.ts";
import { Referenceable } from "./referenceable.ts";
import { standFor } from "./remotely_callable.ts";
import { type HandleOwner, RemoteHandle } from "./remote_handle.ts";
import { type RemoteFunction, RemoteReference } from "./remote_reference.ts";

/** An object that hands its calls on. */
export abstract class Forwarder extends Referenceable {
  /** Where the object is now that calls go to. Sent there, the forwarder comes home as that object. */
  abstract get target(): RemoteHandle | undefined;
}

/** The method of an object that hands its calls on and is no {@linkcode Forwarder}: whether something else leads there too. */
export const leadsWhere: unique symbol = Symbol("leads where");

/** Whether a value is the object that calls of `object` end at: that itself, or what it hands them on to. */
export function isSameObject(object: object, value: unknown): boolean {
  if (value === object) return true;
  if (typeof value !== "object" || value === null) return false;
  if (object instanceof Forwarder) return object.target === value;
  return leadsWhere in object &&
    (object as { readonly [leadsWhere]: (value: object) => boolean })[leadsWhere](value);
}

/** Stands for one object of a peer. */
class ObjectForwarder extends Forwarder {
  readonly #reference: RemoteReference;

  constructor(reference: RemoteReference) {
    super();
    this.#reference = reference;
  }

  override get target(): RemoteHandle {
    return this.#reference;
  }

  override doRemoteCall(name: string, args: unknown[], _context: CallContext): unknown {
    return this.#reference.callRemote(name, ...args);
  }

  override getInterfaceName(): string | undefined {
    return this.#reference.getInterfaceName() || undefined;
  }
}

/** The connections whose objects, and whose peers, no gift reaches. */
const confined = new WeakSet<HandleOwner>();
/** By handle; a forwarder holds its handle, so it must not be held itself. */
const forwarders = new WeakMap<RemoteHandle, WeakRef<Publishable>>();

/** Says of the connection that a handle lives on that no gift crosses it: forwarders do, in both directions. */
export function confine(handle: RemoteHandle): void {
  confined.add(RemoteHandle.ownerOf(handle));
}

/**
 * What goes in the place of a handle that is not one of the connection by which it is sent.
 *
 * @param owner That connection.
 * @returns `undefined` if it goes as a gift. The same for the same handle, as long as somebody has it.
 */
export function forwarderFor(handle: RemoteHandle, owner: HandleOwner): Publishable | undefined {
  if (!confined.has(owner) && !confined.has(RemoteHandle.ownerOf(handle))) return undefined;
  return forwarderOf(handle);
}

/** An object, or a function, of this process that hands its calls on: the same for the same handle, as long as somebody has it. */
export function forwarderOf(handle: RemoteHandle): Publishable {
  let made = forwarders.get(handle)?.deref();
  if (made === undefined) {
    made = forward(handle);
    standFor(made, handle);
    forwarders.set(handle, new WeakRef(made));
  }
  return made;
}

/** Lets a forwarder of the program's be what {@linkcode forwarderOf} gives for a handle. It is for the caller to keep it. */
export function forwardBy(handle: RemoteHandle, forwarder: Forwarder): void {
  forwarders.set(handle, new WeakRef(forwarder));
}

function forward(handle: RemoteHandle): Publishable {
  if (handle instanceof RemoteReference) return new ObjectForwarder(handle);
  const f = handle as RemoteFunction;
  return new Callable((...args: unknown[]) => f.callRemote(...args));
}
