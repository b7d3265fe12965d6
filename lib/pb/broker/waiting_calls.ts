/**
 * Calls of ours that have not been answered.
 *
 * @module
 */

/** A call that waits. */
export interface WaitingCall {
  /** The method's name, for people. */
  readonly method: string;
  /** On whose behalf it was made. */
  readonly perspective: object | undefined;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The calls of one connection, by their number. */
export class WaitingCalls {
  readonly #calls = new Map<number, WaitingCall>();
  #lastId = 0;

  /** How many there are. */
  get size(): number {
    return this.#calls.size;
  }

  /** The next number: Twisted counts from 1, calls without answer included. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** A call was sent. */
  add(id: number, call: WaitingCall): void {
    this.#calls.set(id, call);
  }

  /** Takes out the call that has been answered; `undefined` if there is none of that number. */
  take(id: unknown): WaitingCall | undefined {
    if (typeof id !== "number") return undefined;
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  /** Fails all of them. */
  close(why: () => Error): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(why());
  }
}
