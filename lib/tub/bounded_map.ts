/**
 * A memory that a stranger cannot make grow.
 *
 * @module
 */

/** A Map that forgets what was set longest ago when it is full. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #max: number;

  /** @param max Entries that are kept, 1 or more. */
  constructor(max: number) {
    this.#max = max;
  }

  /** What was set, unless it was forgotten. */
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Sets a value; it is now the youngest. */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#max) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest!);
  }
}
