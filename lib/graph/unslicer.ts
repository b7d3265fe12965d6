/**
 * The contract of an unslicer, which builds one value from the tokens of one sequence, the table that says which unslicer a
 * sequence gets, and what the values take in memory.
 *
 * Source: Foolscap `slicer.py`, `BaseUnslicer`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import type { Pending } from "./pending.ts";
import type { Constraint, Contents } from "./schema/constraint.ts";
import type { Unslicing } from "./unslicing.ts";

/** Any token; alone it is enough for a number. */
export const TOKEN_COST = 16;
/** Any sequence; alone it is enough for text, none and a boolean. */
export const SEQUENCE_COST = 64;
/** A `Uint8Array`, besides its bytes. */
export const BYTES_COST = 192;
/** A list, tuple, plain object or copy, besides what `SEQUENCE_COST` covers. */
export const CONTAINER_COST = 144;
/** A Dict or set, besides that. */
export const COLLECTION_COST = 192;
/** An entry of a Dict, or a member of a set, besides its key and value. */
export const ENTRY_COST = 128;
/** A Date, besides what `SEQUENCE_COST` covers. */
export const OBJECT_COST = 64;
/** A URL, besides its text; or an object of `Temporal`. */
export const URL_COST = 512;
/** A RegExp, besides its source. */
export const REGEXP_COST = 512;
/** An Error, besides its texts: the engine notes where it was made. */
export const ERROR_COST = 2_048;

/** The message that an unslicer is a part of. */
export type Receiving = Unslicing<Unslicer>;

/** What an unslicer sees of its place on the receiver's stack. */
interface Place {
  readonly count: number;
}

const NO_PLACE: Place = { count: 0 };

/** Builds one value from the children of a sequence. */
export abstract class Unslicer {
  /** The place on the receiver's stack, while the sequence is open. Set by the receiver. */
  frame: Place = NO_PLACE;
  /** What a constraint says about the inside of this sequence. Set by the receiver before `start()`. */
  contents: Contents | undefined;

  /** The stack machine that feeds this unslicer. */
  constructor(readonly receiver: Receiving) {}

  /** Children received so far. Of no meaning when the sequence is over. */
  get count(): number {
    return this.frame.count;
  }

  /** Called once, with the number under which a `reference` may name this object. */
  start(_objectNumber: number): void {}

  /**
   * May a token of this type come as the next child? Asked for every token before its body.
   *
   * @throws {Violation} If it may not, and only this value is lost.
   * @throws {ProtocolError} If it may not, and the connection is lost.
   */
  checkToken(_type: number, _size: number): void {}

  /** Whether a constraint may have a say about the children. Asked once, when the sequence begins. */
  get constrains(): boolean {
    return this.contents !== undefined;
  }

  /**
   * The constraint on the next child; `undefined` if there is none.
   *
   * @throws {Violation} If there must be no more children.
   */
  nextConstraint(): Constraint | undefined {
    return this.contents?.at(this.count);
  }

  /** How many children there may be. Asked once, when the sequence begins. */
  get maxChildren(): number {
    return this.receiver.limits.maxElements;
  }

  /** The unslicer for a sequence inside this one; `undefined` if there is no such type. */
  open(word: string, detail: string | undefined): Unslicer | undefined {
    return this.receiver.unslicers.make(this.receiver, word, detail);
  }

  /** A child is complete. */
  abstract receive(value: unknown): void;

  /** A child is there, but not complete: the place must be filled when it is. */
  receivePending(_pending: Pending): void {
    throw new Violation("Cannot take a value here that is not complete yet");
  }

  /** Bytes came as a child. `owned`: they may be kept as they are. */
  receiveBytes(bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    this.receiver.spend(BYTES_COST);
    this.receive(owned ? bytes : bytes.slice(start, end));
  }

  /** The sequence is over: its value. */
  abstract close(): unknown;

  /** Something in this sequence was refused. Returns the Violation to pass it on to the parent. */
  violated(violation: Violation): Violation | undefined {
    return violation;
  }

  /** The place of the next child, as the end of a path: `[2]`, `.name`. */
  segment(): string {
    return "";
  }
}

/** A leaf with exactly one child, of one type. */
export interface WholeLeaf {
  /** The type of the child: STRING or INT. */
  readonly child: number;
  /**
   * The value. Throws where the unslicer would: then the tokens come one by one.
   *
   * @param bytes The body of a STRING in `bytes[start..end)`.
   * @param header The length of a STRING, the value of an INT.
   */
  value(bytes: Uint8Array, start: number, end: number, header: number): unknown;
}

/** Makes unslicers for sequences of one type. */
export interface UnslicerType {
  /** Whether a second index token follows the first: the class name of a `copyable`. */
  readonly hasDetail?: boolean;
  /**
   * Whether no sequence can be inside, and nothing uses the unslicer after its sequence: then a receiver makes one
   * and uses it for all of them. Its `start()` must make it as new.
   */
  readonly isLeaf?: boolean;
  /** Whether its unslicers leave it to constraints which tokens and types may be inside, and how many, and all are alike. */
  readonly takesAny?: boolean;
  /** How a receiver takes a whole sequence of a leaf at once where no rule has a say, with what its unslicer would give. */
  readonly whole?: WholeLeaf;
  /**
   * The type of Foolscap's with the same children, as which a sequence is read where a constraint refuses it as what it
   * is: a rule for dicts makes a dict of a Map.
   */
  readonly plain?: string;
  /** An unslicer for a sequence that begins. `detail` is the second index token. */
  make(receiver: Receiving, detail: string): Unslicer;
}

/** Which unslicer each type of sequence gets. A table of its own for each connection can extend a common one. */
export class UnslicerTable {
  readonly #types: Map<string, UnslicerType>;

  /** A table of these types. */
  constructor(types: Iterable<readonly [word: string, type: UnslicerType]>) {
    this.#types = new Map(types);
  }

  /** A new table with more types, or other ones under the same word. */
  extend(types: Iterable<readonly [word: string, type: UnslicerType]>): UnslicerTable {
    return new UnslicerTable([...this.#types, ...types]);
  }

  /** The types by their word. */
  [Symbol.iterator](): IterableIterator<[word: string, type: UnslicerType]> {
    return this.#types.entries();
  }

  /** An unslicer, or `undefined` if the type is unknown. */
  make(receiver: Receiving, word: string, detail = ""): Unslicer | undefined {
    return this.#types.get(word)?.make(receiver, detail);
  }
}
