/**
 * Calls of results that are not there yet, and parts of them.
 *
 * Where the peer knows the result by the number of its call, the call goes out at once; else it waits here for the result.
 *
 * @module
 */

import { toError, Violation } from "../errors.ts";
import type { Settled } from "../graph/schema/constraint.ts";
import { kindOf } from "../graph/schema/checking.ts";
import { MAX_PART_PATH } from "../limits.ts";
import { rejectAwaited } from "../util/awaited_error.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { inLaterTurn } from "../util/eventual.ts";
import {
  callLocally,
  type CallOptions,
  checkCallOptions,
  type CheckedOptions,
  localContext,
} from "./call.ts";
import { type CallWait, startWait, waitOptions } from "./call_wait.ts";
import {
  installPromiseCalls,
  methodsProxy,
  type PromiseCalls,
  type PromiseLink,
  type ResultPlace,
} from "./promise_link.ts";
import { Referenceable } from "./referenceable.ts";
import { RemoteHandle } from "./remote_handle.ts";
import { rejected, RemoteFunction, RemotePromise, RemoteReference } from "./remote_reference.ts";
import { partAt, settledArguments } from "./settled_arguments.ts";

type Untied = Promise<unknown>;

/** Says that a promise need not be caught: what depends on it fails with it. */
export function excuse(promise: Untied): void {
  promise.then(undefined, () => {});
}

/** What gives up a call that somebody waits for. */
interface Limited {
  readonly isLimited: boolean;
  readonly deadline: number | undefined;
  onGivenUp: ((reason: unknown) => void) | undefined;
}

/** The options of a call that is made for another one, which watches what gives them up. */
export function passedOn(options: CheckedOptions, outer: Limited): CheckedOptions {
  if (!outer.isLimited) return options;
  const stop = new AbortController();
  outer.onGivenUp = (reason) => stop.abort(reason);
  const { deadline } = outer;
  return { ...options, signal: stop.signal, timeoutMs: undefined, detached: true, deadline };
}

/** A call that is made when what it is a call of is there. */
class Follower implements PromiseLink, Limited {
  readonly promise: RemotePromise<unknown>;
  readonly clock: Clock | undefined;
  isHeld = false;
  /** The call that was made when what it waited for was there. */
  inner: PromiseLink | undefined;
  /** Makes that call; forgotten with its arguments when it is given up before. */
  begin: ((value: unknown) => Promise<unknown>) | undefined;
  onGivenUp: ((reason: unknown) => void) | undefined;
  #wait: CallWait | undefined;
  #settled: Settled | undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;

  constructor(method: string, options: CheckedOptions, clock: Clock | undefined) {
    this.clock = clock;
    this.promise = new RemotePromise<unknown>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    RemotePromise.tie(this.promise, this);
    const wait = waitOptions(options);
    if (wait === undefined) return;
    this.#wait = startWait(wait, clock ?? systemClock, method, (reason) => {
      this.settle(true, reason);
      this.onGivenUp?.(reason);
    });
  }

  get isLimited(): boolean {
    return this.#wait !== undefined;
  }
  get deadline(): number | undefined {
    return this.#wait?.deadline;
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
    this.begin = undefined;
    this.#wait?.stop();
    if (isRejected) rejectAwaited(this.#resolve, this.#reject, value);
    else this.#resolve(value);
  }
}

/** A part of a result. */
class Part implements PromiseLink {
  isHeld = false;
  readonly clock: Clock | undefined;
  readonly #whole: PromiseLink | undefined;
  readonly #key: string | number;

  constructor(whole: PromiseLink | undefined, key: string | number) {
    this.clock = whole?.clock;
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

/** Calls the result of `promise`, which is there; for `outer`, if anybody waits for the answer. */
function callValue(
  promise: Untied,
  value: unknown,
  method: string,
  args: readonly unknown[],
  options: CheckedOptions,
  outer?: Follower,
): Promise<unknown> {
  if (isRemote(value, method)) {
    const inner = outer === undefined ? options : passedOn(options, outer);
    return RemoteHandle.callInLine(value, promise, method, args, inner);
  }
  if (value instanceof Referenceable) return callOwn(promise, value, method, args, outer);
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
  outer: Follower | undefined,
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
  const isLimited = outer?.isLimited === true;
  return await new Promise((resolve) => {
    inLaterTurn(() => {
      begin();
      // Given up before its turn, it is not called at all; what has begun is told by its context's signal.
      if (isLimited && outer.settled() !== undefined) return;
      const deadline = isLimited ? outer.deadline : undefined;
      const time = deadline === undefined ? undefined : { deadline, clock: outer?.clock ?? systemClock };
      const context = localContext(method, isLimited, time);
      if (isLimited) outer.onGivenUp = (reason) => context.abort(reason);
      resolve(callLocally(object, method, values, context));
    });
  });
}

function callValueOnly(
  promise: Untied,
  value: unknown,
  method: string,
  args: readonly unknown[],
  options: CheckedOptions,
): void {
  if (isRemote(value, method)) RemoteHandle.callOnlyInLine(value, promise, method, args, options);
  else excuse(callValue(promise, value, method, args, options));
}

/** Calls a result when it is there. Also used where a call was to go out at once, and an argument cannot. */
export function callWhenThere(
  promise: Untied,
  method: string,
  args: readonly unknown[],
  options: CheckedOptions,
): RemotePromise<unknown> {
  const { clock } = RemotePromise.linkOf(promise as RemotePromise<unknown>) ?? {};
  const follower = new Follower(method, options, clock);
  if (follower.settled() !== undefined) return follower.promise;
  follower.begin = (value) => callValue(promise, value, method, args, options, follower);
  promise.then((value) => {
    const answer = follower.begin?.(value);
    if (answer instanceof RemotePromise) follower.inner = RemotePromise.linkOf(answer);
    return answer;
  }).then((value) => follower.settle(false, value), (reason) => follower.settle(true, reason));
  return follower.promise;
}

/** The same for a call that wants no answer. */
export function callOnlyWhenThere(
  promise: Untied,
  method: string,
  args: readonly unknown[],
  options: CheckedOptions,
): void {
  promise.then((value) => callValueOnly(promise, value, method, args, options)).catch(() => {});
}

/** The promise of a part of a result. */
function partOf(promise: Untied, key: string | number): RemotePromise<unknown> {
  if (typeof key !== "string" && !(Number.isSafeInteger(key) && key >= 0)) {
    throw new TypeError("Cannot take a part of a result: its key is neither text nor an index from 0 on");
  }
  excuse(promise);
  const part = new RemotePromise<unknown>((resolve, reject) => {
    promise.then((value) => resolve(partAt(value, [key], false)))
      .catch((reason) => rejectAwaited(resolve, reject, reason));
  });
  RemotePromise.tie(part, new Part(RemotePromise.linkOf(promise as RemotePromise<unknown>), key));
  return part;
}

/** Calls of a result that all have the same options. */
function callsOf(promise: Untied, options: CheckedOptions): object {
  const { call, callOnly } = CALLS;
  return {
    callRemote: (name: string, ...args: unknown[]) => call(promise, name, args, options),
    callRemoteOnly: (name: string, ...args: unknown[]) => callOnly(promise, name, args, options),
    callFunction: (...args: unknown[]) => call(promise, "", args, options),
    remote: methodsProxy((name, args) => call(promise, name, args, options)),
    get: (key: string | number) => {
      const part = partOf(promise, key);
      // The program never sees it.
      excuse(part);
      return callsOf(part, options);
    },
    with: (more: CallOptions) => callsOf(promise, checkCallOptions({ ...options, ...more })),
  };
}

const CALLS: PromiseCalls = {
  call(promise, method, args, options) {
    excuse(promise);
    const link = RemotePromise.linkOf(promise as RemotePromise<unknown>);
    const settled = link?.settled();
    if (settled?.isRejected === true) return rejected(settled.value);
    const place = settled === undefined && link?.isHeld !== true ? link?.place() : undefined;
    if (place === undefined) return callWhenThere(promise, method, args, options);
    return place.calls.callResult(promise, place, method, args, options);
  },
  callOnly(promise, method, args, options) {
    excuse(promise);
    const link = RemotePromise.linkOf(promise as RemotePromise<unknown>);
    const place = link?.settled() === undefined && link?.isHeld !== true ? link?.place() : undefined;
    if (place === undefined) callOnlyWhenThere(promise, method, args, options);
    else place.calls.callResultOnly(promise, place, method, args, options);
  },
  get: partOf,
  with: callsOf,
};
installPromiseCalls(CALLS);
