/**
 * Objects of ours of which the peer of one connection keeps a copy: by number, counted.
 *
 * Source: Twisted `spread/pb.py`, `Broker.cacheRemotely`, `cachedRemotelyAs`, `proto_decache`.
 *
 * @module
 */

import { toError } from "../../errors.ts";
import type { Patience } from "../broker/local_table.ts";
import { type Observed, type ObserverHost, RemoteCacheObserver } from "./observer.ts";

/** What an object of ours must have to be kept in step. */
export interface CachedObject {
  processUniqueID(): unknown;
  stoppedObserving(perspective: object | undefined, observer: RemoteCacheObserver): unknown;
}

/** What {@linkcode OwnedCaches} need of their connection. */
export interface OwnedHost extends ObserverHost {
  readonly patience: Patience;
  readonly maxReferences: number;
  /** The next number, which is shared with references. */
  nextId(): number;
  /** Sends a message of a word and a number. */
  send(word: string, id: number): void;
}

/** One life of an object at the peer. */
export class OwnedCache implements Observed {
  /** How many times the object was sent and not given back. */
  count = 1;
  /** Whether its owner was asked for the state, and so knows the observer. */
  isObserved = false;
  /** The peer holds nothing any more; the owner is being told. */
  isEnding = false;
  isOver = false;
  readonly observer: RemoteCacheObserver;

  constructor(
    host: ObserverHost,
    readonly id: number,
    readonly object: CachedObject,
    /** What tells the object from others, as it was when it was sent. */
    readonly unique: unknown,
    readonly perspective: object | undefined,
  ) {
    this.observer = new RemoteCacheObserver(host, this);
  }
}

/** The objects of one connection that the peer caches. */
export class OwnedCaches {
  readonly #byId = new Map<number, OwnedCache>();
  readonly #byUnique = new Map<unknown, OwnedCache>();
  readonly #host: OwnedHost;

  /** None yet. */
  constructor(host: OwnedHost) {
    this.#host = host;
  }

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** The object of a number. */
  get(id: number): CachedObject | undefined {
    return this.#byId.get(id)?.object;
  }

  /** Counts an object that the peer has already once more; undefined if it has not. */
  again(object: CachedObject): OwnedCache | undefined {
    const owned = this.#byUnique.get(object.processUniqueID());
    // While its owner is told that it is given up, the next life begins with another number.
    if (owned === undefined || owned.isEnding) return undefined;
    owned.count++;
    return owned;
  }

  /**
   * Gives a number to an object that is about to be sent whole.
   *
   * @throws {PbError} If there are too many.
   */
  begin(object: CachedObject, perspective: object | undefined): OwnedCache {
    const { patience, maxReferences } = this.#host;
    if (this.#byId.size > maxReferences) throw patience.refuse("cache");
    const unique = object.processUniqueID();
    const owned = new OwnedCache(this.#host, this.#host.nextId(), object, unique, perspective);
    this.#byId.set(owned.id, owned);
    this.#byUnique.set(unique, owned);
    return owned;
  }

  /** A message that had the object in it was not sent: {@linkcode OwnedCaches.begin} is taken back. */
  abandon(owned: OwnedCache): void {
    this.#forget(owned);
    owned.isOver = true;
    if (owned.isObserved) this.#tell(owned);
  }

  /**
   * The peer gives up one copy. After the last one the owner is told, to whom the copy can still be reached then.
   *
   * @returns Whether there was one.
   */
  release(id: number): boolean {
    const owned = this.#byId.get(id);
    if (owned === undefined || owned.isEnding) return false;
    if (--owned.count > 0) return true;
    owned.isEnding = true;
    this.#tell(owned);
    owned.isOver = true;
    this.#forget(owned);
    this.#host.send("uncache", id);
    return true;
  }

  /** The connection is gone: every owner is told. */
  close(): void {
    const all = [...this.#byId.values()];
    this.#byId.clear();
    this.#byUnique.clear();
    for (const owned of all) {
      owned.isOver = true;
      if (!owned.isEnding && owned.isObserved) this.#tell(owned);
    }
  }

  #forget(owned: OwnedCache): void {
    this.#byId.delete(owned.id);
    if (this.#byUnique.get(owned.unique) === owned) this.#byUnique.delete(owned.unique);
  }

  #tell({ object, perspective, observer }: OwnedCache): void {
    const failed = (error: unknown) => this.#host.failed("stoppedObserving", toError(error));
    try {
      const result = object.stoppedObserving(perspective, observer);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
