/**
 * Callbacks for the end of a connection: each once, in a later turn, none able to hurt another.
 *
 * @module
 */

import type { Trace } from "../util/trace.ts";
import { inLaterTurn } from "../util/eventual.ts";
import { runCallback } from "../util/run_callback.ts";

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
    runCallback(
      callback,
      (error) => this.#trace({ type: "callback-failed", where: "notifyOnDisconnect", error }),
    );
  }
}
