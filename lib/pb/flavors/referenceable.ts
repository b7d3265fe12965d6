/**
 * Objects that peers may call.
 *
 * Source: Twisted `spread/flavors.py`, `Referenceable`, `Root`; `spread/pb.py`, `AsReferenceable`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { quoteForeign } from "../../util/text.ts";
import { NoSuchMethod } from "../errors.ts";
import type { Jellying } from "../jelly/invoker.ts";
import type { Jellyable } from "../jelly/jellyable.ts";
import type { Broker, MessageReceiver, PbCall } from "./call.ts";
import type { ByReference, byReference } from "./marks.ts";

/** What Python says of an attribute that an object does not have. */
export function noSuchAttribute(object: object, key: string): NoSuchMethod {
  const name: unknown = Object.getPrototypeOf(object)?.constructor?.name;
  return new NoSuchMethod(`'${String(name)}' object has no attribute ${quoteForeign(key, 100)}`);
}

type Method = (...args: unknown[]) => unknown;

/** What was found before, for each class: looking through a class takes longer than most methods. */
const found = new WeakMap<object, Map<string, Method>>();

/**
 * The method of an object that a peer may call: the nearest one that a class below `base` declares under this key. A
 * field, an accessor or another value that hides it there hides it from peers as well.
 *
 * @param base Where the search ends: nothing that it or what is above it declares is found.
 */
export function findMethod(object: object, key: string, base: object): Method | undefined {
  const own: object | null = Object.getPrototypeOf(object);
  if (own === null) return undefined;
  const known = found.get(own)?.get(key);
  // A class may be changed, and an object may hide what its class has: then it is looked for again.
  if (
    known !== undefined && (object as Record<string, unknown>)[key] === known && !Object.hasOwn(object, key)
  ) return known;
  let owner: object | null = object;
  while (owner !== null && owner !== base && !Object.hasOwn(owner, key)) {
    owner = Object.getPrototypeOf(owner);
  }
  if (owner === null || owner === object || owner === base || owner === Object.prototype) return undefined;
  const method: unknown = Object.getOwnPropertyDescriptor(owner, key)?.value;
  if (typeof method !== "function") return undefined;
  let methods = found.get(own);
  if (methods === undefined) found.set(own, methods = new Map());
  methods.set(key, method as Method);
  return method as Method;
}

/** Under this key a broker counts references to objects that are being sent. */
export const localTaker: unique symbol = Symbol("localTaker");

/** What can number objects: a broker. */
export interface LocalTaker {
  /** Counts references. */
  readonly [localTaker]: {
    /**
     * Counts one more reference to an object.
     *
     * @returns Its number.
     * @throws {PbError} If the peer holds too many.
     */
    take(object: MessageReceiver): number;
    /** The message was not sent. */
    giveBack(id: number): void;
  };
}

/**
 * Writes `(remote n)`.
 *
 * @throws {Violation} If the value is not for a connection.
 */
export function jellyRemote(object: MessageReceiver, jellier: Jellying): void {
  const invoker: object | undefined = jellier.invoker;
  if (invoker === undefined || !(localTaker in invoker)) {
    throw new Violation(
      "Cannot jelly an object that travels by reference: it means something on a connection only",
    );
  }
  const { [localTaker]: taker } = invoker as LocalTaker;
  const id = taker.take(object);
  jellier.onUndo(() => taker.giveBack(id));
  jellier.list(2);
  jellier.word("remote");
  jellier.integer(id);
}

/**
 * An object that travels by reference: whoever gets it can call its methods.
 *
 * Only methods that its class, or a class between it and Referenceable, declares with a name that begins with `remote_`
 * can be reached: no field, no accessor, nothing that is inherited from elsewhere. A method may return a promise.
 * Keyword arguments come as a last argument of class `Kwargs`.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * class Calculator extends pb.Referenceable {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 * new Calculator();
 * ```
 */
export class Referenceable implements MessageReceiver, Jellyable, ByReference {
  /** Only the types need it, to tell a Referenceable from a plain object with the same methods. */
  declare readonly [byReference]: true;

  /** Through whose eyes the values in results of `remote_` methods are seen. Twisted's default: nobody's. */
  perspective: object | undefined = undefined;

  /** What tells this object from others: those of the same value are one object to a peer. By default: the object. */
  processUniqueID(): unknown {
    return this;
  }

  /**
   * Serves one call: the hook for objects that take any message. By default calls the method `remote_<message>`.
   *
   * @param message The method's name, without `remote_`. Any text: a peer chooses it.
   * @param call The arguments, which are read when they are asked for, and who calls.
   * @returns The result, or a promise of it.
   * @throws {NoSuchMethod} If the class declares no such method.
   */
  remoteMessageReceived(message: string, call: PbCall): unknown {
    const key = `remote_${message}`;
    const method = findMethod(this, key, Referenceable.prototype);
    if (method === undefined) {
      throw new NoSuchMethod(`No such method: ${quoteForeign(key, 100).slice(1, -1)}`);
    }
    return method.apply(this, call.args(this.perspective));
  }

  /** Writes itself as `(remote n)`. */
  jellyFor(jellier: Jellying): void {
    jellyRemote(this, jellier);
  }
}

/**
 * An object that a server publishes: the first one that a client reaches.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Echo extends pb.Root {
 *   remote_echo(value: unknown): unknown {
 *     return value;
 *   }
 * }
 * await using server = await pb.serve(new Echo(), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(server.address);
 * assert.equal(await client.getRootObject().callRemote("echo", "hello"), "hello");
 * ```
 */
export class Root extends Referenceable implements RootProvider {
  /**
   * The object that one connection gets as its root: asked once for each. By default this object, for all.
   *
   * @param broker The connection; its `peerAddress` says from where it came.
   */
  rootObject(broker: Broker): MessageReceiver {
    void broker;
    return this;
  }
}

/** What has a root for each connection. Twisted: `IPBRoot`. */
export interface RootProvider {
  /** The object that one connection gets as its root. */
  rootObject(broker: Broker): MessageReceiver;
}

/** What can be adapted to a root, such as the portal of logins. Twisted: an adapter to `IPBRoot`. */
export interface AsRoot {
  /** The provider of roots. */
  [asRoot](): RootProvider;
}

/** Under this key an object that is no root says what its root is: see {@linkcode AsRoot}. */
export const asRoot: unique symbol = Symbol("pb.asRoot");

/** What takes messages of peers by another method than {@linkcode MessageReceiver}. Twisted: `IPerspective`. */
export interface Perspective {
  /**
   * Serves one call of somebody who is logged in as this.
   *
   * @param message The method's name, without `perspective_`.
   * @param call The arguments: `call.args(this)` reads them as this perspective.
   */
  perspectiveMessageReceived(message: string, call: PbCall): unknown;
}

/**
 * Makes an object that takes messages as a perspective callable for a peer. Twisted: `AsReferenceable`.
 */
export class AsReferenceable extends Referenceable {
  readonly #object: Perspective;

  /** Calls go to `object.perspectiveMessageReceived`. */
  constructor(object: Perspective) {
    super();
    this.#object = object;
  }

  /** Hands the call on. */
  override remoteMessageReceived(message: string, call: PbCall): unknown {
    return this.#object.perspectiveMessageReceived(message, call);
  }
}
