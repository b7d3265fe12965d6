/**
 * What one reader has not read yet of a registry's events: a ring of some size, and a count of what it lost.
 *
 * @module
 */

import type { CapabilityEvent } from "./capability_event.ts";

/** Options of {@linkcode CapabilityRegistry.events}. */
export interface EventOptions {
  /**
   * How many events wait to be read; the oldest one makes room for one more, and is counted as dropped.
   *
   * @default 1_000
   */
  readonly capacity?: number | undefined;
  /**
   * Only those of capabilities with this label.
   *
   * @default all
   */
  readonly label?: string | undefined;
  /**
   * Only those of this capability: it, or its `id`.
   *
   * @default all
   */
  readonly capability?: number | { readonly id: number } | undefined;
}

/**
 * The events of a registry from here on, for one reader: `for await (const event of registry.events())`. It ends with the
 * registry, when what is left has been read, and by being disposed.
 */
export class CapabilityEvents implements AsyncIterableIterator<CapabilityEvent, undefined>, Disposable {
  readonly #ring: (CapabilityEvent | undefined)[] = [];
  readonly #capacity: number;
  readonly #onClosed: (events: CapabilityEvents) => void;
  #first = 0;
  #size = 0;
  #dropped = 0;
  #isClosed = false;
  readonly #waiting = new Set<(result: IteratorResult<CapabilityEvent, undefined>) => void>();

  /** Use {@linkcode CapabilityRegistry.events}. */
  constructor(capacity: number, onClosed: (events: CapabilityEvents) => void) {
    this.#capacity = capacity;
    this.#onClosed = onClosed;
  }

  /** How many events had to go before they were read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many events wait to be read. */
  get size(): number {
    return this.#size;
  }

  /** One more event. Called by the registry. */
  push(event: CapabilityEvent): void {
    if (this.#isClosed) return;
    for (const reader of this.#waiting) {
      this.#waiting.delete(reader);
      return reader({ value: event, done: false });
    }
    if (this.#size === this.#capacity) {
      this.#ring[this.#first] = event;
      this.#first = (this.#first + 1) % this.#capacity;
      this.#dropped++;
      return;
    }
    this.#ring[(this.#first + this.#size++) % this.#capacity] = event;
  }

  /** No more events come; those that wait can still be read. */
  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const reader of this.#waiting) reader({ value: undefined, done: true });
    this.#waiting.clear();
    this.#onClosed(this);
  }

  /** The next event, as soon as there is one. */
  next(): Promise<IteratorResult<CapabilityEvent, undefined>> {
    if (this.#size > 0) {
      const value = this.#ring[this.#first]!;
      this.#ring[this.#first] = undefined;
      this.#first = (this.#first + 1) % this.#capacity;
      this.#size--;
      return Promise.resolve({ value, done: false });
    }
    if (this.#isClosed) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => void this.#waiting.add(resolve));
  }

  /** Reads no more. */
  return(): Promise<IteratorResult<CapabilityEvent, undefined>> {
    this[Symbol.dispose]();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Itself: several loops share what comes. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Reads no more, and lets go of what was not read. */
  [Symbol.dispose](): void {
    this.#ring.length = this.#size = this.#first = 0;
    this.end();
  }
}
