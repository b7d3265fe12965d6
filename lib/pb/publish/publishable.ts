/**
 * Objects whose copies outlive the connection, and where peers keep those copies.
 *
 * What is sent is only which object it is, and when its state last changed. A peer that has that state already, in a file or in
 * memory, needs no more; another one asks for it.
 *
 * Source: Twisted `spread/publish.py`, `Publishable`.
 *
 * @module
 */

import { type Clock, systemClock } from "../../util/clock.ts";
import { Float } from "../../values/float.ts";
import { Cacheable } from "../cache/cacheable.ts";
import type { RemoteCacheObserver } from "../cache/owned_caches.ts";
import { ViewPoint } from "../flavors/avatar.ts";

/** Keeps the files of {@linkcode RemotePublished} objects, by their names. */
export interface PublishedStorage {
  /** What was kept under a name; undefined if there is nothing. */
  load(name: string): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Keeps something under a name; what was there is replaced. */
  save(name: string, bytes: Uint8Array): unknown;
}

/** A longer file is not read. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;

/**
 * Keeps them as files of a folder, as Twisted does in the working directory. Needs the permissions to read and to write it.
 *
 * Servers name what they publish as they like, so a folder is for one server, or for those that trust each other.
 *
 * @example
 * ```ts ignore
 * import { pb } from "https://example.org/foolscap/mod.ts";
 *
 * class RemoteNews extends pb.RemotePublished {
 *   static override storage = new pb.FolderStorage("cache/news.example.org");
 * }
 * pb.setUnjellyableForClass("news.Bulletin", RemoteNews);
 * ```
 */
export class FolderStorage implements PublishedStorage {
  readonly #folder: string;

  /** @param folder Its path; it must be there. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads a file; undefined if there is none. @throws {Error} If it cannot be read. */
  async load(name: string): Promise<Uint8Array | undefined> {
    const path = `${this.#folder}/${fileNameOf(name)}`;
    try {
      const { size } = await Deno.stat(path);
      return size > MAX_FILE_BYTES ? undefined : await Deno.readFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Writes a file, whole or not at all. @throws {Error} If it cannot be written. */
  async save(name: string, bytes: Uint8Array): Promise<void> {
    const path = `${this.#folder}/${fileNameOf(name)}`;
    const draft = `${path}.${crypto.randomUUID()}`;
    await Deno.writeFile(draft, bytes, { createNew: true, mode: 0o600 });
    try {
      await Deno.rename(draft, path);
    } catch (error) {
      await Deno.remove(draft).catch(() => {});
      throw error;
    }
  }
}

/**
 * The name of a file for a name that a peer has chosen: the same where it is harmless, so that Twisted finds it too; what could lead
 * out of the folder, or is not allowed everywhere, is percent-encoded, and what is too long is cut and marked.
 */
export function fileNameOf(name: string): string {
  const safe = encodeURIComponent(name.toWellFormed())
    .replace(/^\./, "%2E")
    .replace(/[*'()!~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", " ")
    .replaceAll("%40", "@")
    .replaceAll("%2B", "+");
  if (safe.length <= 200) return safe;
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return `${safe.slice(0, 160)}%${hash.toString(16).padStart(16, "0")}.pub`;
}

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
    // Each time it is published gets another timestamp, even twice in one millisecond.
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
