/**
 * What a callee can know about the call that it serves, and which one that is.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";

/** The connection that a call came by, for the callee. */
export interface PeerInfo {
  /** The TubID that the peer has proved; `undefined` for a peer without a certificate. */
  readonly tubId: string | undefined;
  /** Where the peer is, for people: `tcp:127.0.0.1:4501`, or `loopback`. */
  readonly address: string;
}

/** Is told why nobody waits any more. Must not throw. */
type AbortCallback = (reason: unknown) => void;

/** Until when a call has time. */
export interface CallTime {
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** What tells how late it is. */
  readonly clock: Clock;
}

/**
 * What a method can know about the call that it serves: given to `doRemoteCall`, and by
 * {@linkcode currentCall} to a `remote_` method.
 */
export class CallContext {
  /** The TubID of the caller, as its certificate proves; `undefined` for a peer without one. */
  readonly caller: string | undefined;
  /** The connection that the call came by. */
  readonly connection: PeerInfo;
  /** The name of the method, without `remote_`. */
  readonly method: string;
  /**
   * Whether the caller may give the call up: a Tub of this library that called with a `signal` or a `timeoutMs`, or serves
   * such a call itself.
   */
  readonly isCancellable: boolean;
  /** An identifier that ties calls together, where the caller gave one. */
  readonly traceId: string | undefined = undefined;
  readonly #time: CallTime | undefined;
  #timer: Disposable | undefined;
  #controller: AbortController | undefined;
  /** Most calls that have one have no other: it stands for itself then. */
  #onAbort: AbortCallback | Set<AbortCallback> | undefined;
  #reason: unknown;
  #isAborted = false;
  #isOver = false;

  /** The context of a call. `time` is until when the caller waits, where it said so. */
  constructor(connection: PeerInfo, method: string, isCancellable: boolean, time?: CallTime) {
    this.connection = connection;
    this.caller = connection.tubId;
    this.method = method;
    this.isCancellable = isCancellable;
    this.#time = time;
  }

  /**
   * When the caller stops waiting, in milliseconds since 1970 by this machine's clock; `undefined` where it did not say so.
   * Callers that are Tubs of this library do, if they call with a `timeoutMs` or serve a call that has a deadline themselves.
   */
  get deadline(): number | undefined {
    return this.#time?.deadline;
  }

  /** How long the caller still waits, in milliseconds, not below 0; `undefined` where it did not say so. */
  get remainingMs(): number | undefined {
    return this.#time === undefined ? undefined : Math.max(0, this.#time.deadline - this.#time.clock.now());
  }

  /**
   * Fires when nobody waits for the result any more: with an `AbortError` if the caller has given the call up, with a
   * `TimeoutError` if its time is over, and with the error that ended the connection if that is gone. (`DOMException`s,
   * those two.) It does not fire when the call has been answered. What the method gives or throws after it has fired is
   * dropped; that only the time is over makes no such difference until the caller has said so.
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
      else if (this.#time !== undefined && !this.#isOver) this.#watchTime(this.#time);
    }
    return this.#controller.signal;
  }

  /** Whether the method has returned: what it has left running has no caller any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What the signal has fired with, or would have if somebody had asked for it. */
  get abortReason(): unknown {
    return this.#isAborted ? this.#reason : undefined;
  }

  /** Ends the wait for the result. Called by the broker. */
  abort(reason: unknown): void {
    if (this.#isAborted || this.#isOver) return;
    this.#isAborted = true;
    this.#reason = reason;
    this.#timer?.[Symbol.dispose]();
    const callbacks = this.#onAbort;
    this.#onAbort = undefined;
    this.#controller?.abort(reason);
    if (typeof callbacks === "function") callbacks(reason);
    else for (const callback of callbacks ?? []) callback(reason);
  }

  /** The method has returned. Called by the broker. */
  end(): void {
    this.#isOver = true;
    this.#timer?.[Symbol.dispose]();
    this.#onAbort = undefined;
  }

  /**
   * The context of the same call behind something that forwards it, and that can end it by itself: what aborts this one
   * has to be passed on, by {@linkcode CallContext.whenAborted}, and what aborts the new one does not touch this one.
   *
   * @param isCancellable Whether what is called for the new one ends with it, also if the caller can give nothing up.
   */
  derive(isCancellable: boolean = this.isCancellable): CallContext {
    return new CallContext(this.connection, this.method, isCancellable, this.#time);
  }

  /**
   * Calls back when the wait for the result ends before the call does. For calls that are made to serve this one: it costs
   * less than the signal. Must not throw.
   *
   * @returns What takes the callback back.
   */
  whenAborted(callback: (reason: unknown) => void): () => void {
    if (this.#isOver || this.#isAborted) return () => {};
    if (this.#onAbort === undefined) this.#onAbort = callback;
    else if (typeof this.#onAbort === "function") this.#onAbort = new Set([this.#onAbort, callback]);
    else this.#onAbort.add(callback);
    return () => {
      if (this.#onAbort === callback) this.#onAbort = undefined;
      else if (typeof this.#onAbort === "object") this.#onAbort.delete(callback);
    };
  }

  /** Only for those who ask: most methods never look. */
  #watchTime({ deadline, clock }: CallTime): void {
    const left = Math.max(0, deadline - clock.now());
    this.#timer = clock.setTimer(left, () => this.abort(callerTimedOut(this.method)));
  }
}

/** What a call's signal fires with when the caller has given it up. */
export function callerGaveUp(method: string): DOMException {
  return new DOMException(`The caller has given up ${nameOf(method)}`, "AbortError");
}

/** What a call's signal fires with when the caller's time is over. */
export function callerTimedOut(method: string): DOMException {
  return new DOMException(`The time of the caller of ${nameOf(method)} is over`, "TimeoutError");
}

/** A method's name came from the peer. */
function nameOf(method: string): string {
  return method === "" ? "a function" : quoteForeign(method, 100);
}

/** The call that is being served, as long as its method has not returned and not awaited anything. */
let current: CallContext | undefined;
/**
 * The call that is being served, also after an `await`: only of those that can be given up. It costs a call 1 µs, which is
 * a tenth of one in memory, and of the others nobody would inherit anything.
 */
const calls = new AsyncLocalStorage<CallContext | undefined>();

/**
 * The call that is being served. Read it at the beginning of a `remote_` method, before its first `await`: after that it is
 * still known of calls that their caller may give up ({@linkcode CallContext.isCancellable}), and of no others. Never is it
 * another call than the method's own. In what a method has left running when it returned, its `isOver` is true.
 *
 * Calls that are made by `callRemote` meanwhile, also after an `await`, serve the same purpose: when a call is given up they
 * are given up as well, and fail with its reason, and so they do when its connection is lost; they wait no longer than its
 * deadline, and tell their own callee so. When the method has returned, those that it left behind keep their deadline
 * and are not given up any more; those that it makes then have nothing to do with the call, nor have those that want no answer; `ref.with({ detached: true })` keeps others out of it.
 *
 * @returns `undefined` outside of a remote call.
 *
 * @example
 * ```ts
 * import { currentCall, Referenceable } from "../../mod.ts";
 *
 * class Door extends Referenceable {
 *   async remote_open() {
 *     const { caller, signal } = currentCall()!;
 *     await Promise.resolve(signal.aborted);
 *     return `opened for ${caller}`;
 *   }
 * }
 * new Door();
 * ```
 */
export function currentCall(): CallContext | undefined {
  return current ?? calls.getStore();
}

/** The call that one that is made now would serve; `undefined` if nobody can give anything up. */
export function parentCall(): CallContext | undefined {
  const context = current ?? calls.getStore();
  return context?.isCancellable === true && !context.isOver ? context : undefined;
}

/** Runs something for a call, which is the current one. */
export function runInCall<A, R>(context: CallContext, run: (argument: A) => R, argument: A): R {
  const before = current;
  current = context;
  try {
    if (context.isCancellable) return calls.run(context, run, argument);
    // Whoever has let this call have its turn may have served another one.
    return calls.getStore() === undefined ? run(argument) : calls.run(undefined, run, argument);
  } finally {
    current = before;
  }
}

/** Runs something that has nothing to do with the call that is being served, and outlives it. */
export function runOutsideCalls<R>(run: () => R): R {
  const before = current;
  current = undefined;
  try {
    return calls.run(undefined, run);
  } finally {
    current = before;
  }
}
