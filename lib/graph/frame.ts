/**
 * What a receiver holds while a message comes in: the places of the open sequences on its stack, the tokens whose bodies are still
 * coming, and the objects that `reference` sequences may name, by the count of their OPEN tokens.
 *
 * Frames are kept by depth and used again and again. They hold what the receiver looks at for every
 * token, so that this is one kind of object for V8, whichever of the many kinds of unslicers is on top.
 *
 * Source: Foolscap `slicer.py`, `ScopedUnslicer`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { decodeText } from "../util/text.ts";
import { OPEN } from "../wire/tokens.ts";
import { type Contents, refusalOf } from "./schema/constraint.ts";
import { Unslicer } from "./unslicer.ts";

/** Objects by rising number. */
export class ObjectTable {
  #numbers: number[] = [];
  #objects: unknown[] = [];
  #lookedUp: Set<number> | undefined;

  /** Forgets everything: the next message begins. */
  clear(): void {
    this.#lookedUp = undefined;
    if (this.#numbers.length === 0) return;
    this.#numbers = [];
    this.#objects = [];
  }

  /** Adds an object, whose number is higher than all before. `undefined` keeps the place for one to come. */
  add(number: number, object: unknown): void {
    this.#numbers.push(number);
    this.#objects.push(object);
  }

  /** Puts another object under the number of one that was added. */
  replace(number: number, object: unknown): void {
    const at = this.#indexOf(number);
    if (at >= 0) this.#objects[at] = object;
  }

  /** The object under a number; `undefined` if there is none yet. */
  find(number: number): unknown {
    const at = this.#indexOf(number);
    const object = at < 0 ? undefined : this.#objects[at];
    if (object !== undefined) (this.#lookedUp ??= new Set()).add(number);
    return object;
  }

  /** Whether somebody has found the object under this number, and so may hold it. */
  wasFound(number: number): boolean {
    return this.#lookedUp?.has(number) === true;
  }

  #indexOf(wanted: number): number {
    let low = 0;
    let high = this.#numbers.length - 1;
    if (this.#numbers[high] === wanted) return high; // a dict, when its first key has come
    while (low <= high) {
      const middle = (low + high) >> 1;
      const number = this.#numbers[middle]!;
      if (number === wanted) return middle;
      if (number < wanted) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/**
 * The word of an index token: `bytes[start..end)`.
 *
 * @throws {Violation} If it is not UTF-8.
 */
export function indexWord(bytes: Uint8Array, start: number, end: number): string {
  try {
    return decodeText(bytes, start, end);
  } catch (cause) {
    throw new Violation("Index token is not UTF-8", { cause });
  }
}

/** Big-endian bytes as an integer: a number where that is exact. */
export function integerOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  isNegative: boolean,
): number | bigint {
  if (end - start <= 6) {
    let value = 0;
    for (let i = start; i < end; i++) value = value * 256 + bytes[i]!;
    return isNegative ? 0 - value : value;
  }
  const big = BigInt(`0x${bytes.subarray(start, end).toHex()}`);
  const signed = isNegative ? -big : big;
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}

/** Types of sequences that stand for a value which is looked at when all of the message is there. */
type Standing = ReadonlySet<string>;

/** What a receiver knows of a sequence that is open. */
export class Frame {
  /** Who builds the value. */
  unslicer: Unslicer | undefined;
  /** Children received so far. */
  count = 0;
  /** How many children there may be. */
  maxChildren = 0;
  /** The number in the OPEN token, which CLOSE repeats. */
  openNumber = 0;
  /** Whether anybody has a say about each token: the unslicer, or a constraint. */
  asks = true;
  /** Whether the unslicer wants to be asked about each token. */
  checksTokens = true;
  /** Whether a constraint may have a say about each token. */
  constrains = true;
  /** Whether the unslicer has a say in which sequences may be inside. */
  choosesTypes = true;
  /** Whether nobody has a say about tokens or types. */
  takesAny = false;

  readonly #standing: Standing | undefined;

  /** @param standing What may stand in the place of any value, besides a `reference` to a container. */
  constructor(standing?: Standing) {
    this.#standing = standing;
  }

  /** A sequence begins here. */
  enter(unslicer: Unslicer): void {
    this.unslicer = unslicer;
    this.count = 0;
    this.maxChildren = unslicer.maxChildren;
    this.checksTokens = unslicer.checkToken !== Unslicer.prototype.checkToken;
    this.constrains = unslicer.constrains;
    this.asks = this.checksTokens || this.constrains;
    this.choosesTypes = unslicer.open !== Unslicer.prototype.open;
    this.takesAny = !this.asks && !this.choosesTypes;
    unslicer.frame = this;
  }

  /** A sequence begins whose unslicer takes any tokens and types, and on which there is no constraint. */
  enterAny(unslicer: Unslicer, maxChildren: number): void {
    this.unslicer = unslicer;
    this.count = 0;
    this.maxChildren = maxChildren;
    this.checksTokens =
      this.constrains =
      this.asks =
      this.choosesTypes =
        false;
    this.takesAny = true;
    unslicer.frame = this;
  }

  /**
   * May a token come as the next child? Asked before anything of it is kept.
   *
   * @throws {Violation} If it may not, and only this value is lost.
   * @throws {ProtocolError} If it may not, and the connection is lost.
   */
  ask(type: number, size: number): void {
    const unslicer = this.unslicer!;
    if (this.checksTokens) unslicer.checkToken(type, size);
    if (!this.constrains) return;
    const { contents } = unslicer;
    if (contents !== undefined && this.count >= contents.maxChildren) {
      throw new Violation(`More than ${contents.maxChildren} children in one sequence`);
    }
    try {
      const rule = unslicer.nextConstraint();
      // Where something may stand for a value, a sequence is judged when its type is known.
      if (type !== OPEN || this.#standing === undefined) rule?.checkToken(type, size);
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** Whether a constraint refuses a sequence of this type as the next child. */
  refuses(word: string): boolean {
    try {
      this.contentsOf(undefined, word);
      return false;
    } catch (error) {
      if (error instanceof Violation) return true;
      throw error;
    }
  }

  /**
   * What a constraint says about the inside of a sequence that begins as the next child.
   *
   * @throws {Violation} If it must not be there.
   */
  contentsOf(first: string | undefined, word: string): Contents | undefined {
    // What a `reference` names is looked at when all of the message is there.
    if (word === "reference" && first === undefined) return undefined;
    if (first === undefined && this.#standing?.has(word) === true) return undefined;
    try {
      const rule = this.unslicer!.nextConstraint();
      if (this.#standing !== undefined) rule?.checkToken(OPEN, 0);
      return first === undefined ? rule?.inside(word, undefined) : rule?.inside(first, word);
    } catch (error) {
      throw refusalOf(error);
    }
  }
}
