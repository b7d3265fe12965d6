/**
 * Values to tokens: the table "kind of value to slicer", and the walk over one message.
 *
 * A message is sliced straight into the connection's encoder. When some value in it cannot be sent, the
 * walk ends in a Violation that names the place, and whoever began the message takes it back.
 *
 * Source: Foolscap `slicer.py`, `banana.py` (`produce`, `slice`). Unlike there, nothing of a message that
 * fails is ever sent, so no ABORT is.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { MAX_NAME_BYTES } from "../limits.ts";
import { encodeText } from "../util/text.ts";
import type { TokenEncoder } from "../wire/encoder.ts";
import { adapterGeneration, type Copier, findAdapter } from "./adapters.ts";
import { joinPath, segmentOf } from "./path.ts";
import { Readiness } from "./readiness.ts";
import { unsendable } from "./unsendable.ts";

/** Writes one kind of value. Throws a Violation if this one cannot be sent. */
export type Slicer = (value: never, out: Slicing) => void;

type AnySlicer = (value: unknown, out: Slicing) => void;

/** What `typeof` can say. */
export type TypeName =
  | "string"
  | "number"
  | "bigint"
  | "boolean"
  | "symbol"
  | "undefined"
  | "object"
  | "function";

/** Which slicer each value gets: by `typeof`, and objects by the nearest prototype that is listed. */
export class SlicerTable {
  readonly #types: ReadonlyMap<string, AnySlicer>;
  readonly #text: AnySlicer | undefined;
  readonly #number: AnySlicer | undefined;
  readonly #prototypes: ReadonlyMap<object | null, AnySlicer>;
  readonly #sliceCopy: ((copier: Copier<object>) => AnySlicer) | undefined;
  // What a walk up the prototypes found, so that it is done once for each class.
  #found = new WeakMap<object, AnySlicer | false>();
  #generation = adapterGeneration();

  /**
   * A table of slicers by `typeof` and by prototype; `null` is for objects without one.
   *
   * @param sliceCopy Makes the slicer for a class that has been given a copier.
   */
  constructor(
    types: Iterable<readonly [TypeName, Slicer]>,
    prototypes: Iterable<readonly [object | null, Slicer]>,
    sliceCopy?: (copier: Copier<object>) => AnySlicer,
  ) {
    this.#sliceCopy = sliceCopy;
    this.#types = new Map(types as Iterable<readonly [string, AnySlicer]>);
    this.#text = this.#types.get("string");
    this.#number = this.#types.get("number");
    this.#prototypes = new Map(prototypes as Iterable<readonly [object | null, AnySlicer]>);
  }

  /** A new table with more slicers, or others for the same kinds. */
  extend(
    prototypes: Iterable<readonly [object | null, Slicer]>,
    types: Iterable<readonly [TypeName, Slicer]> = [],
  ): SlicerTable {
    return new SlicerTable(
      [...this.#types, ...types] as [TypeName, Slicer][],
      [...this.#prototypes, ...prototypes] as [object | null, Slicer][],
      this.#sliceCopy,
    );
  }

  /** The slicer for everything of one `typeof`, except objects; `null` is as `undefined`. */
  forPrimitive(value: unknown): AnySlicer | undefined {
    if (typeof value === "string") return this.#text;
    if (typeof value === "number") return this.#number;
    return this.#types.get(value === null ? "undefined" : typeof value);
  }

  /** The slicer for an object. */
  forObject(value: object): AnySlicer | undefined {
    const prototype: object | null = Object.getPrototypeOf(value);
    if (prototype === null) return this.#prototypes.get(null);
    if (this.#generation !== adapterGeneration()) {
      this.#generation = adapterGeneration();
      this.#found = new WeakMap();
    }
    const found = this.#found.get(prototype);
    if (found !== undefined) return found === false ? undefined : found;
    return this.#search(prototype);
  }

  #adapted(prototype: object): AnySlicer | undefined {
    const adapter = findAdapter(prototype);
    if (adapter?.kind === "copy") return this.#sliceCopy?.(adapter.take);
    return adapter && ((value, out) => out.sliceInstead(value as object, adapter.give));
  }

  #search(prototype: object): AnySlicer | undefined {
    let slicer: AnySlicer | undefined;
    for (let p: object | null = prototype; p !== null; p = Object.getPrototypeOf(p)) {
      // A plain object is a dict; an instance of some class is not, just because it derives from Object.
      if (p === Object.prototype && p !== prototype) break;
      slicer = this.#adapted(p) ?? this.#prototypes.get(p);
      if (slicer !== undefined) break;
    }
    this.#found.set(prototype, slicer ?? false);
    return slicer;
  }
}

/** The walk over the values of one message. */
export class Slicing {
  readonly encoder: TokenEncoder;
  readonly #table: SlicerTable;
  readonly #maxDepth: number;
  #depth = 0;
  #seen: Map<object, number> | undefined;
  #instead: Map<object, unknown> | undefined;
  #readiness: Readiness | undefined;
  #unready: object | undefined; // the last value for which `isUnready` was set
  #lost: Set<object> | undefined; // those that Python would have no more than once
  #hashable: Set<unknown> | undefined;
  #failedPath = "";

  /** A walk that writes to `encoder`, no deeper than `maxDepth`. */
  constructor(encoder: TokenEncoder, table: SlicerTable, maxDepth: number) {
    this.encoder = encoder;
    this.#table = table;
    this.#maxDepth = maxDepth;
  }

  /** Writes a value. */
  slice(value: unknown): void {
    if (typeof value === "object" && value !== null) {
      const slicer = this.#table.forObject(value);
      if (slicer === undefined) throw unsendable(value);
      slicer(value, this);
      return;
    }
    const slicer = this.#table.forPrimitive(value);
    if (slicer === undefined) throw new Violation(`Cannot serialize a ${typeof value}`);
    slicer(value, this);
  }

  /** Begins a sequence that no `reference` can name. Returns the number for {@linkcode Slicing.end}. */
  begin(word: string): number {
    if (++this.#depth > this.#maxDepth) {
      throw new Violation(`Cannot serialize a value that is nested deeper than ${this.#maxDepth}`);
    }
    return this.encoder.open(word);
  }

  /** Writes another value in the place of an object: the same one wherever the object occurs in this message. */
  sliceInstead(object: object, give: (object: object) => unknown): void {
    const instead = this.#instead ??= new Map();
    if (!instead.has(object)) instead.set(object, give(object));
    // What stands for an object may be an object that something stands for, and so on.
    if (++this.#depth > this.#maxDepth) {
      throw new Violation(`Cannot serialize a value that is nested deeper than ${this.#maxDepth}`);
    }
    this.slice(instead.get(object));
    this.#depth--;
  }

  /**
   * Begins the sequence of an object that may come again. If it came before in this message, a
   * `reference` to it is written instead and -1 returned.
   */
  beginShared(object: object, word: string): number {
    const seen = this.#seen ??= new Map();
    const before = seen.get(object);
    if (before !== undefined) {
      const number = this.encoder.open("reference");
      this.encoder.integer(before);
      this.encoder.close(number);
      if (this.#readiness?.isIncomplete(object) === true) this.#refersToIncomplete(object);
      return -1;
    }
    const number = this.begin(word);
    seen.set(object, number);
    return number;
  }

  /** Whether an object has been written, or begun, in this message. */
  isKnown(object: object): boolean {
    return this.#seen?.has(object) === true;
  }

  /** Writes a name: a type, an attribute. */
  word(name: string): void {
    // From a program without types, or the caller of a function that has become an object on its way.
    if (typeof name !== "string") {
      throw new Violation(`Cannot serialize a name: it is not a text, its type is ${typeof name}`);
    }
    const isLong = name.length * 3 > MAX_NAME_BYTES &&
      (name.length > MAX_NAME_BYTES || encodeText(name).length > MAX_NAME_BYTES);
    if (isLong || !name.isWellFormed()) {
      throw new Violation("Cannot serialize a name: too long, or not well-formed text");
    }
    this.encoder.word(name);
  }

  /** Notes that the receiver cannot refer to this object until its sequence ends: a tuple, a Copyable. */
  beginIncomplete(object: object): void {
    (this.#readiness ??= new Readiness()).begin(object);
  }

  /**
   * What an object waits for whose child has just been written: adds to `waits` what {@linkcode Slicing.isUnready}
   * stands for, and sets that back.
   */
  takeWaits(waits: Set<object> | undefined): Set<object> | undefined {
    if (!this.isUnready) return waits;
    this.isUnready = false;
    const all = waits ?? new Set();
    for (const object of this.#readiness!.waitsOf(this.#unready!)) all.add(object);
    return all;
  }

  /**
   * Ends what {@linkcode Slicing.beginIncomplete} began.
   *
   * @param waits What its children wait for.
   * @throws {Violation} If that is the object itself.
   */
  endIncomplete(object: object, waits?: ReadonlySet<object>): void {
    this.isUnready = this.#readiness!.end(object, waits);
    this.#unready = object;
    if (this.isUnready) this.#checkNotLost(object);
  }

  /** Keys that were found to be hashable. */
  get hashable(): Set<unknown> {
    return this.#hashable ??= new Set();
  }

  /** How many Copyables the walk is in. */
  copyableDepth = 0;

  /**
   * Whether the receiver has only a promise of the value that was just written: a `reference` to something
   * incomplete, or a tuple with one. Who wrote it as a child sets this back.
   */
  isUnready = false;

  /**
   * Notes that what was just written is a value of a dict, and unready. Python's dict takes such a value and leaves
   * `None` to whoever else waits for it.
   */
  takenByDict(): void {
    this.isUnready = false;
    (this.#lost ??= new Set()).add(this.#unready!);
  }

  #checkNotLost(object: object): void {
    if (this.#lost?.has(object) !== true) return;
    throw new Violation(
      "Cannot serialize a dict with a value that contains it and occurs again in itself: put it in a list",
    );
  }

  #refersToIncomplete(object: object): void {
    this.#checkNotLost(object);
    this.isUnready = true;
    this.#unready = object;
  }

  /** Ends a sequence. */
  end(number: number): void {
    this.#depth--;
    this.encoder.close(number);
  }

  /** Notes the place of a failure on its way out of a container: `throw out.at(error, index)`. */
  at(error: unknown, key: number | string): unknown {
    return this.under(error, segmentOf(key));
  }

  /** As {@linkcode Slicing.at}, with the text of the place. */
  under(error: unknown, segment: string): unknown {
    this.#failedPath = segment + this.#failedPath;
    return error;
  }

  /** What a failure is for the caller: a Violation with its place. */
  violation(error: unknown): Violation {
    const where = joinPath([this.#failedPath]);
    this.#failedPath = "";
    if (error instanceof Violation) return new Violation(error.message, { where, cause: error.cause });
    if (error instanceof RangeError && /call stack/i.test(error.message)) {
      return new Violation("Cannot serialize a value that is nested this deep", { where, cause: error });
    }
    return new Violation("Cannot serialize a value whose own code failed", { where, cause: error });
  }
}
