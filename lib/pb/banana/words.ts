/**
 * The words of Perspective Broker: its vocabulary, and others that come again and again.
 *
 * Source: Twisted `banana.py`, `outgoingVocabulary`.
 *
 * @module
 */

import { decodeText } from "../../util/text.ts";

/** A byte string that is known beforehand, with its text. One object for each word: nobody may change or keep it. */
export class Word extends Uint8Array<ArrayBuffer> {
  /** Derived arrays are plain, and belong to who made them. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  /** The same as text. */
  readonly text: string;

  /** The bytes of an ASCII text. */
  constructor(text: string) {
    super(new ArrayBuffer(text.length));
    for (let i = 0; i < text.length; i++) this[i] = text.charCodeAt(i);
    this.text = text;
  }
}

/** The words that dialect `pb` sends as a number, which is their place here; 0 is none. */
export const VOCABULARY: readonly (Word | undefined)[] = [
  undefined,
  ...[
    "None class dereference reference dictionary function instance list module persistent tuple unpersistable",
    "copy cache cached remote local lcache version login password challenge logged_in not_logged_in cachemessage",
    "message answer error decref decache uncache",
  ].join(" ").split(" ").map((text) => new Word(text)),
];

/** The numbers of the words of dialect `pb`. */
export const VOCABULARY_NUMBERS: ReadonlyMap<string, number> = new Map(
  VOCABULARY.flatMap((word, number) => word === undefined ? [] : [[word.text, number] as const]),
);

const LONGEST = 16;

/** By length: words that are read without making a new byte string each time. */
const COMMON: readonly Word[][] = Array.from({ length: LONGEST + 1 }, () => []);
for (const word of VOCABULARY) if (word !== undefined) COMMON[word.length]!.push(word);
for (
  const text of [
    "unicode boolean true false set frozenset datetime date time timedelta decimal method root didNotUnderstand",
  ].join(" ").split(" ")
) {
  COMMON[text.length]!.push(new Word(text));
}

/** Names of methods and objects come again and again too; which, one learns. Of two in one slot the later one stays. */
const learned: (Word | undefined)[] = new Array(256).fill(undefined);
const LONGEST_LEARNED = 24;

/** A short name in ASCII as a word that is kept; undefined for any other. */
export function learnWord(bytes: Uint8Array, start: number, end: number): Word | undefined {
  const length = end - start;
  if (length > LONGEST_LEARNED) return undefined;
  let hash = length;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte > 0x7f) return undefined;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const slot = (hash ^ (hash >>> 11)) & 255;
  const known = learned[slot];
  if (known !== undefined && known.length === length) {
    let i = 0;
    while (i < length && known[i] === bytes[start + i]) i++;
    if (i === length) return known;
  }
  return learned[slot] = new Word(decodeText(bytes, start, end));
}

/** The word that stands in `bytes[start..end)`, if it is one that comes again and again. */
export function commonWord(bytes: Uint8Array, start: number, end: number): Word | undefined {
  const length = end - start;
  if (length > LONGEST) return undefined;
  next: for (const word of COMMON[length]!) {
    for (let i = 0; i < length; i++) if (bytes[start + i] !== word[i]) continue next;
    return word;
  }
  return undefined;
}
