/**
 * References to objects of a peer, and how their types follow from those of the objects.
 *
 * Source: Foolscap `referenceable.py`, `RemoteReference`.
 *
 * @module
 */

import {
  type AnyFunction,
  type AnyReference,
  type isFunctionReference,
  type isReference,
  type Provided,
  providedInterface,
  type Providing,
} from "../graph/schema/provided.ts";
import { promised, type promisedType, type PromisedValue, type Settled } from "../graph/schema/constraint.ts";
import { type CallOptions, checkCallOptions, NO_OPTIONS } from "./call.ts";
import type { Callable } from "./callable.ts";
import type { HasMethods, Levels, Unchanging } from "../values/crossing_types.ts";
import type { HoldsObjects } from "./crossing_types.ts";
import type { Copyable } from "../graph/copyable.ts";
import { callsOfPromises, methodsProxy, type NotByProxy, type PromiseLink } from "./promise_link.ts";
import type { Referenceable } from "./referenceable.ts";
import { RemoteHandle } from "./remote_handle.ts";
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
 * What the callee's type is for the caller: its objects are references here, also those in arrays and plain objects.
 * `undefined` arrives as such from a Tub of this library, and as `null` from Python: the types cannot know which one the
 * peer is.
 */
export type Received<T, Depth extends readonly unknown[] = Levels> = T extends void | undefined
  ? null | undefined
  : T extends Unchanging | Copyable ? T
  : T extends Referenceable ? RemoteReference<T>
  : T extends RemoteReference<infer U> ? U | RemoteReference<U>
  : T extends Callable<infer F> ? RemoteFunction<F>
  : T extends AnyFunction ? T
  : T extends readonly unknown[]
    ? (Depth extends readonly [unknown, ...infer Rest] ? { [I in keyof T]: Received<T[I], Rest> } : T)
  : T extends Set<infer M> ? Set<Received<M>>
  : T extends Map<infer K, infer V> ? Map<Received<K>, Received<V>> | { [key: string]: Received<V> }
  : true extends HoldsObjects<T> ? { [P in keyof T]: true extends HoldsObjects<T[P]> ? Received<T[P]> : T[P] }
  : T;

/** What the caller may pass where the callee's parameter has the type `T`: a value, or the promise of one. */
export type Sendable<T, Depth extends readonly unknown[] = Levels> =
  | SendableValue<T, Depth>
  | PromisedValue<SendableValue<T, Depth>>;

/** The same without promises of the whole; elements of arrays and properties of plain objects may be promises. */
export type SendableValue<T, Depth extends readonly unknown[] = Levels> = 0 extends 1 & T ? T
  : T extends Unchanging | Copyable ? T
  : T extends RemoteReference<infer U> ? U | RemoteReference<U>
  : T extends RemoteFunction<infer F> ? Callable<F> | RemoteFunction<F>
  : T extends Referenceable ? T | RemoteReference<T>
  : T extends readonly unknown[]
    ? (Depth extends readonly [unknown, ...infer Rest] ? { [I in keyof T]: Sendable<T[I], Rest> } : T)
  : unknown extends T ? T
  : HasMethods<T> extends true ? T
  : { [P in keyof T]: Sendable<T[P]> };

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
export type UndeclaredArguments<T, Name extends string> = `remote_${Name}` extends keyof T
  ? T[`remote_${Name}`] extends (...args: infer A) => unknown ? { [I in keyof A]: Sendable<A[I]> } : never
  : never;

/** The result of a method as the caller gets it. */
export type RemoteResult<T, Name extends string> = [DeclarationOf<T, Name>] extends [never]
  ? `remote_${Name}` extends keyof T
    ? T[`remote_${Name}`] extends (...args: never[]) => infer R ? Received<Awaited<R>> : never
  : never
  : DeclaredResult<DeclarationOf<T, Name>, RemoteReference, RemoteFunction>;

/** An object's methods as a proxy offers them; those called `then` and `toJSON` are reached by `callRemote` only. */
export type RemoteMethods<T> = {
  readonly [Name in Exclude<RemoteMethodName<T>, NotByProxy>]: (
    ...args: RemoteArguments<T, Name>
  ) => RemotePromise<RemoteResult<T, Name>>;
};

/** The class of the object that a result refers to; where nothing is known of the result, nothing of the object. */
export type ObjectOf<T> = unknown extends T ? Untyped
  : T extends RemoteReference<infer U> ? U
  : T extends Referenceable ? T
  : never;

/** The keys of a result's parts: indices of an array, text keys of an object or Map. */
export type PartKey<T> = unknown extends T ? string | number
  : T extends readonly unknown[] ? number
  : T extends ReadonlyMap<infer K, unknown> ? K & string
  : T extends AnyReference | AnyFunction | ReadonlySet<unknown> | ArrayBufferView ? never
  : T extends object ? keyof T & string
  : never;

/** The part of a result under a key. An object that travels by reference is a reference there, however deep. */
export type PartOf<T, K> = unknown extends T ? unknown
  : T extends ReadonlyMap<unknown, infer V> ? V extends Referenceable ? RemoteReference<V> : V
  : K extends keyof T ? T[K] extends Referenceable ? RemoteReference<T[K]> : T[K]
  : never;

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

/** How a result is called that is not there yet. */
export interface ResultCalls<T> extends RemoteCalls<ObjectOf<T>> {
  /** Calls the result, where that is a function: see {@linkcode RemotePromise.callFunction}. */
  callFunction<F extends (...args: never[]) => unknown>(
    this: ResultCalls<RemoteFunction<F>>,
    ...args: Parameters<F>
  ): RemotePromise<Awaited<ReturnType<F>>>;
  /** The same calls of a part of the result: see {@linkcode RemotePromise.get}. */
  get<K extends PartKey<T>>(key: K): ResultCalls<PartOf<T, K>>;
  /** The same with more options. */
  with(options: CallOptions): ResultCalls<T>;
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
   * @param args Values of the value table; `kwargs({...})` as the last one for keyword arguments, where a RemoteInterface
   * or the method's own last parameter names them, or nothing is known of the object.
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
    return this.#proxy ??= methodsProxy((name, args) => this.send(name, args, NO_OPTIONS)) as RemoteMethods<
      T
    >;
  }

  /**
   * The same reference, for calls with options.
   *
   * @throws {RangeError} If `timeoutMs` is not from 0 to 2,147,483,647.
   * @throws {TypeError} If an option is of another type, or there is none of a name.
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
      callRemote: ((name: string, ...args: unknown[]) => call(name, args)) as unknown as RemoteCalls<
        T
      >["callRemote"],
      callRemoteOnly: (name, ...args) => this.sendOnly(name, args as readonly unknown[], checked),
      with: (more) => this.with({ ...options, ...more }),
      remote: methodsProxy(call) as RemoteMethods<T>,
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

/**
 * What `callRemote` returns: a promise that settles when the peer has answered, or the connection is gone.
 *
 * It can be used before that. Methods of the result can be called, parts of it picked, and the promise itself, or such a
 * part, can be an argument of other calls. Where the peer is a Tub of this library, all of that goes out at once, and a
 * chain of calls takes one round trip; else each call is made when what it depends on is there, with the same outcome.
 *
 * Calls of one promise are started in the order in which they are made. What the first one fails with, all that depend on
 * it fail with, and a promise that other calls were made of need not be awaited or caught itself.
 *
 * @typeParam T The result.
 *
 * @example
 * ```ts
 * import { Referenceable, type RemoteReference, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Directory extends Referenceable {
 *   readonly children = new Map<string, Directory>();
 *   remote_child(name: string): Directory {
 *     return this.children.getOrInsertComputed(name, () => new Directory());
 *   }
 *   remote_names(): string[] {
 *     return [...this.children.keys()];
 *   }
 *   remote_adopt(_other: RemoteReference<Directory>, name: string): string {
 *     return name;
 *   }
 * }
 *
 * await using server = await Tub.create();
 * server.setLocation((await server.listenOn("tcp:0:interface=127.0.0.1")).hint);
 * await using client = await Tub.create();
 * const root = await client.getReference<Directory>(server.registerReference(new Directory()));
 *
 * const home = root.remote.child("home");
 * const user = home.remote.child("user"); // not waited for either
 * const name = user.remote.adopt(root.remote.child("other"), home.remote.names().get(0));
 * assert.equal(await name, "user");
 * ```
 */
export class RemotePromise<T> extends Promise<T> implements PromisedValue<T> {
  /** Only the types need it: the result. */
  declare readonly [promisedType]: T;
  #link: PromiseLink | undefined;

  /** What `then` and its kin return are plain promises. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** Ties a promise to what is known of its result before that is there. */
  static tie(promise: RemotePromise<unknown>, link: PromiseLink): void {
    promise.#link = link;
  }

  /** What a promise was tied to. */
  static linkOf(promise: RemotePromise<unknown>): PromiseLink | undefined {
    return promise.#link;
  }

  /**
   * Calls a method of the result: as {@linkcode RemoteReference.callRemote}, but now.
   *
   * @returns It is also rejected with what this promise is rejected with, and with a {@linkcode Violation} if the result
   * turns out to be nothing that has methods.
   */
  callRemote<Name extends RemoteMethodName<ObjectOf<T>> & string>(
    name: Name,
    ...args: RemoteArguments<ObjectOf<T>, Name>
  ): RemotePromise<RemoteResult<ObjectOf<T>, Name>> {
    return callsOfPromises().call(this, name, args as readonly unknown[], NO_OPTIONS) as RemotePromise<
      RemoteResult<ObjectOf<T>, Name>
    >;
  }

  /** Calls a method of the result and wants no answer: not the result, and not whether it failed. */
  callRemoteOnly<Name extends RemoteMethodName<ObjectOf<T>> & string>(
    name: Name,
    ...args: RemoteArguments<ObjectOf<T>, Name>
  ): void {
    callsOfPromises().callOnly(this, name, args as readonly unknown[], NO_OPTIONS);
  }

  /** Calls the result, where that is a function. */
  callFunction<F extends (...args: never[]) => unknown>(
    this: RemotePromise<RemoteFunction<F>>,
    ...args: Parameters<F>
  ): RemotePromise<Awaited<ReturnType<F>>> {
    return callsOfPromises().call(this, "", args, NO_OPTIONS) as RemotePromise<Awaited<ReturnType<F>>>;
  }

  /** The methods of the result: `a.remote.b().remote.c()`. */
  get remote(): RemoteMethods<ObjectOf<T>> {
    return methodsProxy((name, args) =>
      callsOfPromises().call(this, name, args, NO_OPTIONS)
    ) as RemoteMethods<
      ObjectOf<T>
    >;
  }

  /**
   * The same result, for calls with options: as {@linkcode RemoteReference.with}. Their time begins now, and not when the
   * result is there, with which it has nothing to do: a call that is given up leaves this promise as it is.
   *
   * @throws {RangeError} If `timeoutMs` is not from 0 to 2,147,483,647.
   * @throws {TypeError} If an option is of another type, or there is none of a name.
   *
   * @example
   * ```ts
   * import type { RemoteReference } from "../../mod.ts";
   *
   * interface Item {
   *   remote_name(): string;
   * }
   * interface Shop {
   *   remote_find(word: string): RemoteReference<Item>[];
   * }
   * function firstName(shop: RemoteReference<Shop>) {
   *   return shop.remote.find("tea").with({ timeoutMs: 500 }).get(0).remote.name();
   * }
   * void firstName;
   * ```
   */
  with(options: CallOptions): ResultCalls<T> {
    return callsOfPromises().with(this, checkCallOptions(options)) as ResultCalls<T>;
  }

  /**
   * A part of the result: an element of an array, the value of a text key of a plain object or Map, an attribute of a
   * copy. Nothing else can be reached so: no methods, no inherited properties, no parts of objects that live elsewhere.
   *
   * @returns It is rejected with a {@linkcode Violation} if there is no such part.
   */
  get<K extends PartKey<T>>(key: K): RemotePromise<PartOf<T, K>> {
    return callsOfPromises().get(this, key) as RemotePromise<PartOf<T, K>>;
  }

  /**
   * What constraints ask; no peer can.
   *
   * @ignore
   */
  [promised](): Settled | undefined {
    return this.#link?.settled();
  }
}

// `await` takes a promise as it is only if its constructor is Promise; else it makes another one around it and
// needs three more steps for each call.
Object.defineProperty(RemotePromise.prototype, "constructor", { value: Promise });

/** A promise that is rejected already, and given to the caller. */
export function rejected(reason: unknown): RemotePromise<never> {
  const promise = new RemotePromise<never>((_resolve, reject) => reject(reason));
  RemotePromise.tie(promise, {
    settled: () => ({ isRejected: true, value: reason }),
    place: () => undefined,
    isHeld: false,
    clock: undefined,
  });
  return promise;
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
   * @throws {TypeError} If an option is of another type, or there is none of a name.
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
