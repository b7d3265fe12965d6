/**
 * Objects whose copies outlive the connection.
 *
 * What is sent is who they are and since when they are as they are; what they hold is asked for by peers that have not got it.
 *
 * Source: Twisted `spread/publish.py`, `Publishable`.
 *
 * @module
 */

import { type Clock, systemClock } from "../../util/clock.ts";
import { Float } from "../../values/float.ts";
import { Cacheable } from "../cache/cacheable.ts";
import type { RemoteCacheObserver } from "../cache/observer.ts";
import { ViewPoint } from "../flavors/avatar.ts";

/** What a {@linkcode Publishable} can be given. */
export interface PublishableOptions {
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/**
 * An object that changes rarely, and of which peers keep copies on their disks. The peer registers a {@linkcode RemotePublished} for
 * its tag.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 *
 * class Bulletin extends pb.Publishable {
 *   static override copytype = "news.Bulletin";
 *   constructor(public headline: string) {
 *     super("bulletin");
 *   }
 *   override getStateToPublish() {
 *     return { headline: this.headline };
 *   }
 * }
 * const bulletin = new Bulletin("frogs jump in");
 * bulletin.headline = "sound of water";
 * bulletin.republish();
 * ```
 */
export abstract class Publishable extends Cacheable {
  /** What tells it from others of the same server: a part of the name of a file at the peer. */
  readonly publishedID: string;
  readonly #clock: Clock;
  #timestamp = 0;

  /** An object that is published now. */
  constructor(publishedID: string, options: PublishableOptions = {}) {
    super();
    this.publishedID = publishedID;
    this.#clock = options.clock ?? systemClock;
    this.republish();
  }

  /** When it was last published, in seconds since 1970-01-01T00:00Z. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** Says that it has changed: whoever gets it from now on asks for the state. Those who have it are not told. */
  republish(): void {
    // Two in one millisecond are two.
    this.#timestamp = Math.max(this.#clock.now() / 1_000, this.#timestamp + 0.001);
  }

  /** A peer asks for the state. */
  view_getStateToPublish(perspective: object | undefined): unknown {
    return this.getStateToPublishFor(perspective);
  }

  /** The state for one peer. By default what {@linkcode Publishable.getStateToPublish} returns. */
  getStateToPublishFor(_perspective: object | undefined): unknown {
    return this.getStateToPublish();
  }

  /** The state: a dictionary whose names become properties at the peer. It can be stored, so it has no references. */
  abstract getStateToPublish(): unknown;

  /**
   * For whom a peer keeps its copy: parts of the name of its file. By default the `perspectiveName` of the avatar and the
   * `serviceName` of what its `getService()` returns, which avatars of old had; `None` is none.
   */
  getNamesFor(perspective: unknown): { readonly perspective: string; readonly service: string } {
    const { perspectiveName, getService } = (perspective ?? {}) as {
      perspectiveName?: unknown;
      getService?: unknown;
    };
    const service: unknown = typeof getService === "function" ? getService.call(perspective) : undefined;
    const { serviceName } = (service ?? {}) as { serviceName?: unknown };
    return {
      perspective: typeof perspectiveName === "string" ? perspectiveName : "None",
      service: typeof serviceName === "string" ? serviceName : "None",
    };
  }

  /** Who it is, since when it is as it is, and where its state can be asked for. */
  override getStateToCacheAndObserveFor(perspective: unknown, _observer: RemoteCacheObserver): unknown {
    const names = this.getNamesFor(perspective);
    return {
      remote: new ViewPoint((perspective ?? undefined) as object | undefined, this),
      publishedID: this.publishedID,
      perspective: names.perspective,
      service: names.service,
      timestamp: new Float(this.#timestamp),
    };
  }
}
