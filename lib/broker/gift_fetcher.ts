/**
 * Fetching objects of third Tubs that a message speaks of: so many at once, and each within so much time.
 *
 * Source: Foolscap `referenceable.py`, `TheirReferenceUnslicer`. There, only connecting has an end; a third Tub that
 * is silent afterwards holds up the connection with the giver for ever.
 *
 * @module
 */

import { ProtocolError, toError, UnreachableError } from "../errors.ts";
import type { Pending } from "../graph/pending.ts";
import type { Clock } from "../util/clock.ts";
import type { RemoteHandle } from "./remote_handle.ts";

/** What a {@linkcode GiftFetcher} needs. */
export interface GiftFetcherOptions {
  /** Gifts that are fetched at once; those behind them wait. */
  readonly max: number;
  /** Memory that all of them may take, in bytes. */
  readonly maxBytes: number;
  /** For each, in milliseconds from its arrival. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Gets the object of a FURL. `signal` fires when nobody waits for it any more. */
  acquire(furl: string, signal: AbortSignal): Promise<RemoteHandle>;
  /** A gift has been fetched, or will not be. Not called for those that {@linkcode GiftFetcher.close} ends. Must not throw. */
  onEnd(giftId: number): void;
}

/** One gift, besides its FURL: measured, rounded up. */
const GIFT_BYTES = 1_000;

interface Fetch {
  readonly giftId: number;
  readonly furl: string;
  readonly pending: Pending;
  /** When its time is over, in milliseconds since 1970. */
  readonly due: number;
  readonly timer: Disposable;
  /** Stops it; `undefined` while it waits for its turn. */
  stop: AbortController | undefined;
}

/** Fetches gifts. */
export class GiftFetcher {
  readonly #options: GiftFetcherOptions;
  /** All that have not ended. */
  readonly #fetches = new Set<Fetch>();
  /** Those that wait for their turn, from `#head` on; some may have ended meanwhile. */
  #queue: Fetch[] = [];
  #head = 0;
  #running = 0;
  #bytes = 0;

  /** Nothing to fetch yet. */
  constructor(options: GiftFetcherOptions) {
    this.#options = options;
  }

  /** How many are being fetched, or wait for that. */
  get size(): number {
    return this.#fetches.size;
  }

  /**
   * Fetches an object into `pending`, which fails if that takes too long.
   *
   * @throws {ProtocolError} If those that have not been fetched take too much memory.
   */
  fetch(giftId: number, furl: string, pending: Pending): void {
    const { max, maxBytes, timeoutMs, clock, onEnd } = this.#options;
    const bytes = bytesOf(furl);
    if (this.#bytes + bytes > maxBytes) {
      throw new ProtocolError(`The peer has ${this.#fetches.size} gifts waiting to be fetched`);
    }
    const timer = clock.setTimer(timeoutMs, () => {
      if (!this.#fetches.has(fetch)) return;
      onEnd(giftId);
      const { stop } = fetch;
      const error = new UnreachableError(
        `Cannot fetch a gift: its Tub did not give it within ${timeoutMs} ms`,
      );
      this.#end(fetch);
      pending.reject(error);
      stop?.abort(error);
    });
    const fetch: Fetch = { giftId, furl, pending, due: clock.now() + timeoutMs, timer, stop: undefined };
    this.#fetches.add(fetch);
    this.#bytes += bytes;
    if (this.#running < max) this.#start(fetch);
    else this.#queue.push(fetch);
  }

  /** Gives everything up: nobody waits any more. */
  close(reason: Error): void {
    const fetches = [...this.#fetches];
    this.#fetches.clear();
    this.#queue = [];
    this.#head = this.#running = this.#bytes = 0;
    for (const { timer, pending, stop } of fetches) {
      timer[Symbol.dispose]();
      pending.reject(reason);
      stop?.abort(reason);
    }
  }

  #start(fetch: Fetch): void {
    const { acquire, onEnd } = this.#options;
    const { giftId, furl, pending } = fetch;
    fetch.stop = new AbortController();
    this.#running++;
    Promise.try(acquire, furl, fetch.stop.signal).then((reference) => {
      if (!this.#end(fetch)) return;
      onEnd(giftId);
      pending.resolve(reference);
    }, (error) => {
      if (!this.#end(fetch)) return;
      onEnd(giftId);
      pending.reject(toError(error));
    });
  }

  #end(fetch: Fetch): boolean {
    if (!this.#fetches.delete(fetch)) return false;
    fetch.timer[Symbol.dispose]();
    this.#bytes -= bytesOf(fetch.furl);
    if (fetch.stop !== undefined) {
      this.#running--;
      this.#startNext();
    }
    return true;
  }

  /** Begins the next one that has not run out of time: what came together ends together. */
  #startNext(): void {
    const now = this.#options.clock.now();
    while (this.#head < this.#queue.length) {
      const next = this.#queue[this.#head++]!;
      if (!this.#fetches.has(next) || next.due <= now) continue;
      this.#start(next);
      break;
    }
    if (this.#head * 2 < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}

function bytesOf(furl: string): number {
  return GIFT_BYTES + furl.length;
}
