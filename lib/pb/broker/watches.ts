/**
 * Callbacks for one event: that a connection is lost.
 *
 * @module
 */

import { runCallback } from "../../util/run_callback.ts";

/** Told of what a callback of the program throws. Must not throw. */
export type CallbackFailed = (where: string, error: Error) => void;

/** The callbacks of one event, in the order in which they were added. */
export class Watches {
  readonly #callbacks = new Map<object, () => unknown>();
  readonly #failed: CallbackFailed;
  #hasHappened = false;

  /** No callbacks; what one throws goes to `failed`. */
  constructor(failed: CallbackFailed) {
    this.#failed = failed;
  }

  /**
   * Adds a callback, to be run at the event; at once, if it has happened.
   *
   * @returns Disposing it takes the callback back.
   */
  add(callback: () => unknown): Disposable {
    const watch: Disposable = { [Symbol.dispose]: () => void this.#callbacks.delete(watch) };
    if (this.#hasHappened) this.#run(callback);
    else this.#callbacks.set(watch, callback);
    return watch;
  }

  /** The event has happened. */
  fire(): void {
    this.#hasHappened = true;
    for (const [watch, callback] of this.#callbacks) {
      this.#callbacks.delete(watch);
      this.#run(callback);
    }
  }

  #run(callback: () => unknown): void {
    runCallback(callback, (error) => this.#failed("notifyOnDisconnect", error));
  }
}
