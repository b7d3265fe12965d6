/**
 * A gate that lets only so many through at once.
 *
 * @module
 */

/** Lets a number of tasks run at once; others wait, in the order in which they came. */
export class Gate {
  readonly #max: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  /** @param max Tasks at once, 1 or more. */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many are inside. */
  get inside(): number {
    return this.#inside;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Goes through.
   *
   * @param signal Ends the waiting.
   * @returns When there is room. Disposing it leaves; more than once is harmless.
   * @throws The reason of `signal`.
   */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#inside < this.#max) this.#inside++;
    else await this.#wait(signal);
    let isInside = true;
    return {
      [Symbol.dispose]: () => {
        if (isInside) this.#leave();
        isInside = false;
      },
    };
  }

  /** Resolves when whoever leaves has handed its room over. */
  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(onRoom);
        reject(signal.reason);
      };
      const onRoom = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(onRoom);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#inside--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
