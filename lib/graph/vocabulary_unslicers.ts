/**
 * Vocabulary tables in mid-stream: `set-vocab` puts another table in the place of the one that is there, `add-vocab` adds a
 * word. Only in stored values; on a connection the two Tubs agree on a table, and these are refused.
 *
 * `OPEN set-vocab (INT(index) STRING(word))* CLOSE`, `OPEN add-vocab INT(index) STRING(word) CLOSE`
 *
 * Source: Foolscap `slicers/vocab.py`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import { MAX_VOCABULARY_WORD_BYTES, MAX_VOCABULARY_WORDS } from "../limits.ts";
import { INT, STRING } from "../wire/tokens.ts";
import { type Receiving, Unslicer } from "./unslicer.ts";

/** A table that can be changed. */
export interface VocabularyTarget {
  /** The words that the sender may use by number from now on; those of other numbers are gone. */
  setVocabulary(words: ReadonlyMap<number, Uint8Array>): void;
  /** One more word, or another one of the same number. */
  addToVocabulary(index: number, word: Uint8Array): void;
}

/** What a vocabulary sequence gives instead of a value. */
export const VOCABULARY_CHANGED: unique symbol = Symbol("vocabulary changed");

/** The words of one stream. */
export class StreamVocabulary {
  readonly #target: VocabularyTarget;
  #indices = new Set<number>();

  /** No words yet. */
  constructor(target: VocabularyTarget) {
    this.#target = target;
  }

  /** The unslicer of a vocabulary sequence; `undefined` for another word. */
  unslicerFor(word: string, receiver: Receiving): Unslicer | undefined {
    if (word === "set-vocab") return new VocabularyUnslicer(receiver, Infinity, (words) => this.#set(words));
    if (word === "add-vocab") return new VocabularyUnslicer(receiver, 1, (words) => this.#add(words));
    return undefined;
  }

  #set(words: ReadonlyMap<number, Uint8Array>): void {
    this.#indices = new Set(words.keys());
    this.#target.setVocabulary(words);
  }

  #add(words: ReadonlyMap<number, Uint8Array>): void {
    for (const [index, word] of words) {
      if (this.#indices.add(index).size > MAX_VOCABULARY_WORDS) throw tooMany();
      this.#target.addToVocabulary(index, word);
    }
  }
}

/** What fits into an INT of Python's. */
const MAX_INDEX = 0x7fffffff;

function tooMany(): Violation {
  return new Violation(`The vocabulary has more than ${MAX_VOCABULARY_WORDS} words`);
}

class VocabularyUnslicer extends Unslicer {
  readonly #words = new Map<number, Uint8Array>();
  readonly #max: number;
  readonly #done: (words: ReadonlyMap<number, Uint8Array>) => void;
  #index: number | undefined;

  constructor(receiver: Receiving, max: number, done: (words: ReadonlyMap<number, Uint8Array>) => void) {
    super(receiver);
    this.#max = max;
    this.#done = done;
  }

  override checkToken(type: number, size: number): void {
    if (this.#words.size >= this.#max) throw new Violation("add-vocab only accepts two values");
    if (this.#index === undefined) {
      if (type !== INT) throw new ProtocolError("Vocab key must be an INT");
      if (this.#words.size >= MAX_VOCABULARY_WORDS) throw tooMany();
    } else {
      if (type !== STRING) throw new ProtocolError("Vocab value must be a STRING");
      if (size > MAX_VOCABULARY_WORD_BYTES) {
        throw new Violation(`Vocabulary word too long: ${size} > ${MAX_VOCABULARY_WORD_BYTES} bytes`);
      }
    }
  }

  override receive(value: unknown): void {
    if (!(Number(value) <= MAX_INDEX)) throw new ProtocolError("Vocab key is too large");
    const index = value as number;
    if (this.#words.has(index)) throw new ProtocolError(`Duplicate vocab key ${index}`);
    this.#index = index;
  }

  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    this.#words.set(this.#index!, bytes.slice(start, end));
    this.#index = undefined;
  }

  override close(): typeof VOCABULARY_CHANGED {
    if (this.#index !== undefined || (this.#max === 1 && this.#words.size === 0)) {
      throw new ProtocolError("Vocabulary sequence ended early");
    }
    this.#done(this.#words);
    return VOCABULARY_CHANGED;
  }
}
