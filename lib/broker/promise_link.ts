/**
 * What promises of results can do besides being awaited.
 *
 * @module
 */

import type { Settled } from "../graph/schema/constraint.ts";
import { adviseInstead } from "../graph/unsendable.ts";
import type { Clock } from "../util/clock.ts";
import type { CheckedOptions } from "./call.ts";

/** What such a proxy is: not a plain object, which would travel as an empty dict. */
class MethodsProxy {}
adviseInstead(MethodsProxy, "the methods of a reference, ref.remote: send the reference itself");

/** What the language asks any object for by itself; a call of the peer would answer nobody. */
const NO_METHODS: ReadonlySet<string> = new Set<NotByProxy>(["then", "toJSON"]);

/** Methods that only `callRemote` reaches, since `await` and `JSON.stringify` would call them. */
export type NotByProxy = "then" | "toJSON";

const asText = () => "[remote methods]";

/**
 * A proxy whose every property is a method, except for what the language calls by itself: `await`, `JSON.stringify` and
 * making it a text send nothing, for nobody would be there to take the failure.
 *
 * @param call Calls a method of that name.
 */
export function methodsProxy(call: (name: string, args: readonly unknown[]) => Promise<unknown>): object {
  const methods = new Map<string, unknown>();
  return new Proxy(Object.freeze(new MethodsProxy()), {
    get(_target, name) {
      if (name === Symbol.toPrimitive) return asText;
      if (typeof name !== "string" || NO_METHODS.has(name)) return undefined;
      let method = methods.get(name);
      if (method === undefined) methods.set(name, method = (...args: unknown[]) => call(name, args));
      return method;
    },
  });
}

/** The type of sequence that names a result. */
export const PROMISED = "promised";

/** The way from a result to a part of it: indices and text keys. */
export type PartPath = readonly (string | number)[];

/** Where the peer finds a result that this end does not have yet. */
export interface ResultPlace {
  /** The calls of the connection. */
  readonly calls: CallsOfResults;
  /** The number of the call of which it is the result. */
  readonly requestId: number;
  readonly path: PartPath;
}

/** Sends calls of results that only the peer has. */
export interface CallsOfResults {
  /** Calls a method of the result of `promise`, which is at `place`. */
  callResult(
    promise: Promise<unknown>,
    place: ResultPlace,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): Promise<unknown>;
  /** The same, and wants no answer. */
  callResultOnly(
    promise: Promise<unknown>,
    place: ResultPlace,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): void;
}

/** What a promise is tied to. */
export interface PromiseLink {
  /** How the promise was settled, from the very moment on: its callbacks run later. */
  settled(): Settled | undefined;
  /** Where the peer finds the result; `undefined` if it cannot be told so. */
  place(): ResultPlace | undefined;
  /** Whether a call of the result waits here, so that later ones have to wait as well. */
  isHeld: boolean;
  /** The time of the connection; `undefined` where the promise comes from none. */
  readonly clock: Clock | undefined;
}

/** What can be done with the promise of a result. */
export interface PromiseCalls {
  call(
    promise: Promise<unknown>,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): Promise<unknown>;
  callOnly(
    promise: Promise<unknown>,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): void;
  get(promise: Promise<unknown>, key: string | number): Promise<unknown>;
  /** The same calls with options. */
  with(promise: Promise<unknown>, options: CheckedOptions): object;
}

let installed: PromiseCalls | undefined;

/** Says who does it: a module above that of the promises, which it makes. */
export function installPromiseCalls(calls: PromiseCalls): void {
  installed = calls;
}

/** Who does it. */
export function callsOfPromises(): PromiseCalls {
  if (installed === undefined) {
    throw new TypeError("Cannot use a promise of a call: no connection was ever made");
  }
  return installed;
}
