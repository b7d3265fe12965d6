/**
 * When a capability ends, and that it does.
 *
 * @module
 */

import { MAX_TIMER_MS } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";

/**
 * Until when: ISO 8601 text, of a duration from now such as `PT1H` or `P30D`, or of a time such as `2030-01-01T00:00:00Z`; a
 * `Date`; a number of milliseconds since 1970; a `Temporal.Duration` from now or a `Temporal.Instant`.
 */
export type ExpiryTime = string | number | Date | Temporal.Duration | Temporal.Instant;

/** The last time that a Date can tell, in milliseconds since 1970. */
const LAST = 8.64e15;

/**
 * The time in milliseconds since 1970.
 *
 * @param now What durations count from. Months and years are those of the calendar in UTC.
 * @throws {TypeError} If it is nothing of the kind.
 * @throws {RangeError} If a text is neither duration nor time, or it is not later than now, or no Date could tell it.
 */
export function expiryTime(expires: ExpiryTime, now: number): number {
  const at = timeOf(expires, now);
  if (!(Math.abs(at) <= LAST)) throw new RangeError("Cannot grant: expires is no time that a Date can tell");
  if (at <= now) {
    throw new RangeError(
      `Cannot grant: it would have expired at ${
        new Date(at).toISOString()
      }; give a time that is still to come`,
    );
  }
  return at;
}

function timeOf(expires: ExpiryTime, now: number): number {
  if (typeof expires === "number") return expires;
  if (typeof expires === "string") return timeOfText(expires, now);
  if (expires instanceof Date) return expires.getTime();
  if (expires instanceof Temporal.Instant) return expires.epochMilliseconds;
  if (expires instanceof Temporal.Duration) return later(expires, now);
  throw new TypeError(
    "Cannot grant: expires is neither text, a Date, a number of milliseconds since 1970, nor one of Temporal's",
  );
}

function timeOfText(text: string, now: number): number {
  try {
    return /^[+-]?P/i.test(text)
      ? later(Temporal.Duration.from(text), now)
      : Temporal.Instant.from(text).epochMilliseconds;
  } catch (cause) {
    throw new RangeError(
      `Cannot grant: expires is ${
        quoteForeign(text, 64)
      }; give a duration such as "PT1H", or a time with its zone ` +
        `such as "2030-01-01T00:00:00Z"`,
      { cause },
    );
  }
}

function later(duration: Temporal.Duration, now: number): number {
  try {
    return Temporal.Instant.fromEpochMilliseconds(Math.floor(now)).toZonedDateTimeISO("UTC").add(duration)
      .epochMilliseconds;
  } catch (cause) {
    throw new RangeError("Cannot grant: expires is a duration that leads beyond what can be told", { cause });
  }
}

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
