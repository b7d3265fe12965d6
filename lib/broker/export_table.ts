/**
 * Objects of ours that the peer holds, with how many times it was given each.
 *
 * Source: Foolscap `broker.py`, `getTrackerForMyReference`, `remote_decref`.
 *
 * @module
 */

import { Violation } from "../errors.ts";

/** An object that the peer holds. */
export interface Export<T extends object> {
  /** Its number on this connection: 1 or more, never used again. */
  readonly clid: number;
  readonly object: T;
  /** What the object is known by, so that several can look like one. */
  readonly identity: unknown;
  /** How many times it was sent and not yet given back. */
  count: number;
}

/** What {@linkcode ExportTable.give} found. */
export interface Given<T extends object> {
  readonly entry: Export<T>;
  /** Whether the peer does not know the object: it must be told its interface and FURL. */
  readonly isNew: boolean;
}

/** The exports of one connection. */
export class ExportTable<T extends object> {
  readonly #byClid = new Map<number, Export<T>>();
  readonly #byIdentity = new Map<unknown, Export<T>>();
  readonly #max: number;
  #lastClid = 0;

  /** A table of at most `max` objects. */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many objects the peer holds. */
  get size(): number {
    return this.#byClid.size;
  }

  /** The object of a number. */
  get(clid: number): T | undefined {
    return this.#byClid.get(clid)?.object;
  }

  /**
   * Counts one more sending of an object.
   *
   * @param identity What it is known by: while the peer holds one, others of the same identity are that one.
   * @throws {Violation} If the peer holds as many objects as it may.
   */
  give(object: T, identity: unknown = object): Given<T> {
    let entry = this.#byIdentity.get(identity);
    const isNew = entry === undefined;
    if (entry === undefined) {
      if (this.#byClid.size >= this.#max) {
        throw new Violation(`Cannot pass an object by reference: the peer holds ${this.#max} already`);
      }
      entry = { clid: ++this.#lastClid, object, identity, count: 0 };
      this.#byClid.set(entry.clid, entry);
      this.#byIdentity.set(identity, entry);
    }
    entry.count++;
    return { entry, isNew };
  }

  /** Takes back one sending that did not take place. To be called in the reverse order of `give`. */
  undo(entry: Export<T>): void {
    if (--entry.count > 0) return;
    this.#forget(entry);
    if (entry.clid === this.#lastClid) this.#lastClid--;
  }

  /**
   * The peer gives back `count` sendings. An unknown number is fine, as in Foolscap.
   *
   * @returns How many it was given, if `count` is not from 0 to that; then nothing has changed.
   */
  decref(clid: number, count: number): number | undefined {
    const entry = this.#byClid.get(clid);
    if (entry === undefined) return undefined;
    if (count > entry.count || count < 0) return entry.count;
    entry.count -= count;
    if (entry.count === 0) this.#forget(entry);
    return undefined;
  }

  /** Forgets everything: the connection is gone. */
  clear(): void {
    this.#byClid.clear();
    this.#byIdentity.clear();
  }

  #forget(entry: Export<T>): void {
    this.#byClid.delete(entry.clid);
    this.#byIdentity.delete(entry.identity);
  }
}
