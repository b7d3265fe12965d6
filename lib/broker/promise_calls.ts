/**
 * Calls of results that are not there yet, and parts of them.
 *
 * Where the peer knows the result by the number of its call, the call goes out at once; else it waits here for the result.
 *
 * @module
 */

import { toError, Violation } from "../errors.ts";
import type { Settled } from "../graph/schema/promised_value.ts";
import { kindOf } from "../graph/schema/kind_of.ts";
import { MAX_PART_PATH } from "../limits.ts";
import { inLaterTurn } from "../util/turn.ts";
import { callLocally, localContext } from "./local_call.ts";
import { installPromiseCalls, type PromiseLink, type ResultPlace } from "./promise_link.ts";
import { Referenceable } from "./referenceable.ts";
import { RemoteHandle } from "./remote_handle.ts";
import { rejected, RemoteFunction, RemotePromise, RemoteReference } from "./remote_reference.ts";
import { partAt } from "./result_parts.ts";
import { settledArguments } from "./settled_arguments.ts";

type Untied = Promise<unknown>;

/** Says that a promise need not be caught: what depends on it fails with it. */
export function excuse(promise: Untied): void {
  promise.then(undefined, () => {});
}

/** A promise that is settled here. */
class Follower implements PromiseLink {
  readonly promise: RemotePromise<unknown>;
  isHeld = false;
  /** The call that was made when what it waited for was there. */
  inner: PromiseLink | undefined;
  #settled: Settled | undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new RemotePromise<unknown>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    RemotePromise.tie(this.promise, this);
  }

  settled(): Settled | undefined {
    return this.#settled ?? this.inner?.settled();
  }
  place(): ResultPlace | undefined {
    return this.inner?.place();
  }
  settle(isRejected: boolean, value: unknown): void {
    if (this.#settled !== undefined) return;
    this.#settled = { isRejected, value };
    if (isRejected) this.#reject(value);
    else this.#resolve(value);
  }
}

/** A part of a result. */
class Part implements PromiseLink {
  isHeld = false;
  readonly #whole: PromiseLink | undefined;
  readonly #key: string | number;

  constructor(whole: PromiseLink | undefined, key: string | number) {
    this.#whole = whole;
    this.#key = key;
  }

  settled(): Settled | undefined {
    const whole = this.#whole?.settled();
    if (whole === undefined || whole.isRejected) return whole;
    try {
      return { isRejected: false, value: partAt(whole.value, [this.#key], false) };
    } catch (error) {
      return { isRejected: true, value: toError(error) };
    }
  }
  place(): ResultPlace | undefined {
    const place = this.#whole?.place();
    if (place === undefined || place.path.length >= MAX_PART_PATH) return undefined;
    return { ...place, path: [...place.path, this.#key] };
  }
}

/** Whether a value is an object, or function, of a peer that has such a method. */
function isRemote(value: unknown, method: string): value is RemoteHandle {
  return value instanceof RemoteReference || (value instanceof RemoteFunction && method === "");
}

/** Calls the result of `promise`, which is there. */
function callValue(
  promise: Untied,
  value: unknown,
  method: string,
  args: readonly unknown[],
): Promise<unknown> {
  if (isRemote(value, method)) return RemoteHandle.callInLine(value, promise, method, args);
  if (value instanceof Referenceable) return callOwn(promise, value, method, args);
  throw new Violation(
    `Cannot call a method of a result: it is ${kindOf(value)}, not an object that can be called`,
  );
}

/** When the last call of an object of this process, that a promise has become, is begun. */
const begun = new WeakMap<Untied, Promise<void>>();

/** An object of this process came home: it is called one turn later, as others are, and after earlier calls of the promise. */
async function callOwn(
  promise: Untied,
  object: Referenceable,
  method: string,
  args: readonly unknown[],
): Promise<unknown> {
  const before = begun.get(promise);
  const { promise: isBegun, resolve: begin } = Promise.withResolvers<void>();
  begun.set(promise, isBegun);
  let values: unknown[];
  try {
    values = await settledArguments(args);
  } catch (error) {
    begin(before);
    throw error;
  }
  await before;
  return await new Promise((resolve) => {
    inLaterTurn(() => {
      begin();
      resolve(callLocally(object, method, values, localContext(method, false)));
    });
  });
}

function callValueOnly(promise: Untied, value: unknown, method: string, args: readonly unknown[]): void {
  if (isRemote(value, method)) RemoteHandle.callOnlyInLine(value, promise, method, args);
  else excuse(callValue(promise, value, method, args));
}

/** Calls a result when it is there. Also used where a call was to go out at once, and an argument cannot. */
export function callWhenThere(
  promise: Untied,
  method: string,
  args: readonly unknown[],
): RemotePromise<unknown> {
  const follower = new Follower();
  promise.then((value) => {
    const answer = callValue(promise, value, method, args);
    if (answer instanceof RemotePromise) follower.inner = RemotePromise.linkOf(answer);
    return answer;
  }).then((value) => follower.settle(false, value), (reason) => follower.settle(true, reason));
  return follower.promise;
}

/** The same for a call that wants no answer. */
export function callOnlyWhenThere(promise: Untied, method: string, args: readonly unknown[]): void {
  promise.then((value) => callValueOnly(promise, value, method, args)).catch(() => {});
}

installPromiseCalls({
  call(promise, method, args) {
    excuse(promise);
    const link = RemotePromise.linkOf(promise as RemotePromise<unknown>);
    const settled = link?.settled();
    if (settled?.isRejected === true) return rejected(settled.value);
    const place = settled === undefined && link?.isHeld !== true ? link?.place() : undefined;
    if (place === undefined) return callWhenThere(promise, method, args);
    return place.calls.callResult(promise, place, method, args);
  },
  callOnly(promise, method, args) {
    excuse(promise);
    const link = RemotePromise.linkOf(promise as RemotePromise<unknown>);
    const place = link?.settled() === undefined && link?.isHeld !== true ? link?.place() : undefined;
    if (place === undefined) callOnlyWhenThere(promise, method, args);
    else place.calls.callResultOnly(promise, place, method, args);
  },
  get(promise, key) {
    if (typeof key !== "string" && !(Number.isSafeInteger(key) && key >= 0)) {
      throw new TypeError("Cannot take a part of a result: its key is neither text nor an index from 0 on");
    }
    excuse(promise);
    const part = new RemotePromise<unknown>((resolve, reject) => {
      promise.then((value) => resolve(partAt(value, [key], false))).catch(reject);
    });
    RemotePromise.tie(part, new Part(RemotePromise.linkOf(promise as RemotePromise<unknown>), key));
    return part;
  },
});
