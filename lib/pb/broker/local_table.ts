/**
 * Our objects that the peer of one connection may call: by number, counted, and by name.
 *
 * Source: Twisted `spread/pb.py`, `Local` and `Broker.registerReference`.
 *
 * @module
 */

import type { Patience } from "./patience.ts";

/** An object that the peer may call. */
export interface LocalObject<T extends object> {
  readonly object: T;
  /** How many references of the peer's have not been given back; 0 for an object that has only a name. */
  count: number;
}

/** The objects of one connection. */
export class LocalTable<T extends object> {
  readonly #byId = new Map<number, LocalObject<T>>();
  readonly #byName = new Map<string, T>();
  readonly #ids = new Map<unknown, number>();
  readonly #unique = new Map<number, unknown>();
  readonly #cleanups = new Map<number, (() => void)[]>();
  readonly #maxReferences: number;
  readonly #nextId: () => number;
  readonly #patience: Patience;

  /**
   * An empty table.
   *
   * @param maxReferences Twisted's `MAX_BROKER_REFS`: with this many entries besides the first one, no more is taken in.
   * @param nextId Gives the next number, which is shared with what is cached.
   */
  constructor(maxReferences: number, nextId: () => number, patience: Patience) {
    this.#maxReferences = maxReferences;
    this.#nextId = nextId;
    this.#patience = patience;
  }

  /** How many objects there are, names included. */
  get size(): number {
    return this.#byId.size + this.#byName.size;
  }

  /** How many there are that the peer holds references to. */
  get referenced(): number {
    return this.#byId.size;
  }

  /** Publishes an object under a name; one that had the name has it no longer. */
  setName(name: string, object: T): void {
    this.#byName.set(name, object);
  }

  /** The object of a name. */
  named(name: string): T | undefined {
    return this.#byName.get(name);
  }

  /** The object of a number. */
  get(id: number): T | undefined {
    return this.#byId.get(id)?.object;
  }

  /**
   * Counts one more reference to an object that is about to be sent.
   *
   * @param unique What tells it from others: two objects with the same one are the same to the peer.
   * @returns Its number.
   * @throws {PbError} If there are too many.
   */
  add(object: T, unique: unknown): number {
    const known = this.#ids.get(unique);
    if (known !== undefined) {
      this.#byId.get(known)!.count++;
      return known;
    }
    if (this.size > this.#maxReferences) throw this.#patience.refuse("reference");
    const id = this.#nextId();
    this.#byId.set(id, { object, count: 1 });
    this.#ids.set(unique, id);
    this.#unique.set(id, unique);
    return id;
  }

  /**
   * The peer, or a message that was not sent, gives one reference back.
   *
   * @returns Whether there was one.
   */
  release(id: number): boolean {
    const local = this.#byId.get(id);
    if (local === undefined) return false;
    if (--local.count > 0) return true;
    this.#byId.delete(id);
    this.#ids.delete(this.#unique.get(id));
    this.#unique.delete(id);
    const cleanups = this.#cleanups.get(id);
    this.#cleanups.delete(id);
    for (const cleanup of cleanups ?? []) cleanup();
    return true;
  }

  /**
   * Has something done, once, when the last reference to an object is given back. It must not throw.
   *
   * @param unique What tells the object from others.
   * @returns Whether the peer has such an object.
   */
  whenReleased(unique: unknown, cleanup: () => void): boolean {
    const id = this.#ids.get(unique);
    if (id === undefined) return false;
    const others = this.#cleanups.get(id);
    if (others === undefined) this.#cleanups.set(id, [cleanup]);
    else others.push(cleanup);
    return true;
  }

  /** Forgets everything: the connection is gone. Whoever waits for a release is told by the connection's end. */
  close(): void {
    for (const map of [this.#byId, this.#byName, this.#ids, this.#unique, this.#cleanups]) map.clear();
  }
}
