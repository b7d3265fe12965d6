/**
 * Which object has which name. One name an object, one object a name.
 *
 * Source: Foolscap `pb.py`, `Tub._assignName`, `nameToReference`, `referenceToName`, `strongReferences`.
 *
 * @module
 */

import { FurlError } from "../errors.ts";
import { MAX_RETIRED_NAMES } from "../limits.ts";
import { caveatId, caveatRoot } from "../names/caveat.ts";
import { isReservedName } from "../names/derived_name.ts";
import { createSwissnum } from "../names/tub_id.ts";
import type { RandomBytes } from "../util/random_bytes.ts";
import { type SealedName, SealedNames } from "./sealed_names.ts";

interface Entry<T extends object> {
  /** Of its name; like all of it that follows from the name, made when that is first told. */
  hash: string | undefined;
  sealed: SealedName | undefined;
  /** What derived names call it by. */
  id: string | undefined;
  /** The key to derived names, of one whose name is not known; throws if what it comes from was tampered with. */
  root: (() => Uint8Array) | undefined;
  /** Whether its name was drawn here at random, so that no other object will ever have it. */
  isDrawn: boolean;
  /** None where the object is kept from the start: to watch 100,000 objects takes the collector seconds. */
  readonly weak: WeakRef<T> | undefined;
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

/** A name that is not known in clear: what a store has kept of it. */
export interface StoredName {
  /** Its hash under the key that the table was made with, in base64. */
  readonly hash: string;
  /** What derived names call it by, in base64. */
  readonly id: string;
  /** The key to all names that derive from it. @throws {StoreError} If what is kept was tampered with. */
  root(): Uint8Array;
}

/** Named objects, found by the keyed hash of their names. */
export class NameTable<T extends object> {
  readonly #names: SealedNames;
  readonly #randomBytes: RandomBytes;
  /** All of them, in the order in which they came. */
  readonly #entries = new Set<Entry<T>>();
  readonly #byHash = new Map<string, Entry<T>>();
  readonly #byId = new Map<string, Entry<T>>();
  readonly #onGone: (id: string) => void;
  /** By the hash of a name that was taken back: why. The oldest one is the first. */
  readonly #retired = new Map<string, string>();
  #byObject = new WeakMap<T, Entry<T>>();
  readonly #collected = new FinalizationRegistry<Entry<T>>((entry) => {
    this.#forget(entry);
    if (entry.isDrawn && entry.id !== undefined) this.#onGone(entry.id);
  });

  /**
   * An empty table with keys of its own.
   *
   * @param onGone Is told the id of a name that no object will ever have again: it was drawn for an object that nobody
   *   registered, and that nobody holds any more.
   * @param hashKey The key of the names' hashes, where a store has kept some.
   */
  constructor(randomBytes: RandomBytes, onGone?: (id: string) => void, hashKey?: Uint8Array) {
    this.#randomBytes = randomBytes;
    this.#onGone = onGone ?? (() => {});
    this.#names = new SealedNames(randomBytes, hashKey);
  }

  /** How many objects there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** The object of a name. */
  find(name: string): T | undefined {
    return this.#byHash.size === 0 ? undefined : this.#findByHash(this.#names.hash(name), name);
  }

  #findByHash(hash: string, name: string): T | undefined {
    const entry = this.#byHash.get(hash);
    if (entry?.sealed === undefined && entry?.root !== undefined) {
      // The first who asks for it tells its name; and what was kept with it has to be what was written.
      entry.root();
      entry.sealed = this.#names.seal(name);
      entry.root = undefined;
    }
    return entry?.strong ?? entry?.weak?.deref();
  }

  /** Whether the name of an object is known, or will be drawn when it is asked for. */
  isKnown(object: T): boolean {
    const entry = this.#byObject.get(object);
    return entry === undefined || entry.sealed !== undefined || entry.root === undefined;
  }

  /**
   * What a store keeps of an object's name, and the key to all names that derive from it.
   *
   * @param name Its name, where that is known in clear: to open a name costs as much as all the rest.
   */
  storedName(
    object: T,
    name: string = this.nameOf(object)!,
  ): { readonly hash: string; readonly id: string; readonly root: Uint8Array } {
    const { hash, id } = this.#byObject.get(object)!;
    return { hash: hash!, id: id!, root: caveatRoot(name) };
  }

  /** Gives an object that has no name the one that a store has kept something of. */
  addStored(object: T, { hash, id, root }: StoredName): void {
    const entry = this.#enter(object, true);
    entry.hash = hash;
    entry.id = id;
    entry.root = root;
    this.#byHash.set(hash, entry);
    this.#byId.set(id, entry);
  }

  /** Remembers why a name leads nowhere, of one that was retired in an earlier life. */
  addRetired(hash: string, why: string): void {
    this.#retired.set(hash, why);
  }

  /** The object of the name with this id, in base64. */
  findById(id: string): NameRoot<T> | undefined {
    const entry = this.#byId.get(id);
    const object = entry?.strong ?? entry?.weak?.deref();
    if (entry === undefined || object === undefined) return undefined;
    return { object, root: this.#rootOf(entry), isNamed: () => this.#byObject.get(object) === entry };
  }

  /** The id of an object's name, in base64, if that has been told and is not itself derived. */
  idOf(object: T): string | undefined {
    return this.#byObject.get(object)?.id;
  }

  /**
   * The name of an object, in clear; drawn now if it was not told before.
   *
   * @throws {FurlError} If a store has kept only its hash.
   */
  nameOf(object: T): string | undefined {
    const entry = this.#byObject.get(object);
    if (entry === undefined) return undefined;
    if (entry.sealed !== undefined) return this.#names.open(entry.sealed);
    if (entry.root !== undefined) {
      throw new FurlError(
        "Cannot give a FURL: this capability comes from the store, which keeps no names; use the FURL that it had, or attenuate() it",
      );
    }
    const name = createSwissnum(this.#randomBytes);
    this.#give(entry, name);
    entry.isDrawn = true;
    return name;
  }

  /** Whether an object is here. */
  has(object: T): boolean {
    return this.#byObject.has(object);
  }

  /**
   * Gives an object that has no name its name, and holds it weakly.
   *
   * @throws {RangeError} If another object has that name.
   */
  add(object: T, name: string): void {
    const hash = this.#names.hash(name);
    if (this.#findByHash(hash, name) !== undefined) {
      throw new RangeError(
        "Cannot name an object: another object has that name; unregister it first, or choose another name",
      );
    }
    const entry = this.#enter(object);
    this.#give(entry, name, hash);
    this.#retired.delete(hash);
  }

  /**
   * Takes an object in that gets a name of 160 random bits when it is asked for.
   *
   * @param isKept Whether it is held strongly until it is removed; else weakly.
   */
  addUnnamed(object: T, isKept: boolean): void {
    this.#enter(object, isKept);
  }

  /** Holds an object strongly from here on. */
  keep(object: T): void {
    const entry = this.#byObject.get(object);
    if (entry !== undefined) entry.strong = object;
  }

  /**
   * Forgets the name of an object.
   *
   * @returns Whether it was here.
   */
  remove(object: T): boolean {
    const entry = this.#byObject.get(object);
    if (entry === undefined) return false;
    this.#byObject.delete(object);
    this.#forget(entry);
    this.#collected.unregister(entry);
    return true;
  }

  /** Forgets an object, and remembers for those who know its name why it is gone: the latest of such names. */
  retire(object: T, why: string): void {
    const hash = this.#byObject.get(object)?.hash;
    if (!this.remove(object) || hash === undefined) return;
    this.#retired.set(hash, why);
    if (this.#retired.size <= MAX_RETIRED_NAMES) return;
    for (const oldest of this.#retired.keys()) {
      this.#retired.delete(oldest);
      break;
    }
  }

  /** Why a name leads nowhere any more; `undefined` if it never led anywhere, or that was forgotten. */
  whyGone(name: string): string | undefined {
    return this.#retired.size === 0 ? undefined : this.#retired.get(this.#names.hash(name));
  }

  /** Forgets everything. */
  clear(): void {
    for (const entry of this.#entries) this.#collected.unregister(entry);
    this.#entries.clear();
    this.#byHash.clear();
    this.#byId.clear();
    this.#retired.clear();
    this.#byObject = new WeakMap();
  }

  /** The objects, in the order in which they came. */
  *objects(): Generator<NamedObject<T>> {
    for (const { weak, strong } of this.#entries) {
      const object = strong ?? weak?.deref();
      if (object !== undefined) yield { object, isStrong: strong !== undefined };
    }
  }

  #enter(object: T, isKept = false): Entry<T> {
    const entry: Entry<T> = {
      hash: undefined,
      sealed: undefined,
      id: undefined,
      root: undefined,
      isDrawn: false,
      weak: isKept ? undefined : new WeakRef(object),
      strong: isKept ? object : undefined,
    };
    this.#entries.add(entry);
    this.#byObject.set(object, entry);
    if (!isKept) this.#collected.register(object, entry, entry);
    return entry;
  }

  /** At once, when the name is in clear anyway: to do it for 100,000 names when one is looked for would stop the program. */
  #give(entry: Entry<T>, name: string, hash = this.#names.hash(name)): void {
    entry.sealed = this.#names.seal(name);
    this.#byHash.set(entry.hash = hash, entry);
    // What derives from a derived name has the id of the name that all of them come of.
    if (!isReservedName(name)) this.#byId.set(entry.id = idText(caveatId(caveatRoot(name))), entry);
  }

  #rootOf(entry: Entry<T>): Uint8Array {
    return entry.root?.() ?? caveatRoot(this.#names.open(entry.sealed!));
  }

  #forget(entry: Entry<T>): void {
    this.#entries.delete(entry);
    if (entry.id !== undefined && this.#byId.get(entry.id) === entry) this.#byId.delete(entry.id);
    // The name may have got another object since.
    if (entry.hash !== undefined && this.#byHash.get(entry.hash) === entry) this.#byHash.delete(entry.hash);
  }
}

/** An id as the key of a Map. */
export function idText(id: Uint8Array): string {
  return id.toBase64();
}
