/**
 * Which object has which name. One name an object, one object a name.
 *
 * Source: Foolscap `pb.py`, `Tub._assignName`, `nameToReference`, `referenceToName`, `strongReferences`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { caveatId, caveatRoot } from "../names/caveat_chain.ts";
import { isReservedName } from "../names/derived_name.ts";
import type { RandomBytes } from "../names/swissnum.ts";
import { type SealedName, SealedNames } from "./sealed_names.ts";

interface Entry<T extends object> {
  /** Made when a name is first looked for: most objects that are passed to a peer are never asked for by name. */
  hash: string | undefined;
  /** What derived names call it by; made when a derived name is first looked for. */
  id: string | undefined;
  /** Whether its name was drawn here at random, so that no other object will ever have it. */
  readonly isDrawn: boolean;
  readonly sealed: SealedName;
  readonly weak: WeakRef<T>;
  /** Keeps a registered object alive. */
  strong: T | undefined;
}

/** One named object. */
export interface NamedObject<T extends object> {
  readonly object: T;
  /** Whether it stays by itself; else it is forgotten when nobody holds it. */
  readonly isStrong: boolean;
}

/** A named object, as derived names lead to it. */
export interface NameRoot<T extends object> {
  readonly object: T;
  /** The key to all names that derive from its name: a secret. */
  readonly root: Uint8Array;
  /** Whether it still has that name. */
  isNamed(): boolean;
}

/** Named objects, found by the keyed hash of their names. */
export class NameTable<T extends object> {
  readonly #names: SealedNames;
  readonly #byHash = new Map<string, Entry<T>>();
  readonly #unhashed = new Set<Entry<T>>();
  readonly #byId = new Map<string, Entry<T>>();
  readonly #withoutId = new Set<Entry<T>>();
  readonly #onGone: (id: string) => void;
  #byObject = new WeakMap<T, Entry<T>>();
  readonly #collected = new FinalizationRegistry<Entry<T>>((entry) => {
    this.#forget(entry);
    if (entry.isDrawn && entry.strong === undefined && entry.id !== undefined) this.#onGone(entry.id);
  });

  /**
   * An empty table with keys of its own.
   *
   * @param onGone Is told the id of a name that no object will ever have again: it was drawn for an object that nobody
   *   registered, and that nobody holds any more.
   */
  constructor(randomBytes: RandomBytes, onGone: (id: string) => void = () => {}) {
    this.#names = new SealedNames(randomBytes);
    this.#onGone = onGone;
  }

  /** How many names there are. */
  get size(): number {
    return this.#byHash.size + this.#unhashed.size;
  }

  /** The object of a name. */
  find(name: string): T | undefined {
    this.#hashAll();
    return this.#byHash.get(this.#names.hash(name))?.weak.deref();
  }

  /**
   * Makes the ids of names that have none yet, which takes 10 µs each.
   *
   * @param most No more than this many.
   * @returns Whether all names have one.
   */
  makeIds(most = Infinity): boolean {
    for (const entry of this.#withoutId) {
      if (most-- <= 0) return false;
      this.#withoutId.delete(entry);
      this.#byId.set(entry.id = idText(caveatId(this.#rootOf(entry))), entry);
    }
    return true;
  }

  /** The object of the name with this id, in base64; makes the ids that are missing. */
  findById(id: string): NameRoot<T> | undefined {
    this.makeIds();
    const entry = this.#byId.get(id);
    const object = entry?.weak.deref();
    if (entry === undefined || object === undefined) return undefined;
    return {
      object,
      root: this.#rootOf(entry),
      isNamed: () => this.#byObject.get(object) === entry,
    };
  }

  /** The id of an object's name, in base64, if it was made. */
  idOf(object: T): string | undefined {
    return this.#byObject.get(object)?.id;
  }

  /** The name of an object, in clear. */
  nameOf(object: T): string | undefined {
    const entry = this.#byObject.get(object);
    return entry === undefined ? undefined : this.#names.open(entry.sealed);
  }

  /** Whether an object has a name. */
  has(object: T): boolean {
    return this.#byObject.has(object);
  }

  /**
   * Gives an object that has no name its name, and holds it weakly.
   *
   * @throws {RangeError} If another object has that name.
   */
  add(object: T, name: string): void {
    if (this.find(name) !== undefined) {
      throw new RangeError(
        "Cannot name an object: another object has that name; unregister it first, or choose another name",
      );
    }
    const entry = this.#enter(object, name, false);
    this.#byHash.set(entry.hash = this.#names.hash(name), entry);
  }

  /** As {@linkcode NameTable.add}, for a name that was just drawn from 160 random bits: no other object has it. */
  addUnique(object: T, name: string): void {
    this.#unhashed.add(this.#enter(object, name, true));
  }

  /** Holds a named object strongly from here on. */
  keep(object: T): void {
    const entry = this.#byObject.get(object);
    if (entry !== undefined) entry.strong = object;
  }

  /**
   * Forgets the name of an object.
   *
   * @returns Whether it had one.
   */
  remove(object: T): boolean {
    const entry = this.#byObject.get(object);
    if (entry === undefined) return false;
    this.#byObject.delete(object);
    this.#forget(entry);
    this.#collected.unregister(entry);
    return true;
  }

  /** Forgets all names. */
  clear(): void {
    for (const entry of this.#entries()) this.#collected.unregister(entry);
    this.#byHash.clear();
    this.#unhashed.clear();
    this.#byId.clear();
    this.#withoutId.clear();
    this.#byObject = new WeakMap();
  }

  /** The objects that have names, in the order in which they got them. */
  *objects(): Generator<NamedObject<T>> {
    this.#hashAll();
    for (const { weak, strong } of this.#entries()) {
      const object = weak.deref();
      if (object !== undefined) yield { object, isStrong: strong !== undefined };
    }
  }

  #enter(object: T, name: string, isDrawn: boolean): Entry<T> {
    const sealed = this.#names.seal(name);
    const weak = new WeakRef(object);
    const entry: Entry<T> = { hash: undefined, id: undefined, isDrawn, sealed, weak, strong: undefined };
    this.#byObject.set(object, entry);
    // What derives from a derived name has the id of the name that all of them come of.
    if (!isReservedName(name)) this.#withoutId.add(entry);
    this.#collected.register(object, entry, entry);
    return entry;
  }

  #hashAll(): void {
    for (const entry of this.#unhashed) {
      entry.hash = this.#names.hash(this.#names.open(entry.sealed));
      this.#byHash.set(entry.hash, entry);
    }
    this.#unhashed.clear();
  }

  #rootOf(entry: Entry<T>): Uint8Array {
    return caveatRoot(this.#names.open(entry.sealed));
  }

  #forget(entry: Entry<T>): void {
    if (entry.id === undefined) this.#withoutId.delete(entry);
    else if (this.#byId.get(entry.id) === entry) this.#byId.delete(entry.id);
    // The name may have got another object since.
    if (entry.hash === undefined) this.#unhashed.delete(entry);
    else if (this.#byHash.get(entry.hash) === entry) this.#byHash.delete(entry.hash);
  }

  *#entries(): Generator<Entry<T>> {
    yield* this.#byHash.values();
    yield* this.#unhashed;
  }
}

/** An id as the key of a Map. */
export function idText(id: Uint8Array): string {
  return Buffer.from(id).toString("base64");
}
