/**
 * References to objects of this process, called as those of others are.
 *
 * Source: Foolscap `referenceable.py`, `LocalReferenceable`.
 *
 * @module
 */

import { type Clock, systemClock } from "../util/clock.ts";
import { inLaterTurn } from "../util/eventual.ts";
import {
  callLocally,
  type CallOptions,
  checkCallOptions,
  type CheckedOptions,
  localContext,
  NO_OPTIONS,
} from "./call.ts";
import type { Referenceable } from "./referenceable.ts";
import {
  type RemoteMethodName,
  type RemotePromise,
  RemoteReference,
  type RemoteResult,
} from "./remote_reference.ts";
import { RequestTable } from "./requests.ts";

/** Arguments of a method, which gets them as they are. */
export type LocalArguments<T, Name extends string> = `remote_${Name}` extends keyof T
  ? T[`remote_${Name}`] extends (...args: infer A) => unknown ? A : never
  : never;

/** The result of a method, as it is. */
export type LocalResult<T, Name extends string> = `remote_${Name}` extends keyof T
  ? T[`remote_${Name}`] extends (...args: never[]) => infer R ? Awaited<R> : never
  : never;

/** How an object of this process is called. */
export interface LocalCalls<T> {
  /** Calls a method, one turn later: see {@linkcode LocalReference.callRemote}. */
  callRemote<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: LocalArguments<T, Name>
  ): RemotePromise<LocalResult<T, Name>>;
  /** Calls a method and wants no answer: see {@linkcode LocalReference.callRemoteOnly}. */
  callRemoteOnly<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: LocalArguments<T, Name>
  ): void;
  /** The same with more options. */
  with(options: CallOptions): LocalCalls<T>;
}

/** How an object is called that is one of this process or of another one. */
export interface EitherCalls<T> {
  /** Calls a method: see {@linkcode RemoteReference.callRemote} and {@linkcode LocalReference.callRemote}. */
  callRemote<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: LocalArguments<T, Name>
  ): RemotePromise<LocalResult<T, Name> | RemoteResult<T, Name>>;
  /** Calls a method and wants no answer. */
  callRemoteOnly<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: LocalArguments<T, Name>
  ): void;
  /** The same with more options. */
  with(options: CallOptions): EitherCalls<T>;
}

/** What a {@linkcode LocalReference} and a {@linkcode RemoteReference} have in common. */
export interface EitherReference<T> extends EitherCalls<T> {
  /** Whether calls can be made. */
  isConnected(): boolean;
  /** Calls back when the connection is lost, if there is one. */
  notifyOnDisconnect(callback: () => void): Disposable;
  /** Takes a callback back. */
  dontNotifyOnDisconnect(watch: Disposable): void;
}

/**
 * A reference to an object of this process: made by {@linkcode localReference}. It cannot be sent; send the object.
 *
 * @typeParam T The class of the object.
 */
export class LocalReference<T> implements LocalCalls<T> {
  readonly #object: Referenceable;
  readonly #clock: Clock;
  readonly #requests = new RequestTable();

  /** Use {@linkcode localReference}. */
  constructor(object: Referenceable, clock: Clock) {
    this.#object = object;
    this.#clock = clock;
  }

  /** True: an object of this process cannot be lost. */
  isConnected(): true {
    return true;
  }

  /** Calls back never. Disposing what it returns is harmless. */
  notifyOnDisconnect(_callback: () => void): Disposable {
    return { [Symbol.dispose]() {} };
  }

  /** Takes a callback back. */
  dontNotifyOnDisconnect(_watch: Disposable): void {}

  /**
   * Calls a method in a later turn of the event loop, after the calls that were made before. Arguments and result are not
   * copied. The method sees the deadline and the signal of its {@linkcode CallContext}, as one elsewhere does.
   *
   * @param name The method's name, without `remote_`.
   * @returns A promise of the result, rejected with what the method throws; with the reason of a signal or a
   *   `TimeoutError` if the options of {@linkcode LocalReference.with} say so.
   */
  callRemote<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: LocalArguments<T, Name>
  ): RemotePromise<LocalResult<T, Name>> {
    return this.#call(name, args, NO_OPTIONS) as RemotePromise<LocalResult<T, Name>>;
  }

  /** Calls a method in a later turn and wants no answer: not the result, and not whether it failed. */
  callRemoteOnly<Name extends RemoteMethodName<T> & string>(
    name: Name,
    ...args: LocalArguments<T, Name>
  ): void {
    this.#call(name, args, NO_OPTIONS).catch(() => {});
  }

  /**
   * The same reference, for calls with options.
   *
   * @throws {RangeError} If `timeoutMs` is not from 0 to 2,147,483,647.
   * @throws {TypeError} If an option is of another type, or there is none of a name.
   */
  with(options: CallOptions): LocalCalls<T> {
    const checked = checkCallOptions(options);
    return {
      callRemote: ((name: string, ...args: unknown[]) => this.#call(name, args, checked)) as LocalCalls<
        T
      >["callRemote"],
      callRemoteOnly: (name, ...args) => void this.#call(name, args, checked).catch(() => {}),
      with: (more) => this.with({ ...options, ...more }),
    };
  }

  #call(name: string, args: readonly unknown[], options: CheckedOptions): RemotePromise<unknown> {
    const clock = this.#clock;
    let isOver = false;
    const { promise, request } = this.#requests.begin(name, options, clock, () => isOver = true);
    // What was given up before its turn is not called at all; what has begun is told by its context's signal.
    inLaterTurn(() => {
      if (isOver) return;
      const { deadline, isLimited } = request;
      const time = deadline === undefined ? undefined : { deadline, clock };
      const context = localContext(name, isLimited, time);
      request.onGivenUp = (reason) => context.abort(reason);
      callLocally(this.#object, name, args, context)
        .then(request.resolve.bind(request), request.reject.bind(request));
    });
    return promise;
  }
}

/** Options of {@linkcode localReference}. */
export interface LocalReferenceOptions {
  /**
   * The time and the timers of calls with a `timeoutMs`.
   *
   * @default the clock of the machine
   */
  readonly clock?: Clock | undefined;
}

const references = new WeakMap<Referenceable, LocalReference<never>>();

/**
 * Something that is called by `callRemote`, whether the object is one of this process or not: of a Referenceable, a
 * reference by which it is called as if it were elsewhere, one turn later; of a RemoteReference, itself.
 *
 * A parameter of the type `RemoteReference<T>` may be an object of this process: one that comes home is itself.
 *
 * Foolscap: `IRemoteReference(object)`.
 *
 * @returns The same one for the same object, if no options are given.
 *
 * @example
 * ```ts
 * import { localReference, Referenceable } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Calculator extends Referenceable {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 * assert.equal(await localReference(new Calculator()).callRemote("add", 1, 2), 3);
 * ```
 */
export function localReference<T>(object: RemoteReference<T>): RemoteReference<T>;
/** A reference to an object of this process. */
export function localReference<T extends Referenceable>(
  object: T,
  options?: LocalReferenceOptions,
): LocalReference<T>;
/** A reference to an object of which the program does not know where it is. */
export function localReference<T extends Referenceable>(object: T | RemoteReference<T>): EitherReference<T>;
export function localReference(
  object: Referenceable | RemoteReference<never>,
  options?: LocalReferenceOptions,
): unknown {
  if (object instanceof RemoteReference) return object;
  if (options?.clock !== undefined) return new LocalReference<never>(object, options.clock);
  let known = references.get(object);
  if (known === undefined) references.set(object, known = new LocalReference<never>(object, systemClock));
  return known;
}
