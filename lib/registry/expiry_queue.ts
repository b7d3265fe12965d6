/**
 * What ends at some time, with one timer for the earliest.
 *
 * @module
 */

import { MAX_TIMER_MS } from "../limits.ts";
import type { Clock } from "../util/clock.ts";

/** Something that ends at a time. */
export interface Expiring {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Calls back for each thing when its time has come. The timer keeps no process alive. */
export class ExpiryQueue<T extends Expiring> {
  readonly #clock: Clock;
  readonly #onExpired: (item: T) => void;
  /** A binary heap: each one ends no later than those at twice its place and one, or two, more. */
  #heap: T[] = [];
  /** Those of the heap that still wait: never less than half of it. */
  readonly #waiting = new Set<T>();
  #timer: Disposable | undefined;
  #timerAt = Infinity;

  /** @param onExpired Must not throw. */
  constructor(clock: Clock, onExpired: (item: T) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** One more. */
  add(item: T): void {
    this.#waiting.add(item);
    this.#heap.push(item);
    this.#up(this.#heap.length - 1);
    this.#wait();
  }

  /** One has ended in another way. One that does not wait is fine. */
  remove(item: T): void {
    if (!this.#waiting.delete(item) || this.#waiting.size * 2 >= this.#heap.length) return;
    this.#heap = [...this.#waiting];
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#down(i);
    this.#wait();
  }

  /** Forgets all. */
  clear(): void {
    this.#heap = [];
    this.#waiting.clear();
    this.#wait();
  }

  #wait(): void {
    const due = this.#heap[0]?.expiresAt ?? Infinity;
    if (due === this.#timerAt && this.#timer !== undefined) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#timerAt = due;
    if (due === Infinity) return;
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(0, due - this.#clock.now()));
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#expire();
    });
  }

  #expire(): void {
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.expiresAt <= now; first = this.#heap[0]) {
      this.#takeFirst();
      if (this.#waiting.delete(first)) this.#onExpired(first);
    }
    this.#wait();
  }

  #takeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(i: number): void {
    const heap = this.#heap;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent]!.expiresAt <= heap[i]!.expiresAt) return;
      [heap[parent], heap[i]] = [heap[i]!, heap[parent]!];
      i = parent;
    }
  }

  #down(i: number): void {
    const heap = this.#heap;
    for (;;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && heap[child]!.expiresAt < heap[least]!.expiresAt) least = child;
      }
      if (least === i) return;
      [heap[least], heap[i]] = [heap[i]!, heap[least]!];
      i = least;
    }
  }
}
