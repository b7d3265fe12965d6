/**
 * What crosses from one protocol to the other: calls, and the values in them. An object has one stand-in on the other side, which
 * is the same each time it crosses, lives as long as somebody holds it, and becomes the object again on its way home.
 *
 * @module
 */

import { Callable } from "../broker/callable.ts";
import { CallContext, runInCall } from "../broker/call_context.ts";
import { NoSuchMethodError, Referenceable } from "../broker/referenceable.ts";
import { RemoteHandle } from "../broker/remote_handle.ts";
import { RemoteFunction, type RemoteReference, type Untyped } from "../broker/remote_reference.ts";
import { DeadReferenceError, RemoteException, Violation } from "../errors.ts";
import { standInFor } from "../graph/adapters.ts";
import type { Broker, PbCall } from "../pb/flavors/call.ts";
import { Referenceable as PbReferenceable } from "../pb/flavors/referenceable.ts";
import { hostOf, RemoteReference as PbReference } from "../pb/flavors/remote_reference.ts";
import { isJellyable } from "../pb/jelly/jellyable.ts";
import { CalendarDate, DateTime, TimeOfDay } from "../pb/values/date_time.ts";
import { TimeDelta } from "../pb/values/time_delta.ts";
import { Unpersistable } from "../pb/values/unpersistable.ts";
import { quoteForeign } from "../util/text.ts";
import { copyForFoolscap, copyForPb } from "./copies.ts";
import { Crossing } from "./crossing.ts";
import { errorForFoolscap, errorForPb, failureValueForFoolscap, failureValueForPb } from "./errors.ts";
import { BridgedReference, faceOf } from "./face.ts";
import { CALL, type FoolscapObject } from "./furl_target.ts";
import { deliverLocally } from "./local_delivery.ts";

/** What has a form in Perspective Broker only. */
const TIMES = [DateTime, CalendarDate, TimeOfDay, TimeDelta];

/**
 * Makes a call of an object of Perspective Broker.
 *
 * @throws {DeadReferenceError} If there is no connection with it.
 * @throws {Violation} If an argument cannot cross.
 */
export function callPb(
  face: BridgedReference,
  name: string,
  args: unknown[],
  context: CallContext,
): Promise<unknown> {
  const { current } = face;
  if (current === undefined) {
    throw new DeadReferenceError(
      `Cannot call ${quoteForeign(name, 100)}: the connection with its Perspective Broker service is gone`,
    );
  }
  const sent = toPb(args, hostOf(current as PbReference));
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const leave = context.whenAborted(reject);
  current.callRemote(name, ...sent).then(
    (result) => resolve(valueToFoolscap(result)),
    (error) => reject(errorForFoolscap(error)),
  ).catch(reject).finally(leave);
  return promise;
}

function faceOfReference(reference: PbReference): BridgedReference {
  return faceOf(reference, () => reference, callPb);
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
    // On the connection where the object lives it goes home; on any other it is an object of this process.
    return current !== undefined && hostOf(current as PbReference) === host ? current : pbStandIn(object);
  }
  if (object instanceof Referenceable || object instanceof Callable || object instanceof RemoteHandle) {
    return pbStandIn(object);
  }
  if (object instanceof PbReference) {
    return hostOf(object as PbReference) === host
      ? object
      : pbStandIn(faceOfReference(object as PbReference));
  }
  if (object instanceof RemoteException) return failureValueForPb(object);
  const copy = copyForPb(object, crossing);
  if (copy !== undefined) return copy;
  if (isJellyable(object) || TIMES.some((type) => object instanceof type)) return object;
  return adapted(object, crossing, "Perspective Broker");
}

function replaceForFoolscap(object: object, crossing: Crossing): unknown {
  if (object instanceof PbStandIn) return object.target;
  if (object instanceof PbReference) return faceOfReference(object as PbReference);
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
