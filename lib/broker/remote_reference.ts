/**
 * References to objects of a peer, and how their types follow from those of the objects.
 *
 * Source: Foolscap `referenceable.py`, `RemoteReference`.
 *
 * @module
 */

import type { ConnectionInfo } from "../connection_info.ts";
import { DeadReferenceError } from "../errors.ts";
import { SturdyRef } from "../names/sturdy_ref.ts";
import { redact } from "../names/redact.ts";
import {
  type AnyFunction,
  type AnyReference,
  type isFunctionReference,
  type isReference,
  type Provided,
  providedInterface,
  type Providing,
} from "../graph/schema/provided.ts";
import type { AnyKwargs } from "../graph/values/kwargs.ts";
import { type CallOptions, checkCallOptions, type CheckedOptions } from "./call.ts";
import type { Callable } from "./callable.ts";
import type { PeerInfo } from "./call_context.ts";
import type { HandleToken, Tracker } from "./import_table.ts";
import type { Referenceable } from "./referenceable.ts";
import { rejected, type RemotePromise } from "./remote_promise.ts";
import type { Declared, declared, DeclaredArguments, DeclaredResult } from "./schema_types.ts";

/** An object of which nothing is known: any method, `unknown` arguments and results. */
export interface Untyped {
  /** Any method. */
  [method: `remote_${string}`]: (...args: unknown[]) => unknown;
}

/** The type of an object, and not of a function: every class and every interface with `remote_` methods. */
export type ObjectType = AnyReference | { readonly apply?: never; toString(): string };

/** The names under which peers reach the methods of `T`: `remote_add` is `add`. */
export type RemoteMethodName<T> = keyof T extends infer K ? K extends `remote_${infer Name}` ? Name : never
  : never;

/**
 * What the callee's type is for the caller: its objects are references here. `undefined` arrives as such from a Tub of this
 * library, and as `null` from Python: the types cannot know which one the peer is.
 */
export type Received<T> = T extends void | undefined ? null | undefined
  : T extends string | number | bigint | boolean | null | undefined | symbol | ArrayBufferView ? T
  : T extends Referenceable ? RemoteReference<T>
  : T extends RemoteReference<infer U> ? U | RemoteReference<U>
  : T extends Callable<infer F> ? RemoteFunction<F>
  : T extends readonly unknown[] ? { [I in keyof T]: Received<T[I]> }
  : T extends Set<infer M> ? Set<Received<M>>
  : T extends Map<infer K, infer V> ? Map<Received<K>, Received<V>> | { [key: string]: Received<V> }
  : T;

/** What the caller may pass where the callee's parameter has the type `T`. */
export type Sendable<T> = T extends
  string | number | bigint | boolean | null | undefined | symbol | ArrayBufferView ? T
  : T extends RemoteReference<infer U> ? U | RemoteReference<U>
  : T extends RemoteFunction<infer F> ? Callable<F> | RemoteFunction<F>
  : T extends Referenceable ? T | RemoteReference<T>
  : T extends readonly unknown[] ? { [I in keyof T]: Sendable<T[I]> }
  : T;

/** What a RemoteInterface declares of a method, where `T` is the type of one: see `schema.InterfaceOf`. */
export type DeclarationOf<T, Name extends string> = Name extends keyof DeclarationsOf<T>
  ? DeclarationsOf<T>[Name]
  : never;

/** What a RemoteInterface declares, by method. */
export type DeclarationsOf<T> = typeof declared extends keyof T
  ? T extends Declared<infer M> ? NonNullable<M> : never
  : never;

/**
 * Arguments of a method as the caller passes them; or any beginning of them and then keyword arguments, whose names and
 * types are known where `T` is the type of a RemoteInterface.
 */
export type RemoteArguments<T, Name extends string> = [DeclarationOf<T, Name>] extends [never]
  ? UndeclaredArguments<T, Name>
  : DeclaredArguments<DeclarationOf<T, Name>>;

/** Arguments of a method of which the types know nothing but the method itself. */
export type UndeclaredArguments<T, Name extends string> =
  | (`remote_${Name}` extends keyof T
    ? T[`remote_${Name}`] extends (...args: infer A) => unknown ? { [I in keyof A]: Sendable<A[I]> } : never
    : never)
  | readonly [...unknown[], AnyKwargs];

/** The result of a method as the caller gets it. */
export type RemoteResult<T, Name extends string> = [DeclarationOf<T, Name>] extends [never]
  ? `remote_${Name}` extends keyof T
    ? T[`remote_${Name}`] extends (...args: never[]) => infer R ? Received<Awaited<R>> : never
  : never
  : DeclaredResult<DeclarationOf<T, Name>, RemoteReference, RemoteFunction>;

/** An object's methods as a proxy offers them. */
export type RemoteMethods<T> = {
  readonly [Name in RemoteMethodName<T>]: (
    ...args: RemoteArguments<T, Name>
  ) => RemotePromise<RemoteResult<T, Name>>;
};

/** What a handle needs of the connection that it lives on. */
export interface HandleOwner {
  readonly peer: PeerInfo;
  /** What ended the connection, once it has ended. */
  readonly ended: Error | undefined;
  /** What the Tub knows of the connection. */
  readonly connectionInfo: ConnectionInfo | undefined;
  /** When something last came from the peer, in milliseconds since 1970. */
  readonly receivedAt: number | undefined;
  /** Makes the calls. */
  readonly outgoing: {
    call(
      tracker: Tracker<RemoteHandle>,
      method: string,
      args: readonly unknown[],
      options: CheckedOptions,
    ): RemotePromise<unknown>;
    callOnly(
      tracker: Tracker<RemoteHandle>,
      method: string,
      args: readonly unknown[],
      options: CheckedOptions,
    ): void;
  };
  watch(tracker: Tracker<RemoteHandle>, handle: RemoteHandle): HandleToken;
  release(tracker: Tracker<RemoteHandle>, token: HandleToken): void;
  /** Keeps an object from being given back until this is disposed, whatever becomes of its handles. */
  hold(tracker: Tracker<RemoteHandle>): Disposable;
  /** Calls back, one turn later, when the connection has ended. */
  whenEnded(callback: () => void): Disposable;
}

/** What references to objects and to functions have in common. */
export abstract class RemoteHandle {
  readonly #owner: HandleOwner;
  readonly #tracker: Tracker<RemoteHandle>;
  readonly #token: HandleToken;

  /** Made by the broker when an object arrives. */
  constructor(owner: HandleOwner, tracker: Tracker<RemoteHandle>) {
    this.#owner = owner;
    this.#tracker = tracker;
    this.#token = owner.watch(tracker, this);
  }

  /** The connection that a handle lives on. */
  static ownerOf(handle: RemoteHandle): HandleOwner {
    return handle.#owner;
  }

  /** What the connection knows about a handle's object. */
  static trackerOf(handle: RemoteHandle): Tracker<RemoteHandle> {
    return handle.#tracker;
  }

  /** Whether a handle was disposed. */
  static isReleased(handle: RemoteHandle): boolean {
    return handle.#token.isReleased;
  }

  /** Keeps a handle's object from being given back until this is disposed. */
  static hold(handle: RemoteHandle): Disposable {
    return handle.#owner.hold(handle.#tracker);
  }

  /** Whether calls can be made: the connection is there and the handle was not disposed. */
  isConnected(): boolean {
    return this.#dead() === undefined;
  }

  /** The TubID of the peer, as its certificate proves. */
  getRemoteTubID(): string | undefined {
    return this.#owner.peer.tubId;
  }

  /** Where the peer is, for people: `tcp:127.0.0.1:4501`, or `loopback`. Known after the loss as well. */
  getPeer(): string {
    return this.#owner.peer.address;
  }

  /** How the connection came about, and what became of it; `undefined` where no Tub made it. */
  getConnectionInfo(): ConnectionInfo | undefined {
    return this.#owner.connectionInfo;
  }

  /**
   * When something last came from the peer, in milliseconds since 1970: also while a long message is on its way. It is
   * known whether or not there are keepalives; `undefined` before the first byte.
   */
  getDataLastReceivedAt(): number | undefined {
    return this.#owner.receivedAt;
  }

  /** The FURL of the object or function as a value; it points nowhere if the peer has no location. */
  getSturdyRef(): SturdyRef {
    return new SturdyRef(this.#tracker.furl ?? "");
  }

  /** The connection hints of that FURL. */
  getLocationHints(): readonly string[] {
    return this.getSturdyRef().locationHints;
  }

  /** What `Deno.inspect` and `console.log` print: the FURL without its secret. */
  [Symbol.for("Deno.customInspect")](): string {
    const { furl, clid } = this.#tracker;
    const where = furl === undefined ? `to ${this.getRemoteTubID() ?? "an anonymous peer"}` : redact(furl);
    return `${clid < 0 ? "RemoteFunction" : "RemoteReference"}(${where}${
      this.isConnected() ? "" : ", dead"
    })`;
  }

  /**
   * Calls back, in a later turn, when the connection is lost: once, and never more. After the loss: in the next turn.
   * What the callback throws goes to the Tub's trace.
   *
   * @returns Disposing it takes the callback back.
   */
  notifyOnDisconnect(callback: () => void): Disposable {
    return this.#owner.whenEnded(callback);
  }

  /** Takes a callback back. One that is not registered is fine. */
  dontNotifyOnDisconnect(watch: Disposable): void {
    watch[Symbol.dispose]();
  }

  /**
   * Gives the object up for everybody in the process: later calls on this reference fail with a DeadReferenceError, the
   * peer is told when the calls in flight have been answered, and the object's next arrival makes a new reference.
   */
  [Symbol.dispose](): void {
    if (this.#token.isReleased) return;
    if (this.#tracker.shared?.deref() === this) this.#tracker.shared = undefined;
    this.#owner.release(this.#tracker, this.#token);
  }

  /** Sends a call. */
  protected send(method: string, args: readonly unknown[], options: CheckedOptions): RemotePromise<unknown> {
    const dead = this.#dead();
    if (dead !== undefined) return rejected(dead);
    return this.#owner.outgoing.call(this.#tracker, method, args, options);
  }

  /** Sends a call that wants no answer. */
  protected sendOnly(method: string, args: readonly unknown[], options: CheckedOptions): void {
    if (this.#dead() === undefined) this.#owner.outgoing.callOnly(this.#tracker, method, args, options);
  }

  /** Makes another handle of a handle's object; throws a DeadReferenceError if that is dead. */
  static duplicate<H extends RemoteHandle>(
    handle: RemoteHandle,
    make: (owner: HandleOwner, tracker: Tracker<RemoteHandle>) => H,
  ): H {
    const dead = handle.#dead();
    if (dead !== undefined) throw dead;
    return make(handle.#owner, handle.#tracker);
  }

  #dead(): DeadReferenceError | undefined {
    if (this.#token.isReleased) return new DeadReferenceError("Reference is dead: released");
    const cause = this.#owner.ended;
    if (cause === undefined) return undefined;
    return new DeadReferenceError("Reference is dead: the connection was lost", { cause });
  }
}

/** How an object is called. */
export interface RemoteCalls<T> {
  /** Calls a method: see {@linkcode RemoteReference.callRemote}. */
  callRemote<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: RemoteArguments<T, Name>
  ): RemotePromise<RemoteResult<T, Name>>;
  /** Calls a method and wants no answer: see {@linkcode RemoteReference.callRemoteOnly}. */
  callRemoteOnly<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: RemoteArguments<T, Name>
  ): void;
  /** The object's methods: `ref.remote.add(1, 2)`. */
  readonly remote: RemoteMethods<T>;
  /** The same with more options. */
  with(options: CallOptions): RemoteCalls<T>;
}

const NO_OPTIONS: CheckedOptions = Object.freeze({});

/** What the proxy of an object's methods is: not a plain object, which would travel as an empty dict. */
class MethodsProxy {}

/** A proxy whose every property is a method; `then` is none, so that `await` does not call it. */
function methodsOf<T>(
  call: (name: string, args: readonly unknown[]) => RemotePromise<unknown>,
): RemoteMethods<T> {
  const methods = new Map<string, unknown>();
  return new Proxy(Object.freeze(new MethodsProxy()), {
    get(_target, name) {
      if (typeof name !== "string" || name === "then") return undefined;
      let method = methods.get(name);
      if (method === undefined) methods.set(name, method = (...args: unknown[]) => call(name, args));
      return method;
    },
  }) as RemoteMethods<T>;
}

/**
 * An object that lives in a peer. The same object is the same RemoteReference each time it arrives on one connection;
 * sent home, it is the object itself there. It dies with its connection: get a new one from the FURL.
 *
 * The peer is told when nobody holds it any more: when it is collected, or at once by `using` or `Symbol.dispose`.
 *
 * @typeParam T The class of the object over there, or an interface with its `remote_` methods.
 */
export class RemoteReference<T = Untyped> extends RemoteHandle
  implements RemoteCalls<T>, AnyReference, Providing {
  /** Only the types need it: what travels by reference. */
  declare readonly [isReference]: true;
  #proxy: RemoteMethods<T> | undefined;

  /**
   * Calls a method. Calls on one connection are started over there in the order in which they are made here.
   *
   * @param name The method's name, without `remote_`.
   * @param args Values of the value table; `kwargs({...})` as the last one for keyword arguments.
   * @returns A promise of the result. It is rejected with a {@linkcode Violation} if an argument cannot be sent (then
   * nothing was) or the answer cannot be taken, a {@linkcode RemoteException} if the method failed, a
   * {@linkcode DeadReferenceError} if the connection is gone before the answer, and the reason of a signal or a
   * `TimeoutError` if the options of {@linkcode RemoteReference.with} say so, or if it is made by a method that serves a
   * call itself and that one is given up: see {@linkcode currentCall}.
   */
  callRemote<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: RemoteArguments<T, Name>
  ): RemotePromise<RemoteResult<T, Name>> {
    return this.send(name, args as readonly unknown[], NO_OPTIONS) as RemotePromise<RemoteResult<T, Name>>;
  }

  /** Calls a method and wants no answer: not the result, and not whether it failed or even arrived. */
  callRemoteOnly<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: RemoteArguments<T, Name>
  ): void {
    this.sendOnly(name, args as readonly unknown[], NO_OPTIONS);
  }

  /** The object's methods: `ref.remote.add(1, 2)` is `ref.callRemote("add", 1, 2)`. */
  get remote(): RemoteMethods<T> {
    return this.#proxy ??= methodsOf<T>((name, args) => this.send(name, args, NO_OPTIONS));
  }

  /**
   * The same reference, for calls with options.
   *
   * @throws {RangeError} If `timeoutMs` is not from 0 to 2,147,483,647.
   * @throws {TypeError} If `signal` is not an AbortSignal.
   *
   * @example
   * ```ts
   * import type { RemoteReference } from "../../mod.ts";
   *
   * function quickly(ref: RemoteReference) {
   *   return ref.with({ timeoutMs: 500 }).callRemote("add", 1, 2);
   * }
   * void quickly;
   * ```
   */
  with(options: CallOptions): RemoteCalls<T> {
    const checked = checkCallOptions(options);
    const call = (name: string, args: readonly unknown[]) => this.send(name, args, checked);
    return {
      callRemote: ((name: string, ...args: unknown[]) => call(name, args)) as RemoteCalls<T>["callRemote"],
      callRemoteOnly: (name, ...args) => this.sendOnly(name, args as readonly unknown[], checked),
      with: (more) => this.with({ ...options, ...more }),
      remote: methodsOf<T>(call),
    };
  }

  /** Another handle of the same object, which is disposed by itself: this one can be given up and that one kept. */
  dup(): RemoteReference<T> {
    return RemoteHandle.duplicate(this, (owner, tracker) => new RemoteReference<T>(owner, tracker));
  }

  /** The name of the RemoteInterface that the object provides, as the peer told it; empty for none. */
  getInterfaceName(): string {
    return RemoteHandle.trackerOf(this).interfaceName;
  }

  /** What constraints ask; no peer can. */
  [providedInterface](): Provided {
    return { kind: "remote", interfaceName: this.getInterfaceName() };
  }
}

/** How a function is called. */
export interface FunctionCalls<F extends (...args: never[]) => unknown> {
  /** Calls it: see {@linkcode RemoteFunction.callRemote}. */
  callRemote(...args: Parameters<F>): RemotePromise<Awaited<ReturnType<F>>>;
  /** Calls it and wants no answer: see {@linkcode RemoteFunction.callRemoteOnly}. */
  callRemoteOnly(...args: Parameters<F>): void;
  /** The same with more options. */
  with(options: CallOptions): FunctionCalls<F>;
}

/** A function that lives in a peer. Source: Foolscap `RemoteMethodReference`. */
export class RemoteFunction<F extends (...args: never[]) => unknown = (...args: unknown[]) => unknown>
  extends RemoteHandle
  implements AnyFunction, Providing {
  /** Only the types need it: there is no such property. */
  declare readonly [functionType]: F;
  /** Only the types need it: functions that travel by reference. */
  declare readonly [isFunctionReference]: true;

  /** Calls the function. Errors are those of {@linkcode RemoteReference.callRemote}. */
  callRemote(...args: Parameters<F>): RemotePromise<Awaited<ReturnType<F>>> {
    return this.send("", args, NO_OPTIONS) as RemotePromise<Awaited<ReturnType<F>>>;
  }

  /** Calls the function and wants no answer. */
  callRemoteOnly(...args: Parameters<F>): void {
    this.sendOnly("", args, NO_OPTIONS);
  }

  /**
   * The same function, for calls with options.
   *
   * @throws {RangeError} If `timeoutMs` is not from 0 to 2,147,483,647.
   * @throws {TypeError} If `signal` is not an AbortSignal.
   *
   * @example
   * ```ts
   * import type { RemoteFunction } from "../../mod.ts";
   *
   * function quickly(convert: RemoteFunction<(celsius: number) => number>) {
   *   return convert.with({ timeoutMs: 500 }).callRemote(20);
   * }
   * void quickly;
   * ```
   */
  with(options: CallOptions): FunctionCalls<F> {
    const checked = checkCallOptions(options);
    return {
      callRemote: (...args) => this.send("", args, checked) as RemotePromise<Awaited<ReturnType<F>>>,
      callRemoteOnly: (...args) => this.sendOnly("", args, checked),
      with: (more) => this.with({ ...options, ...more }),
    };
  }

  /** Another handle of the same function, which is disposed by itself. */
  dup(): RemoteFunction<F> {
    return RemoteHandle.duplicate(this, (owner, tracker) => new RemoteFunction<F>(owner, tracker));
  }

  /** What constraints ask; no peer can. */
  [providedInterface](): Provided {
    return { kind: "remote", isFunction: true };
  }
}

declare const functionType: unique symbol;
