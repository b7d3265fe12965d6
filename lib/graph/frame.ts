/**
 * The place of one sequence on a receiver's stack.
 *
 * Frames are kept by depth and used again and again. They hold what the receiver looks at for every
 * token, so that this is one kind of object for V8, whichever of the many kinds of unslicers is on top.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { type Contents, refusalOf } from "./schema/constraint.ts";
import { OPEN } from "../wire/tokens.ts";
import { Unslicer } from "./unslicer.ts";

/** Types of sequences that stand for a value which is looked at when all of the message is there. */
export type Standing = ReadonlySet<string>;

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
