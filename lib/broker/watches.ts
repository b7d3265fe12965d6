/**
 * Callbacks for the end of a connection: each once, in a later turn, none able to hurt another.
 *
 * @module
 */

import { toError } from "../errors.ts";
import type { Trace } from "../util/trace.ts";
import { inLaterTurn } from "../util/eventual.ts";

/** The callbacks that wait for one event. */
export class Watches {
  readonly #callbacks = new Map<object, () => void>();
  readonly #trace: Trace;

  /** No callbacks; what one throws goes to `trace`. */
  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /**
   * Adds a callback, to be run at the event, or in the next turn if it `hasHappened`.
   *
   * @returns Disposing it takes the callback back.
   */
  add(callback: () => void, hasHappened: boolean): Disposable {
    const watch: Disposable = { [Symbol.dispose]: () => void this.#callbacks.delete(watch) };
    this.#callbacks.set(watch, callback);
    if (hasHappened) inLaterTurn(() => this.#run(watch));
    return watch;
  }

  /** The event has happened. */
  fire(): void {
    for (const watch of this.#callbacks.keys()) inLaterTurn(() => this.#run(watch));
  }

  #run(watch: object): void {
    const callback = this.#callbacks.get(watch);
    if (callback === undefined || !this.#callbacks.delete(watch)) return;
    try {
      const result: unknown = callback();
      // An async callback is a callback too.
      if (result instanceof Promise) result.catch((error) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#trace({ type: "callback-failed", where: "notifyOnDisconnect", error: toError(error) });
  }
}
