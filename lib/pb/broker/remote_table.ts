/**
 * Objects of the peer that we hold: one reference each for all who hold it here, given back as often as it came.
 *
 * Twisted makes a reference for each time that an object comes, and each gives back one.
 *
 * @module
 */

import { ProtocolError } from "../../errors.ts";

/** One object of the peer, as it is seen under one perspective. */
export class Holding<R extends object> {
  /** The reference that everybody in the process shares, while somebody holds it. */
  shared: WeakRef<R> | undefined;
  /** How many times the object came and was not given back. */
  received = 0;
  /** Whether it was given up. */
  isReleased = false;

  /** What the peer numbers so. */
  constructor(readonly id: number, readonly perspective: object | undefined) {}
}

/** What a {@linkcode RemoteTable} needs. */
export interface RemoteTableOptions<R extends object> {
  readonly max: number;
  /** @param release Gives it back, once. */
  makeReference(holding: Holding<R>, release: () => void): R;
  /** Gives back one receipt. Must not throw. */
  decref(id: number): void;
}

/** The references of one connection. */
export class RemoteTable<R extends object> {
  // By "#" and the number: V8 hashes numbers without a seed, so a peer could choose numbers that collide; texts have a seed.
  readonly #holdings = new Map<string, Map<object | undefined, Holding<R>>>();
  readonly #options: RemoteTableOptions<R>;
  readonly #collected: FinalizationRegistry<Holding<R>>;
  #size = 0;

  /** An empty table. */
  constructor(options: RemoteTableOptions<R>) {
    this.#options = options;
    this.#collected = new FinalizationRegistry((holding) => this.release(holding));
  }

  /** How many objects of the peer are held. */
  get size(): number {
    return this.#size;
  }

  /**
   * An object came.
   *
   * @param perspective Who asked for it, where that matters: Viewables in calls to it are seen through that.
   * @throws {ProtocolError} If the peer makes us hold more than it may.
   */
  receive(id: number, perspective: object | undefined): R {
    const key = `#${id}`;
    let views = this.#holdings.get(key);
    let holding = views?.get(perspective);
    const known = holding?.shared?.deref();
    if (holding !== undefined && known !== undefined) {
      holding.received++;
      return known;
    }
    if (holding !== undefined) {
      // Collected, and its finalizer has not run yet: what had come goes on with the new one.
      const { received } = holding;
      this.#drop(holding);
      holding.isReleased = true;
      views = this.#holdings.get(key);
      holding = new Holding<R>(id, perspective);
      holding.received = received;
    } else {
      if (this.#size >= this.#options.max) {
        throw new ProtocolError(`The peer sent more than ${this.#options.max} references`);
      }
      holding = new Holding<R>(id, perspective);
    }
    if (views === undefined) this.#holdings.set(key, views = new Map());
    views.set(perspective, holding);
    this.#size++;
    holding.received++;
    const current = holding;
    const reference = this.#options.makeReference(current, () => this.release(current));
    holding.shared = new WeakRef(reference);
    this.#collected.register(reference, holding, holding);
    return reference;
  }

  /** The reference is given up: the object is given back as often as it came. More than once is harmless. */
  release(holding: Holding<R>): void {
    if (holding.isReleased) return;
    holding.isReleased = true;
    this.#collected.unregister(holding);
    this.#drop(holding);
    for (let i = 0; i < holding.received; i++) this.#options.decref(holding.id);
  }

  /** Forgets everything: the connection is gone. */
  close(): void {
    for (const views of this.#holdings.values()) {
      for (const holding of views.values()) {
        holding.isReleased = true;
        this.#collected.unregister(holding);
      }
    }
    this.#holdings.clear();
    this.#size = 0;
  }

  #drop(holding: Holding<R>): void {
    const key = `#${holding.id}`;
    const views = this.#holdings.get(key);
    if (views?.get(holding.perspective) !== holding) return;
    views.delete(holding.perspective);
    if (views.size === 0) this.#holdings.delete(key);
    this.#size--;
  }
}
