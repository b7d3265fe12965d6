/**
 * Which object has which name. One name an object, one object a name.
 *
 * Source: Foolscap `pb.py`, `Tub._assignName`, `nameToReference`, `referenceToName`, `strongReferences`.
 *
 * @module
 */

import type { RandomBytes } from "../util/random_bytes.ts";
import { type SealedName, SealedNames } from "./sealed_names.ts";

interface Entry<T extends object> {
  /** Made when a name is first looked for: most objects that are passed to a peer are never asked for by name. */
  hash: string | undefined;
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

/** Named objects, found by the keyed hash of their names. */
export class NameTable<T extends object> {
  readonly #names: SealedNames;
  readonly #byHash = new Map<string, Entry<T>>();
  readonly #unhashed = new Set<Entry<T>>();
  #byObject = new WeakMap<T, Entry<T>>();
  readonly #collected = new FinalizationRegistry<Entry<T>>((entry) => {
    this.#forget(entry);
  });

  /** An empty table with keys of its own. */
  constructor(randomBytes: RandomBytes) {
    this.#names = new SealedNames(randomBytes);
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
    const entry = this.#enter(object, name);
    this.#byHash.set(entry.hash = this.#names.hash(name), entry);
  }

  /** As {@linkcode NameTable.add}, for a name that was just drawn from 160 random bits: no other object has it. */
  addUnique(object: T, name: string): void {
    this.#unhashed.add(this.#enter(object, name));
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

  #enter(object: T, name: string): Entry<T> {
    const sealed = this.#names.seal(name);
    const entry: Entry<T> = { hash: undefined, sealed, weak: new WeakRef(object), strong: undefined };
    this.#byObject.set(object, entry);
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

  #forget(entry: Entry<T>): void {
    // The name may have got another object since.
    if (entry.hash === undefined) this.#unhashed.delete(entry);
    else if (this.#byHash.get(entry.hash) === entry) this.#byHash.delete(entry.hash);
  }

  *#entries(): Generator<Entry<T>> {
    yield* this.#byHash.values();
    yield* this.#unhashed;
  }
}
