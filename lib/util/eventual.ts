/**
 * Turns of the event loop, and what is called in a later one.
 *
 * Eventual sends: what is to be done later, in order, and away from the stack of who asks for it.
 *
 * Of Foolscap's other helpers JavaScript has its own: a promise for a Deferred, `Promise.withResolvers()` for `makePromise`
 * and for a OneShotObserverList, `Promise.all` for an AsyncAND.
 *
 * Source: Foolscap `eventual.py`.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { toError } from "../errors.ts";

/**
 * Runs something in a later turn of the event loop, after what is ready to be read has been looked at.
 *
 * What `run` throws is its own affair: it must not throw.
 */
export function inLaterTurn(run: () => void): void {
  setImmediate(run);
}

let queue: (() => unknown)[] = [];
let isScheduled = false;
const waiting: (() => void)[] = [];

/**
 * Calls a function in a later turn of the event loop: not before all that is on the stack, and all promises that are
 * settled, are done with. Calls run in the order in which they were asked for; those that are asked for by such a call
 * run in the turn after it.
 *
 * A call that throws, or whose promise is rejected, hurts no other one and does not end the process: the error is
 * dispatched to `globalThis` as a cancelable `error` event of class `ErrorEvent`, where
 * `addEventListener("error", ...)` hears of it.
 *
 * Foolscap: `eventually`, which logs the error.
 *
 * @example
 * ```ts
 * import { eventually, flushEventualQueue } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * const seen: number[] = [];
 * eventually((n: number) => seen.push(n), 1);
 * eventually((n: number) => seen.push(n), 2);
 * assert.deepEqual(seen, []);
 * await flushEventualQueue();
 * assert.deepEqual(seen, [1, 2]);
 * ```
 */
export function eventually<A extends readonly unknown[]>(call: (...args: A) => unknown, ...args: A): void {
  if (typeof call !== "function") throw new TypeError("Cannot call eventually: it is not a function");
  add(() => call(...args));
}

/**
 * A promise that is fulfilled in a later turn of the event loop, in order with {@linkcode eventually}.
 *
 * @param value What it is fulfilled with.
 */
export function fireEventually(): Promise<undefined>;
/** A promise of `value` for a later turn. */
export function fireEventually<T>(value: T): Promise<Awaited<T>>;
export function fireEventually(value?: unknown): Promise<unknown> {
  // A promise that is rejected before its turn has been heard of: by who gets the one made here.
  if (value instanceof Promise) value.catch(() => {});
  return new Promise((resolve) => add(() => resolve(value)));
}

/**
 * Waits until nothing is queued by {@linkcode eventually}, nor by what it calls: for the end of a test. It does not wait
 * for promises that the calls give.
 */
export function flushEventualQueue(): Promise<void> {
  if (!isScheduled) return Promise.resolve();
  return new Promise((resolve) => waiting.push(resolve));
}

function add(run: () => unknown): void {
  queue.push(run);
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  inLaterTurn(runQueue);
}

function runQueue(): void {
  const calls = queue;
  queue = [];
  for (const call of calls) {
    try {
      const result = call();
      if (result instanceof Promise) result.catch(report);
    } catch (error) {
      report(error);
    }
  }
  isScheduled = false;
  if (queue.length > 0) return schedule();
  for (const resolve of waiting.splice(0)) resolve();
}

function report(thrown: unknown): void {
  const error = toError(thrown);
  globalThis.dispatchEvent(
    new ErrorEvent("error", { error, message: messageOf(error), cancelable: true }),
  );
}

function messageOf(error: Error): string {
  try {
    return String(error.message);
  } catch {
    // An error whose own code fails is told all the same.
    return "";
  }
}
