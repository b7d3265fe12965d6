/**
 * Which of the objects that are being written the receiver can refer to already.
 *
 * A tuple, or a Copyable, exists for its receiver only when its sequence has ended; and a tuple with an element that
 * does not exist yet waits for that one. Whoever gets such an element has only a promise of it.
 *
 * @module
 */

import { Violation } from "../errors.ts";

const NOTHING: ReadonlySet<object> = new Set();

/** The objects of one message that are not there yet. */
export class Readiness {
  // Of those that have ended, what they wait for: each is still open. Of those that are open, nothing.
  readonly #incomplete = new Map<object, Set<object> | undefined>();
  // Of those that are open, who waits for them.
  readonly #waiting = new Map<object, Set<object>>();

  /** Whether the receiver has only a promise of an object. */
  isIncomplete(object: object): boolean {
    return this.#incomplete.has(object);
  }

  /** The sequence of an object begins. */
  begin(object: object): void {
    this.#incomplete.set(object, undefined);
  }

  /** What has to end before an incomplete object is there. */
  waitsOf(object: object): Iterable<object> {
    return this.#incomplete.get(object) ?? [object];
  }

  /**
   * The sequence of an object ends.
   *
   * @param waits What its elements wait for.
   * @returns Whether the object waits too.
   * @throws {Violation} If it waits for itself.
   */
  end(object: object, waits: ReadonlySet<object> = NOTHING): boolean {
    if (waits.has(object)) throw new Violation("Cannot serialize a tuple that is an element of itself");
    const waiting = this.#waiting.get(object) ?? NOTHING;
    this.#waiting.delete(object);
    for (const other of waiting) {
      this.#incomplete.get(other)?.delete(object);
      this.#wait(other, waits);
    }
    this.#wait(object, waits);
    return waits.size > 0;
  }

  /** An object that has ended waits for these too; with nothing to wait for it is there. */
  #wait(object: object, waits: ReadonlySet<object>): void {
    const own = this.#incomplete.get(object) ?? new Set();
    for (const other of waits) {
      own.add(other);
      let waiting = this.#waiting.get(other);
      if (waiting === undefined) this.#waiting.set(other, waiting = new Set());
      waiting.add(object);
    }
    if (own.size > 0) this.#incomplete.set(object, own);
    else this.#incomplete.delete(object);
  }
}
