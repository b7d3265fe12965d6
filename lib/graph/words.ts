/**
 * The types of sequences as one receiver keeps them, the words that its sender may send by number, and short leaves that are taken
 * whole.
 *
 * Three quarters of the tokens of a list of records belong to texts, keys above all, and to booleans. To take each of those as
 * one thing, where all its bytes are there, saves most of the work; everything out of the ordinary is left to the stack machine.
 *
 * @module
 */

import { encodeText } from "../util/text.ts";
import { CLOSE, STRING, VOCAB } from "../wire/tokens.ts";
import { Frame } from "./frame.ts";
import type { ReceiverOptions } from "./receiver_options.ts";
import { type Receiving, SEQUENCE_COST, TOKEN_COST, type UnslicerType, type WholeLeaf } from "./unslicer.ts";

/** A type of sequence, as one receiver keeps it. */
export interface KnownType {
  readonly type: UnslicerType;
  /** The frame of the one unslicer for all sequences of the type, if that is a leaf. */
  readonly leaf: Frame | undefined;
  /** Whether there is nothing to ask its unslicers where there is no constraint. */
  readonly takesAny: boolean;
  /** How many children they take then. */
  readonly maxChildren: number;
}

/** The types of a table, ready for one receiver. */
export function prepareTypes(receiver: Receiving, options: ReceiverOptions): Map<string, KnownType> {
  const known = new Map<string, KnownType>();
  for (const [word, type] of options.unslicers) {
    let leaf: Frame | undefined;
    if (type.isLeaf === true) (leaf = new Frame(options.standing)).enter(type.make(receiver, ""));
    const takesAny = type.takesAny === true;
    known.set(word, {
      type,
      leaf,
      takesAny,
      maxChildren: takesAny ? type.make(receiver, "").maxChildren : 0,
    });
  }
  return known;
}

/** A word that the sender may send by its number. */
export interface Word {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** The type of sequences that it names, if it names one. */
  readonly type: KnownType | undefined;
}

/** Headers below this are one byte, which is below it. */
const ONE_DIGIT = 0x80;

/** The words that a sender may send by number. */
export class Words {
  readonly #types: ReadonlyMap<string, KnownType>;
  readonly #maxBody: number;
  #words: (Word | undefined)[] = [];

  /** What {@linkcode Words.find} found: the type of a container, */
  container: KnownType | undefined;
  /** or else the value of a leaf; */
  leaf: unknown;
  /** and what it takes of the message's memory. */
  cost = 0;

  /** No words yet. */
  constructor(types: ReadonlyMap<string, KnownType>, limits: ReceiverOptions["limits"]) {
    this.#types = types;
    // With a limit as low as that, a leaf may be refused, which is not decided here.
    this.#maxBody = limits.maxElements > 0 ? Math.min(ONE_DIGIT - 1, limits.maxStringBytes) : -1;
  }

  /** Forgets all words. */
  clear(): void {
    this.#words = [];
  }

  /** One more word, or another one for the number. */
  set(index: number, text: string, bytes: Uint8Array = encodeText(text)): void {
    this.#words[index] = { text, bytes, type: this.#types.get(text) };
  }

  /** The word of a number. */
  get(index: number): Word | undefined {
    return this.#words[index];
  }

  /**
   * Looks for what can be taken at once behind an OPEN token: the type of a container by its number, or a whole leaf.
   *
   * @param start Where the OPEN token begins.
   * @param at Where it ends.
   * @returns The index behind it, or 0 if it is neither, or not all there.
   */
  find(bytes: Uint8Array, start: number, at: number): number {
    if (at + 2 > bytes.length || bytes[at + 1] !== VOCAB || bytes[at]! >= ONE_DIGIT) return 0;
    const type = this.#words[bytes[at]!]?.type;
    if (type === undefined) return 0;
    if (type.takesAny) {
      this.container = type;
      this.cost = SEQUENCE_COST;
      return at + 2;
    }
    this.container = undefined;
    return type.type.whole === undefined ? 0 : this.#findLeaf(type.type.whole, bytes, start, at);
  }

  /** Behind the number of its type, a leaf has one child with a header of one byte, and its CLOSE token. */
  #findLeaf(whole: WholeLeaf, bytes: Uint8Array, start: number, at: number): number {
    const digits = at - 1 - start;
    // VOCAB, the child without its body, CLOSE.
    const least = at + 4 + digits + 1;
    if (least > bytes.length || bytes[at + 3] !== whole.child) return 0;
    const header = bytes[at + 2]!;
    if (header >= ONE_DIGIT || header > this.#maxBody) return 0;
    const body = whole.child === STRING ? header : 0;
    if (least + body > bytes.length) return 0;
    const bodyStart = at + 4;
    const bodyEnd = bodyStart + body;
    for (let i = 0; i < digits; i++) if (bytes[bodyEnd + i] !== bytes[start + i]) return 0;
    if (bytes[bodyEnd + digits] !== CLOSE) return 0;
    try {
      this.leaf = whole.value(bytes, bodyStart, bodyEnd, header);
    } catch {
      return 0; // its unslicer says what is wrong
    }
    this.cost = SEQUENCE_COST + TOKEN_COST + body;
    return bodyEnd + digits + 1;
  }
}
