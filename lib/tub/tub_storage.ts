/**
 * Values with references as bytes, for a Tub: {@linkcode Tub.serialize} and {@linkcode Tub.unserialize}.
 *
 * Source: Foolscap `pb.py`, `Tub.serialize`; `broker.py`, `StorageBroker`.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { GiftFetcher } from "../broker/gift_fetcher.ts";
import type { RemoteHandle } from "../broker/remote_handle.ts";
import { storedReferenceSlicers, storedReferenceUnslicers } from "../broker/stored_references.ts";
import { DeadReferenceError } from "../errors.ts";
import { serializeBy, unserializeBy } from "../graph/storage.ts";
import { BASE_SLICERS, BASE_UNSLICERS } from "../graph/tables.ts";
import type { Limits } from "../limits.ts";
import type { Clock } from "../util/clock.ts";

/** What a {@linkcode TubStorage} needs. */
export interface TubStorageOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  /** The FURL of an object of the Tub. */
  furlOf(object: Publishable): string | undefined;
  /** Gets the object of a FURL. */
  acquire(furl: string, signal: AbortSignal): Promise<RemoteHandle>;
}

/** Writes and reads values with references. */
export class TubStorage {
  readonly #options: TubStorageOptions;
  /** What is being read. */
  readonly #fetchers = new Set<GiftFetcher>();

  /** Storage for one Tub. */
  constructor(options: TubStorageOptions) {
    this.#options = options;
  }

  /** See {@linkcode Tub.serialize}. */
  serialize(value: unknown): Uint8Array {
    return serializeBy(BASE_SLICERS.extend(storedReferenceSlicers(this.#options.furlOf)), value);
  }

  /** See {@linkcode Tub.unserialize}. */
  async unserialize(bytes: Uint8Array): Promise<unknown> {
    const { limits, clock, acquire } = this.#options;
    const fetcher = new GiftFetcher({
      max: limits.maxPendingGifts,
      maxBytes: limits.maxMessageBytes,
      timeoutMs: limits.maxGiftMs,
      clock,
      acquire,
      onEnd: () => {},
    });
    const unslicers = BASE_UNSLICERS.extend(
      storedReferenceUnslicers({ fetchGift: (id, furl, pending) => fetcher.fetch(id, furl, pending) }),
    );
    this.#fetchers.add(fetcher);
    try {
      return await unserializeBy(unslicers, bytes, { limits });
    } finally {
      this.#fetchers.delete(fetcher);
      fetcher.close(new DeadReferenceError("The bytes could not be read"));
    }
  }
  /** Gives up what is being read: the Tub has been stopped, whatever its gift policy is waiting for. */
  stop(): void {
    const reason = new DeadReferenceError("Cannot unserialize: the Tub has been stopped");
    for (const fetcher of this.#fetchers) fetcher.close(reason);
  }
}
