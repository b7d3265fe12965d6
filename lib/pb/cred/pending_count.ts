/**
 * How much is being done at once.
 *
 * @module
 */

/** Counts what has begun and is not over, up to a limit. */
export class PendingCount {
  readonly #max: number;
  #count = 0;

  /** Nothing yet. */
  constructor(max: number) {
    this.#max = max;
  }

  /** How much there is. */
  get count(): number {
    return this.#count;
  }

  /** Whether there can be no more. */
  get isFull(): boolean {
    return this.#count >= this.#max;
  }

  /**
   * Something begins.
   *
   * @returns Disposing it says that it is over; more than once is harmless.
   */
  begin(): Disposable {
    this.#count++;
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#count--;
      },
    };
  }
}
