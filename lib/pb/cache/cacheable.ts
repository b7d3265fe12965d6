/**
 * Objects that are copied once to each peer, and kept in step there.
 *
 * `(TAG number state)`, and then `(cached number)`
 *
 * Source: Twisted `spread/flavors.py`, `Cacheable`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { Copyable } from "../jelly/copyable.ts";
import type { Jellying } from "../jelly/invoker.ts";
import { cachesOf } from "./remote_cache.ts";
import type { CachedObject, RemoteCacheObserver } from "./owned_caches.ts";

/**
 * An object of which each peer keeps one copy: it is sent whole once on a connection, and what changes afterwards is told to the
 * observers. The peer says by `setUnjellyableForClass` which {@linkcode RemoteCache} becomes of it; one that it sends back
 * comes home as this object.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Pond extends pb.Cacheable {
 *   static override copytype = "docs.CachedPond";
 *   readonly #observers = new Set<pb.RemoteCacheObserver>();
 *   #ducks = ["one"];
 *   add(duck: string): void {
 *     this.#ducks.push(duck);
 *     for (const observer of this.#observers) observer.callRemoteOnly("add", duck);
 *   }
 *   override getStateToCacheAndObserveFor(_perspective: unknown, observer: pb.RemoteCacheObserver) {
 *     this.#observers.add(observer);
 *     return { ducks: this.#ducks };
 *   }
 *   override stoppedObserving(_perspective: unknown, observer: pb.RemoteCacheObserver) {
 *     this.#observers.delete(observer);
 *   }
 * }
 * class RemotePond extends pb.RemoteCache {
 *   declare ducks: string[];
 *   observe_add(duck: string): void {
 *     this.ducks.push(duck);
 *   }
 * }
 * pb.setUnjellyableForClass("docs.CachedPond", RemotePond);
 *
 * class Root extends pb.Root {
 *   readonly pond = new Pond();
 *   remote_pond(): Pond {
 *     return this.pond;
 *   }
 *   remote_ping(): void {}
 * }
 * const root = new Root();
 * await using server = await pb.serve(root, "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(server.address);
 * using pond = await client.getRootObject().callRemote("pond") as RemotePond;
 * root.pond.add("two");
 * await client.getRootObject().callRemote("ping");
 * assert.deepEqual(pond.ducks, ["one", "two"]);
 * ```
 */
export class Cacheable extends Copyable implements CachedObject {
  /** What tells this object from others: those of the same value are one object to a peer. By default: the object. */
  processUniqueID(): unknown {
    return this;
  }

  /**
   * The state that is sent whole. From now on the observer is to be told of every change: its calls go out after the state. By
   * default what {@linkcode Copyable.getStateToCopyFor} returns, and nothing is told.
   *
   * What it throws fails the call. If another part of the message cannot be sent, {@linkcode Cacheable.stoppedObserving} is
   * called.
   *
   * @param perspective On whose behalf it is sent, if that is known.
   * @param _observer The peer's copy.
   */
  getStateToCacheAndObserveFor(perspective: unknown, _observer: RemoteCacheObserver): unknown {
    return this.getStateToCopyFor(perspective);
  }

  /**
   * The peer has given up its last copy, or is gone. In the first case calls of the observer that are made before this
   * returns still reach the copy. By default does nothing. What it throws goes to the trace.
   *
   * @param _perspective What `getStateToCacheAndObserveFor` was given.
   * @param _observer The same.
   */
  stoppedObserving(_perspective: object | undefined, _observer: RemoteCacheObserver): unknown {
    return undefined;
  }

  /** Writes `(TAG number state)` the first time on a connection, and `(cached number)` after that; a copy for storage. */
  override jellyFor(jellier: Jellying): void {
    const caches = cachesOf(jellier.invoker);
    if (caches === undefined) return super.jellyFor(jellier);
    const { owned } = caches;
    const known = owned.again(this);
    if (known !== undefined) {
      jellier.onUndo(() => void owned.release(known.id));
      jellier.list(2);
      jellier.word("cached");
      return jellier.integer(known.id);
    }
    const perspective = jellier.perspective as object | undefined;
    const tag = this.getTypeToCopyFor(perspective);
    if (typeof tag !== "string" || tag === "") {
      throw new Violation("Cannot send an object: its class, a pb.Cacheable, must have a static copytype");
    }
    const begun = owned.begin(this, perspective);
    jellier.onUndo(() => owned.abandon(begun));
    const state = this.getStateToCacheAndObserveFor(perspective, begun.observer);
    begun.isObserved = true;
    jellier.prepare(this);
    jellier.list(3);
    jellier.word(tag);
    jellier.integer(begun.id);
    jellier.jelly(state);
  }
}
