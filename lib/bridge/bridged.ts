/**
 * Objects of one protocol as the other one sees them. An object has one stand-in, which is the same each time it crosses, lives
 * as long as somebody holds it, and becomes the object again on its way home.
 *
 * @module
 */

import { Callable, type Publishable } from "../broker/callable.ts";
import type { CallOptions } from "../broker/call.ts";
import { CallContext, runInCall } from "../broker/call_context.ts";
import { type LocalCalls, localReference } from "../broker/local_reference.ts";
import { methodsProxy } from "../broker/methods_proxy.ts";
import { NoSuchMethodError, Referenceable } from "../broker/referenceable.ts";
import { RemoteHandle } from "../broker/remote_handle.ts";
import {
  RemoteFunction,
  type RemoteMethods,
  type RemotePromise,
  type RemoteReference,
  type Untyped,
} from "../broker/remote_reference.ts";
import { DeadReferenceError, RemoteException, Violation } from "../errors.ts";
import { standInFor } from "../graph/adapters.ts";
import type { Broker, PbCall } from "../pb/flavors/call.ts";
import { PbClient } from "../pb/client.ts";
import { Referenceable as PbReferenceable } from "../pb/flavors/referenceable.ts";
import { RemoteReference as PbReference } from "../pb/flavors/remote_reference.ts";
import { isJellyable } from "../pb/jelly/jellyable.ts";
import { PersistentPbClient } from "../pb/persistent_client.ts";
import { CalendarDate } from "../pb/values/calendar_date.ts";
import { DateTime } from "../pb/values/date_time.ts";
import { TimeDelta } from "../pb/values/time_delta.ts";
import { TimeOfDay } from "../pb/values/time_of_day.ts";
import { Unpersistable } from "../pb/values/unpersistable.ts";
import { quoteForeign } from "../util/text.ts";
import { copyForFoolscap, copyForPb } from "./copies.ts";
import { Crossing } from "./crossing.ts";
import { errorForFoolscap, errorForPb, failureValueForFoolscap, failureValueForPb } from "./errors.ts";
import { CALL } from "./furl_target.ts";
import { deliverLocally } from "./local_delivery.ts";

/** What has a form in Perspective Broker only. */
const TIMES = [DateTime, CalendarDate, TimeOfDay, TimeDelta];

/** Something that Foolscap reaches: an object or function of this process, or of a peer. */
export type FoolscapObject = Publishable | RemoteHandle;

/**
 * What Foolscap can be given of Perspective Broker: a reference; a client, whose root object is meant, whichever connection it
 * has by then; or a function that gives the reference that is good now, or `undefined` while there is none, such as an
 * avatar's after each login.
 */
export type PbSource =
  | PbReference<never>
  | PbReference
  | PbClient<never>
  | PbClient
  | PersistentPbClient<never>
  | PersistentPbClient
  | (() => PbReference<never> | PbReference | undefined);

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
  #remote: RemoteMethods<Untyped> | undefined;

  /** @ignore Use {@linkcode bridged}. */
  constructor(find: () => PbReference | undefined) {
    super();
    this.#find = find;
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

  /** Hands the call on. */
  override doRemoteCall(name: string, args: unknown[], context: CallContext): Promise<unknown> {
    const reference = this.current;
    if (reference === undefined) {
      throw new DeadReferenceError(
        `Cannot call ${quoteForeign(name, 100)}: the connection with its Perspective Broker service is gone`,
      );
    }
    const sent = toPb(args, PbReference.hostOf(reference));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const leave = context.whenAborted(reject);
    reference.callRemote(name, ...sent).then(
      (result) => resolve(valueToFoolscap(result)),
      (error) => reject(errorForFoolscap(error)),
    ).catch(reject).finally(leave);
    return promise;
  }
}

const bridges = new WeakMap<object, BridgedReference>();

/**
 * An object of Perspective Broker as one that Foolscap peers can call: to be registered, granted, passed in arguments.
 *
 * Arguments and results cross as the value table of both protocols has them: references both ways, with their identity; errors
 * with type and message; a `callable(f)` is an object with the method `call` over there. Dates and times are a
 * {@linkcode Violation}, as Foolscap has none.
 *
 * @param source See {@linkcode PbSource}. With a {@linkcode pb.connectPersistently} client, calls fail with a
 *   {@linkcode DeadReferenceError} while there is no connection, and go on with the next one.
 * @returns The same for the same source.
 * @throws {TypeError} If it is none.
 *
 * @example
 * ```ts
 * import { bridged, pb, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Pond extends pb.Root {
 *   remote_frogs(): number {
 *     return 12;
 *   }
 *   remote_drain(): void {}
 * }
 * await using service = await pb.serve(new Pond(), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(service.address);
 *
 * await using tub = await Tub.create();
 * tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
 * const capability = tub.registry.grant(bridged(client), { methods: ["frogs"], expires: "PT1H" });
 *
 * await using visitor = await Tub.create();
 * const pond = await visitor.getReference(capability.furl);
 * assert.equal(await pond.callRemote("frogs"), 12);
 * await assert.rejects(pond.callRemote("drain"));
 * ```
 */
export function bridged(source: PbSource): BridgedReference {
  const given: unknown = source;
  const find = finder(given);
  let made = bridges.get(source);
  if (made === undefined) bridges.set(source, made = new BridgedReference(find));
  return made;
}

function finder(source: unknown): () => PbReference | undefined {
  if (source instanceof PbReference) return () => source as PbReference;
  if (source instanceof PbClient) return () => rootOf(source as PbClient);
  if (source instanceof PersistentPbClient) return () => rootOf(source.client as PbClient | undefined);
  if (typeof source === "function") {
    return () => {
      const found: unknown = source();
      return found instanceof PbReference ? found : undefined;
    };
  }
  throw new TypeError("Cannot bridge: give a pb.RemoteReference, a client, or a function that gives one");
}

function rootOf(client: PbClient | undefined): PbReference | undefined {
  return client?.isConnected === true ? client.getRootObject() : undefined;
}

/** A Foolscap object as Perspective Broker sees it. */
export class PbStandIn extends PbReferenceable {
  /** What it stands for. */
  readonly target: FoolscapObject;

  /** Use {@linkcode pbStandIn}. */
  constructor(target: FoolscapObject) {
    super();
    this.target = target;
  }

  override processUniqueID(): unknown {
    const { target } = this;
    if (!(target instanceof Referenceable)) return this;
    const unique = target.processUniqueID();
    return unique === target ? this : unique;
  }

  override remoteMessageReceived(message: string, call: PbCall): unknown {
    const { broker } = call;
    try {
      const { target } = this;
      const isFunction = target instanceof Callable || target instanceof RemoteFunction;
      if (isFunction && message !== CALL) {
        throw new NoSuchMethodError(
          `a function has no method ${quoteForeign(message, 100)}, only "${CALL}"`,
        );
      }
      const args = new Crossing(replaceForFoolscap).arguments(call.args());
      const name = isFunction ? "" : message;
      if (target instanceof RemoteHandle && !call.isAnswerWanted) return callOnly(target, name, args);
      const address = `pb:${broker.peerAddress}`;
      const context = new CallContext({ tubId: undefined, address }, name, true);
      const result = target instanceof RemoteHandle
        ? runHandle(target, name, args, context)
        : deliverLocally(target, name, args, context);
      if (isThenable(result)) return this.#wait(result, broker, context);
      context.end();
      return valueToPb(result, broker);
    } catch (error) {
      throw errorForPb(error);
    }
  }

  async #wait(result: PromiseLike<unknown>, broker: Broker, context: CallContext): Promise<unknown> {
    // Whoever is not there any more waits for nothing: what is called meanwhile is given up too.
    using _watch = broker.notifyOnDisconnect(() =>
      context.abort(new DeadReferenceError("The connection of the caller was lost"))
    );
    try {
      return valueToPb(await result, broker);
    } catch (error) {
      throw errorForPb(error);
    } finally {
      context.end();
    }
  }
}

function callOnly(target: RemoteHandle, name: string, args: readonly unknown[]): void {
  if (target instanceof RemoteFunction) target.callRemoteOnly(...args);
  else (target as RemoteReference<Untyped>).callRemoteOnly(name, ...args);
}

/** What is called for a call is given up with it. */
function runHandle(target: RemoteHandle, name: string, args: unknown[], context: CallContext): unknown {
  return runInCall(
    context,
    (all: unknown[]) =>
      target instanceof RemoteFunction
        ? target.callRemote(...all)
        : (target as RemoteReference<Untyped>).callRemote(name, ...all),
    args,
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}

const standIns = new WeakMap<FoolscapObject, PbStandIn>();

/** What stands for a Foolscap object: the same for the same one. */
export function pbStandIn(target: FoolscapObject): PbStandIn {
  let made = standIns.get(target);
  if (made === undefined) standIns.set(target, made = new PbStandIn(target));
  return made;
}

/** The arguments of a call as Perspective Broker takes them on one connection. */
function toPb(args: readonly unknown[], host: object): unknown[] {
  return new Crossing((object, crossing) => replaceForPb(object, crossing, host)).arguments(args);
}

function valueToPb(value: unknown, host: object): unknown {
  return new Crossing((object, crossing) => replaceForPb(object, crossing, host)).value(value, "result");
}

function valueToFoolscap(value: unknown): unknown {
  return new Crossing(replaceForFoolscap).value(value, "result");
}

function replaceForPb(object: object, crossing: Crossing, host: object): unknown {
  if (object instanceof BridgedReference) {
    const { current } = object;
    // Home, if it is that connection's.
    return current !== undefined && PbReference.hostOf(current) === host ? current : pbStandIn(object);
  }
  if (object instanceof Referenceable || object instanceof Callable || object instanceof RemoteHandle) {
    return pbStandIn(object);
  }
  if (object instanceof PbReference) {
    return PbReference.hostOf(object) === host ? object : pbStandIn(bridged(object as PbReference));
  }
  if (object instanceof RemoteException) return failureValueForPb(object);
  const copy = copyForPb(object, crossing);
  if (copy !== undefined) return copy;
  if (isJellyable(object) || TIMES.some((type) => object instanceof type)) return object;
  return adapted(object, crossing, "Perspective Broker");
}

function replaceForFoolscap(object: object, crossing: Crossing): unknown {
  if (object instanceof PbStandIn) return object.target;
  if (object instanceof PbReference) return bridged(object as PbReference);
  if (object instanceof Referenceable || object instanceof Callable || object instanceof RemoteHandle) {
    return object;
  }
  if (object instanceof RemoteException) return failureValueForFoolscap(object);
  const copy = copyForFoolscap(object, crossing);
  if (copy !== undefined) return copy;
  if (TIMES.some((type) => object instanceof type)) {
    throw new Violation("Cannot pass a date or time on: Foolscap has no form for it, so send it as text");
  }
  if (object instanceof Unpersistable) {
    throw new Violation(
      `Cannot pass a value on: the peer could not send it, ${quoteForeign(object.reason, 200)}`,
    );
  }
  return adapted(object, crossing, "Foolscap");
}

/** What an adapter gives that the program has registered for Foolscap; for a `Date` or a `URL` there is nothing. */
function adapted(object: object, crossing: Crossing, where: string): unknown {
  const standIn = standInFor(object);
  if (standIn !== undefined) return crossing.part(standIn);
  const name: unknown = Object.getPrototypeOf(object)?.constructor?.name;
  throw new Violation(
    `Cannot pass ${
      typeof name === "string" && name !== "" ? `a ${name.slice(0, 100)}` : "an object"
    } on: there is no form for it that ${where} shares, so send text, numbers or a Copyable`,
  );
}
