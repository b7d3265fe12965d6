/**
 * References to objects of a peer.
 *
 * Source: Twisted `spread/pb.py`, `RemoteReference`, `RemoteMethod`.
 *
 * @module
 */

import { DeadReferenceError, Violation } from "../../errors.ts";
import type { Jellying } from "../jelly/invoker.ts";
import type { Jellyable } from "../jelly/jellyable.ts";
import type { Levels, Unchanging } from "../../values/crossing_types.ts";
import type { HoldsObjects } from "./crossing_types.ts";
import type { AnyRemoteReference, ByReference, remoteReference } from "./marks.ts";

/** An object of which nothing is known: any method, `unknown` arguments and results. */
export interface Untyped {
  /** Any method. */
  [method: `remote_${string}`]: (...args: unknown[]) => unknown;
}

type Prefix = "remote_" | "perspective_" | "view_";

/** What `instanceof` leaves of a type is `any`: nothing is known then. Other types stay as they are. */
export type KnownOf<T> = 0 extends 1 & T ? Untyped : T;

/** The names under which peers reach the methods of `T`: `remote_add`, `perspective_add` and `view_add` are `add`. */
export type RemoteMethodName<T> = keyof KnownOf<T> extends infer K
  ? K extends `${Prefix}${infer Name}` ? Name : never
  : never;

/** The method of `T` that peers call so. */
export type MethodOf<T, Name extends string> = KnownMethodOf<KnownOf<T>, Name>;

/** The same where the type is not `any`. */
export type KnownMethodOf<T, Name extends string> = T extends { [K in `remote_${Name}`]: infer M } ? M
  : T extends { [K in `perspective_${Name}`]: infer M } ? M
  : T extends { [K in `view_${Name}`]: (viewer: never, ...args: infer A) => infer R } ? (...args: A) => R
  : never;

/**
 * What the callee's type is for the caller: its objects are references here, also those in arrays and plain objects, and
 * `undefined` arrives as `null`.
 */
export type Received<T, Depth extends readonly unknown[] = Levels> = T extends void | undefined ? null
  : T extends Unchanging ? T
  : T extends ByReference ? RemoteReference<T>
  : T extends RemoteReference<infer U> ? U | RemoteReference<U>
  : T extends readonly unknown[]
    ? (Depth extends readonly [unknown, ...infer Rest] ? { [I in keyof T]: Received<T[I], Rest> } : T)
  : T extends Set<infer M> ? Set<Received<M>>
  : T extends Map<infer K, infer V> ? Map<Received<K>, Received<V>> | { [key: string]: Received<V> }
  : true extends HoldsObjects<T> ? { [P in keyof T]: true extends HoldsObjects<T[P]> ? Received<T[P]> : T[P] }
  : T;

/** What the caller may pass where the callee's parameter has the type `T`. */
export type Sendable<T, Depth extends readonly unknown[] = Levels> = 0 extends 1 & T ? T
  : T extends Unchanging ? T
  : T extends RemoteReference<infer U>
  // A parameter of type `RemoteReference`, without the object's class, takes any object.
    ? string extends RemoteMethodName<U> ? ByReference | AnyRemoteReference : U | RemoteReference<U>
  : T extends ByReference ? T | RemoteReference<T>
  : T extends readonly unknown[]
    ? (Depth extends readonly [unknown, ...infer Rest] ? { [I in keyof T]: Sendable<T[I], Rest> } : T)
  : true extends HoldsObjects<T> ? { [P in keyof T]: true extends HoldsObjects<T[P]> ? Sendable<T[P]> : T[P] }
  : T;

/** Arguments of a method as the caller passes them; keyword arguments where its last parameter has the type `Kwargs`. */
export type RemoteArguments<T, Name extends string> = MethodOf<T, Name> extends (...args: infer A) => unknown
  ? { [I in keyof A]: Sendable<A[I]> }
  : never;

/** The result of a method as the caller gets it. */
export type RemoteResult<T, Name extends string> = MethodOf<T, Name> extends (...args: never[]) => infer R
  ? Received<Awaited<R>>
  : never;

/** An object's methods as a proxy offers them. */
export type RemoteMethods<T> = {
  readonly [Name in RemoteMethodName<T>]: (
    ...args: RemoteArguments<T, Name>
  ) => Promise<RemoteResult<T, Name>>;
};

/** What a reference needs of its connection. */
export interface ReferenceHost {
  readonly peerAddress: string;
  readonly isConnected: boolean;
  /** Sends a call; `undefined` if no answer is wanted. */
  call(
    target: number | string,
    method: string,
    args: readonly unknown[],
    perspective: object | undefined,
    isAnswerWanted: boolean,
  ): Promise<unknown> | undefined;
  notifyOnDisconnect(callback: () => unknown): Disposable;
  /** Calls back when the peer gives back its last reference to an object of ours, or the connection is lost. */
  whenReleased(object: { processUniqueID(): unknown }, callback: () => unknown): void;
  /** Resolves when nothing waits to be written, or the connection is lost. Never rejects. */
  whenDrained(): Promise<void>;
}

/** What a reference stands for. */
export interface ReferenceTarget {
  /** The peer's number for the object, or its name. */
  readonly id: number | string;
  /** Who asked for the object, where that is known: Viewables in the arguments of calls are seen through that. */
  readonly perspective: object | undefined;
  /** Gives the object back. Must not throw. */
  release(): void;
}

/** What calls fail with when their connection is gone, in Twisted's words and with what can be done. */
export function staleBroker(): DeadReferenceError {
  return new DeadReferenceError(
    "Cannot call: Calling Stale Broker, since the connection is gone: connect anew and get the object again, or use " +
      "pb.PersistentClient, which does so by itself",
  );
}

let peek: (reference: RemoteReference) => ReferenceHost;

/** The connection of a reference. */
export function hostOf(reference: AnyRemoteReference): ReferenceHost {
  return peek(reference as RemoteReference);
}

/**
 * A reference to an object of the peer: its methods are called there. Each object has one reference at a time on each
 * connection (and for each perspective), so references can be compared.
 *
 * When nobody holds it any more, or it is disposed, the peer is told. An avatar that is so given up is logged out.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Calculator extends pb.Root {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 * await using server = await pb.serve(new Calculator(), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect<Calculator>(server.address);
 * const calculator = client.getRootObject();
 * assert.equal(await calculator.callRemote("add", 1, 2), 3);
 * assert.equal(await calculator.remote.add(1, 2), 3);
 * ```
 */
export class RemoteReference<T = Untyped> implements Jellyable, AnyRemoteReference, Disposable {
  /** Only the types need it: what stands for an object of a peer. */
  declare readonly [remoteReference]: true;
  readonly #host: ReferenceHost;
  readonly #target: ReferenceTarget;
  #isReleased = false;
  #remote: RemoteMethods<T> | undefined;

  static {
    peek = (reference) => reference.#host;
  }

  /** @ignore */
  constructor(host: ReferenceHost, target: ReferenceTarget) {
    this.#host = host;
    this.#target = target;
  }

  /** What a reference is made of, for classes that derive from this one. */
  protected static partsOf(reference: RemoteReference): { host: ReferenceHost; target: ReferenceTarget } {
    return { host: reference.#host, target: reference.#target };
  }

  /** Where the object is, for people: the address of the connection's other end. */
  get peerAddress(): string {
    return this.#host.peerAddress;
  }

  /** Whether the connection is there and the reference was not disposed. */
  get isLive(): boolean {
    return !this.#isReleased && this.#host.isConnected;
  }

  /**
   * Calls a method.
   *
   * @param name The method's name, without the prefix that it has in its class.
   * @param args Its arguments; `kwargs({...})` as the last one has those that are passed by name.
   * @returns The result.
   * @throws {RemoteError} If the method failed; or an error of a class that the program has registered.
   * @throws {Violation} If an argument cannot be sent, or the answer cannot be read.
   * @throws {DeadReferenceError} If the connection is gone, or the reference was disposed; a {@linkcode PBConnectionLost} if
   *   it was lost before the answer.
   */
  callRemote<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: RemoteArguments<T, Name>
  ): Promise<RemoteResult<T, Name>> {
    try {
      this.#check();
      const { id, perspective } = this.#target;
      return this.#host.call(id, name, args, perspective, true) as Promise<RemoteResult<T, Name>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Calls a method and wants no answer: neither its result nor its failure is told. Twisted: `pbanswer=False`.
   *
   * @throws {Violation} If an argument cannot be sent.
   * @throws {DeadReferenceError} If the connection is gone, or the reference was disposed.
   */
  callRemoteOnly<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: RemoteArguments<T, Name>
  ): void {
    this.#check();
    const { id, perspective } = this.#target;
    this.#host.call(id, name, args, perspective, false);
  }

  /** A method as a function. Twisted: `RemoteMethod`. */
  remoteMethod<Name extends RemoteMethodName<T> & string>(
    name: Name,
  ): (...args: RemoteArguments<T, Name>) => Promise<RemoteResult<T, Name>> {
    return (...args) => this.callRemote(name, ...args);
  }

  /** The methods by their names: `reference.remote.add(1, 2)`. */
  get remote(): RemoteMethods<T> {
    return this.#remote ??= new Proxy(Object.create(null), {
      // A promise that resolves to the proxy would ask it for `then`.
      get: (_, name) =>
        typeof name !== "string" || name === "then" ? undefined : this.remoteMethod(
          name as RemoteMethodName<T> & string,
        ),
    }) as RemoteMethods<T>;
  }

  /**
   * Calls back when the connection is lost; at once, if it is.
   *
   * @returns Disposing it takes the callback back. What the callback throws goes to the trace.
   */
  notifyOnDisconnect(callback: (reference: RemoteReference<T>) => unknown): Disposable {
    return this.#host.notifyOnDisconnect(() => callback(this));
  }

  /** Gives the object back to the peer; calls that wait for an answer go on. More than once is harmless. */
  [Symbol.dispose](): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#target.release();
  }

  /**
   * Writes itself as `(local n)`: the peer gets its own object.
   *
   * @throws {Violation} If it is sent to somebody else: Perspective Broker knows no references to third parties.
   */
  jellyFor(jellier: Jellying): void {
    const invoker: object | undefined = jellier.invoker;
    if (invoker !== this.#host) {
      throw new Violation(
        "Cannot send a reference to an object of one peer to another: Perspective Broker has no such references, so send an object of your own that calls it",
      );
    }
    if (this.#isReleased) throw new Violation("Cannot send a reference that was released");
    const { id } = this.#target;
    jellier.list(2);
    jellier.word("local");
    if (typeof id === "number") jellier.integer(id);
    else jellier.word(id);
  }

  #check(): void {
    if (this.#isReleased) {
      throw new DeadReferenceError(
        "Cannot call: the reference was released, since the program has disposed it",
      );
    }
    if (!this.#host.isConnected) throw staleBroker();
  }

  /** How `Deno.inspect` and `console.log` show it. */
  [Symbol.for("Deno.customInspect")](): string {
    return `RemoteReference { ${
      typeof this.#target.id === "number" ? `#${this.#target.id}` : this.#target.id
    } at ${this.peerAddress} }`;
  }
}
