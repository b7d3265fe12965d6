/**
 * Local objects where the program expects references: for programs that run with and without a connection.
 *
 * Source: Twisted `spread/util.py`, `LocalAsRemote`, `LocalAsyncForwarder`.
 *
 * @module
 */

import { quoteForeign } from "../util/text.ts";
import { NoSuchMethod } from "./errors.ts";
import { findMethod } from "./flavors/referenceable.ts";

/**
 * An object that is called as a reference is, and is not remote.
 *
 * `callRemote("x")` calls `sync_x`, and returns what it returns, or else `async_x`, and returns a promise of that.
 *
 * @example
 * ```ts
 * import { pb } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Counter extends pb.LocalAsRemote {
 *   #count = 0;
 *   async_next(): number {
 *     return ++this.#count;
 *   }
 * }
 * const counter = new Counter();
 * assert.equal(await counter.callRemote("next"), 1);
 * assert.equal(await counter.remoteMethod("next")(), 2);
 * ```
 */
export class LocalAsRemote {
  /**
   * Calls a method.
   *
   * @returns What `sync_<name>` returns; otherwise a promise, which rejects with what `async_<name>` throws, or with
   *   {@linkcode NoSuchMethod}.
   */
  callRemote(name: string, ...args: unknown[]): unknown {
    const sync = findMethod(this, `sync_${name}`, LocalAsRemote.prototype);
    if (sync !== undefined) return sync.apply(this, args);
    return this.#callAsync(name, args);
  }

  /** A method as a function. Twisted: `LocalMethod`. */
  remoteMethod(name: string): (...args: unknown[]) => unknown {
    return (...args) => this.callRemote(name, ...args);
  }

  // deno-lint-ignore require-await -- what it throws is the promise's
  async #callAsync(name: string, args: unknown[]): Promise<unknown> {
    const method = findMethod(this, `async_${name}`, LocalAsRemote.prototype);
    if (method === undefined) throw new NoSuchMethod(`No such method: async_${quoted(name)}`);
    return method.apply(this, args);
  }
}

/** What a {@linkcode LocalAsyncForwarder} can be given. */
export interface ForwarderOptions {
  /**
   * Whether a call of a method that was not named fails, instead of doing nothing.
   * @default false
   */
  readonly failWhenNotImplemented?: boolean | undefined;
}

/**
 * Calls some methods of any object as those of a reference are called.
 *
 * Twisted takes an interface of zope's, of which JavaScript has none: here the methods are named.
 *
 * @example
 * ```ts
 * import { pb } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const forwarder = new pb.LocalAsyncForwarder({ add: (a: number, b: number) => a + b }, ["add"]);
 * assert.equal(await forwarder.callRemote("add", 1, 2), 3);
 * assert.equal(await forwarder.callRemote("subtract", 1, 2), undefined);
 * ```
 */
export class LocalAsyncForwarder<T extends object> {
  readonly #object: T;
  readonly #methods: ReadonlySet<string>;
  readonly #fails: boolean;

  /**
   * @param methods What can be called.
   * @throws {TypeError} If the object has no such method.
   */
  constructor(object: T, methods: readonly (keyof T & string)[], options: ForwarderOptions = {}) {
    const missing = methods.find((name) => typeof object[name] !== "function");
    if (missing !== undefined) {
      throw new TypeError(`Cannot forward calls of ${missing}: the object has no such method`);
    }
    this.#object = object;
    this.#methods = new Set(methods);
    this.#fails = options.failWhenNotImplemented === true;
  }

  /**
   * Calls a method.
   *
   * @returns Its result; nothing, if the method was not named.
   * @throws {NoSuchMethod} If it was not named, and the option `failWhenNotImplemented` is set.
   */
  // deno-lint-ignore require-await -- what a method throws is the promise's
  async callRemote(name: string, ...args: unknown[]): Promise<unknown> {
    if (!this.#methods.has(name)) {
      if (this.#fails) throw new NoSuchMethod(`No Such Method in Interface: ${quoted(name)}`);
      return undefined;
    }
    return (this.#object[name as keyof T] as (...args: unknown[]) => unknown).apply(this.#object, args);
  }
}

function quoted(name: string): string {
  return quoteForeign(name, 100).slice(1, -1);
}
