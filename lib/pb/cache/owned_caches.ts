/**
 * Cacheables of ours of which the peer of one connection keeps copies: by number, counted, each with the observer by which its
 * owner reaches that copy.
 *
 * Source: Twisted `spread/pb.py`, `Broker.cacheRemotely`, `cachedRemotelyAs`, `proto_decache`; `spread/flavors.py`,
 * `RemoteCacheObserver`, `RemoteCacheMethod`.
 *
 * @module
 */

import { DeadReferenceError, toError } from "../../errors.ts";
import { runCallback } from "../../util/run_callback.ts";
import type { Patience } from "../broker/patience.ts";
import type { OutgoingCall } from "../broker/outgoing.ts";
import type { Broker } from "../flavors/call.ts";

/** What an observer needs of its connection. */
export interface ObserverHost {
  readonly broker: Broker;
  sendCall(call: OutgoingCall): Promise<unknown> | undefined;
  /** Something failed that nobody may look at. Must not throw. */
  failed(where: string, error: Error): void;
}

/** What an observer stands for. */
export interface Observed {
  /** The number under which the peer has its copy. */
  readonly id: number;
  /** On whose behalf it was sent. */
  readonly perspective: object | undefined;
  /** Whether the peer has given it up, or the connection is gone. */
  readonly isOver: boolean;
}

/**
 * The copy that one peer holds of a {@linkcode Cacheable}, for its owner to keep in step.
 *
 * There is one for each connection while the peer holds the object: what `stoppedObserving` is given is what
 * `getStateToCacheAndObserveFor` was given, so that observers can be kept in a `Set`. (Twisted makes a second one, and
 * comparing those of two clients fails.)
 */
export class RemoteCacheObserver {
  readonly #host: ObserverHost;
  readonly #observed: Observed;

  /** @ignore */
  constructor(host: ObserverHost, observed: Observed) {
    this.#host = host;
    this.#observed = observed;
  }

  /** The connection to the peer. */
  get broker(): Broker {
    return this.#host.broker;
  }

  /** On whose behalf the object was sent, if that is known: Viewables in the arguments of calls are seen through that. */
  get perspective(): object | undefined {
    return this.#observed.perspective;
  }

  /** Whether the peer still holds the object. */
  get isLive(): boolean {
    return !this.#observed.isOver && this.#host.broker.isConnected;
  }

  /**
   * Calls `observe_<name>` of the peer's copy, after everything that was sent before.
   *
   * The promise may be left alone: its failure ends nothing. That `observe_<name>` failed goes to the trace too; that the peer has
   * gone is what `stoppedObserving` says.
   *
   * @param args Its arguments; `kwargs({...})` as the last one has those that are passed by name.
   * @returns What `observe_<name>` returned.
   * @throws {RemoteError} If it failed.
   * @throws {Violation} If an argument cannot be sent, or the result cannot be read.
   * @throws {DeadReferenceError} If the peer has given up the object, or is gone.
   */
  callRemote(name: string, ...args: unknown[]): Promise<unknown> {
    let result: Promise<unknown>;
    try {
      this.#check();
      result = this.#host.sendCall(this.#call(name, args, true)) as Promise<unknown>;
    } catch (error) {
      result = Promise.reject(error);
    }
    result.catch((error: unknown) => {
      if (error instanceof DeadReferenceError) return;
      this.#host.failed(`observe_${name} of a peer's copy`, toError(error));
    });
    return result;
  }

  /**
   * Calls `observe_<name>` of the peer's copy and wants no answer. A peer that has given up the object hears nothing.
   *
   * @throws {Violation} If an argument cannot be sent.
   */
  callRemoteOnly(name: string, ...args: unknown[]): void {
    if (this.isLive) this.#host.sendCall(this.#call(name, args, false));
  }

  /** A method as a function. Twisted: `RemoteCacheMethod`. */
  remoteMethod(name: string): (...args: unknown[]) => Promise<unknown> {
    return (...args) => this.callRemote(name, ...args);
  }

  #call(method: string, args: readonly unknown[], isAnswerWanted: boolean): OutgoingCall {
    const { id, perspective } = this.#observed;
    const check = () => this.#check();
    return { word: "cachemessage", target: id, method, args, perspective, isAnswerWanted, check };
  }

  /** A call from within the writing of a message is looked at again when its turn comes. */
  #check(): void {
    if (!this.#host.broker.isConnected) {
      throw new DeadReferenceError("Cannot call: Calling Stale Broker, since the connection is gone");
    }
    if (this.#observed.isOver) {
      throw new DeadReferenceError("Cannot call: the peer does not hold the object any more");
    }
  }

  /** How `Deno.inspect` and `console.log` show it. */
  [Symbol.for("Deno.customInspect")](): string {
    return `RemoteCacheObserver { #${this.#observed.id} at ${this.#host.broker.peerAddress} }`;
  }
}

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

/** A copy that the peer has, from when the object was sent whole until the last one was given back. */
class OwnedCache implements Observed {
  /** How many times the object was sent and not given back. */
  count = 1;
  /** Whether its owner was asked for the state, and so knows the observer. */
  isObserved = false;
  /** The peer has given it back; its owner is being told, and can still reach it. */
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
    runCallback(
      () => object.stoppedObserving(perspective, observer),
      (error) => this.#host.failed("stoppedObserving", error),
    );
  }
}
