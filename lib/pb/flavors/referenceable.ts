/**
 * Objects that peers may call.
 *
 * Source: Twisted `spread/flavors.py`, `Referenceable`, `Root`; `spread/pb.py`, `AsReferenceable`.
 *
 * @module
 */

import { quoteForeign } from "../../util/text.ts";
import { jellyRemote } from "../broker/jelly_remote.ts";
import { NoSuchMethod } from "../errors.ts";
import type { Jellying } from "../jelly/invoker.ts";
import type { Jellyable } from "../jelly/jellyable.ts";
import type { Broker, MessageReceiver, PbCall } from "./call.ts";
import { findMethod } from "./find_method.ts";
import type { ByReference, byReference } from "./marks.ts";

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
