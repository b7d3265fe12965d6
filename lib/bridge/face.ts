/**
 * Objects of Perspective Broker as Foolscap sees them. Each has one stand-in, which is the same each time it crosses, lives as
 * long as somebody holds it, and becomes the object again on its way home.
 *
 * @module
 */

import type { CallOptions } from "../broker/call.ts";
import type { CallContext } from "../broker/call_context.ts";
import { leadsWhere } from "../broker/forwarder.ts";
import { type LocalCalls, localReference } from "../broker/local_reference.ts";
import { methodsProxy } from "../broker/promise_link.ts";
import { Referenceable } from "../broker/referenceable.ts";
import type { RemoteMethods, RemotePromise, Untyped } from "../broker/remote_reference.ts";
import type { RemoteReference as PbReference } from "../pb/flavors/remote_reference.ts";

/** Makes a call of an object of Perspective Broker. */
export type BridgedDelivery = (
  face: BridgedReference,
  name: string,
  args: unknown[],
  context: CallContext,
) => Promise<unknown>;

/**
 * An object of Perspective Broker that Foolscap peers can call: made by {@linkcode bridged}. It travels by reference, can be
 * registered and granted, and goes home as what it stands for.
 *
 * Calls go out in the order in which they come. A caller that gives a call up is free at once; Perspective Broker has no way to
 * tell its peer.
 */
export class BridgedReference extends Referenceable {
  /** Any method: what there is over there, a call tells. */
  [method: `remote_${string}`]: (...args: unknown[]) => unknown;
  readonly #find: () => PbReference | undefined;
  readonly #deliver: BridgedDelivery;
  #remote: RemoteMethods<Untyped> | undefined;

  /** @ignore Use {@linkcode bridged}. */
  constructor(find: () => PbReference | undefined, deliver: BridgedDelivery) {
    super();
    this.#find = find;
    this.#deliver = deliver;
  }

  /** The reference that calls go to now; `undefined` while there is none. */
  get current(): PbReference | undefined {
    const reference = this.#find();
    return reference?.isLive === true ? reference : undefined;
  }

  /** Whether calls can be made. */
  isConnected(): boolean {
    return this.current !== undefined;
  }

  /**
   * Calls back when the connection is lost by which calls go now; in the next turn, if there is none.
   *
   * @returns Disposing it takes the callback back.
   */
  notifyOnDisconnect(callback: () => unknown): Disposable {
    const reference = this.current;
    if (reference !== undefined) return reference.notifyOnDisconnect(() => callback());
    let isOver = false;
    queueMicrotask(() => {
      if (!isOver) callback();
    });
    return { [Symbol.dispose]: () => void (isOver = true) };
  }

  /**
   * Calls a method, as {@linkcode RemoteReference.callRemote} does: code that is given an object by a peer need not know which
   * protocol that speaks.
   */
  callRemote(name: string, ...args: unknown[]): RemotePromise<unknown> {
    return localReference<Untyped & Referenceable>(this).callRemote(name, ...args);
  }

  /** Calls a method and wants no answer: not the result, and not whether it failed. */
  callRemoteOnly(name: string, ...args: unknown[]): void {
    localReference<Untyped & Referenceable>(this).callRemoteOnly(name, ...args);
  }

  /** The same with more options: see {@linkcode LocalReference.with}. */
  with(options: CallOptions): LocalCalls<Untyped> {
    return localReference<Untyped & Referenceable>(this).with(options);
  }

  /** The object's methods: `object.remote.add(1, 2)`. */
  get remote(): RemoteMethods<Untyped> {
    return this.#remote ??= methodsProxy((name, args) => this.callRemote(name, ...args)) as RemoteMethods<
      Untyped
    >;
  }

  /** @ignore The same object may come as what was bridged, and as a result of its own methods. */
  [leadsWhere](value: object): boolean {
    if (!(value instanceof BridgedReference)) return false;
    const { current } = this;
    return current !== undefined && current === value.current;
  }

  /** Hands the call on. */
  override doRemoteCall(name: string, args: unknown[], context: CallContext): Promise<unknown> {
    return this.#deliver(this, name, args, context);
  }
}

const faces = new WeakMap<object, BridgedReference>();

/** What stands for a source: the same for the same one. */
export function faceOf(
  source: object,
  find: () => PbReference | undefined,
  deliver: BridgedDelivery,
): BridgedReference {
  let made = faces.get(source);
  if (made === undefined) faces.set(source, made = new BridgedReference(find, deliver));
  return made;
}
