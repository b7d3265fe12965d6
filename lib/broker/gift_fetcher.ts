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
  /** Gifts that are fetched at once. */
  readonly max: number;
  /** For each, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Gets the object of a FURL. `signal` fires when nobody waits for it any more. */
  acquire(furl: string, signal: AbortSignal): Promise<RemoteHandle>;
  /** A gift has been fetched, or will not be. Not called for those that {@linkcode GiftFetcher.close} ends. Must not throw. */
  onEnd(giftId: number): void;
}

/** Fetches gifts. */
export class GiftFetcher {
  readonly #options: GiftFetcherOptions;
  /** What ends each of those that are under way. */
  readonly #running = new Set<(reason: Error) => void>();

  /** Nothing to fetch yet. */
  constructor(options: GiftFetcherOptions) {
    this.#options = options;
  }

  /** How many are being fetched. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Fetches an object into `pending`, which fails if that takes too long.
   *
   * @throws {ProtocolError} If there are too many already.
   */
  fetch(giftId: number, furl: string, pending: Pending): void {
    const { max, timeoutMs, clock, acquire, onEnd } = this.#options;
    if (this.#running.size >= max) {
      throw new ProtocolError(`The peer has ${this.#running.size} gifts waiting to be fetched`);
    }
    const stop = new AbortController();
    const giveUp = (reason: Error) => {
      if (!end()) return;
      pending.reject(reason);
      stop.abort(reason);
    };
    const timer = clock.setTimer(timeoutMs, () => {
      if (!this.#running.has(giveUp)) return;
      onEnd(giftId);
      giveUp(new UnreachableError(`Cannot fetch a gift: its Tub did not give it within ${timeoutMs} ms`));
    });
    const end = () => {
      timer[Symbol.dispose]();
      return this.#running.delete(giveUp);
    };
    this.#running.add(giveUp);
    Promise.try(acquire, furl, stop.signal).then((reference) => {
      if (!end()) return;
      onEnd(giftId);
      pending.resolve(reference);
    }, (error) => {
      if (!end()) return;
      onEnd(giftId);
      pending.reject(toError(error));
    });
  }

  /** Gives everything up: nobody waits any more. */
  close(reason: Error): void {
    for (const giveUp of this.#running) giveUp(reason);
  }
}
