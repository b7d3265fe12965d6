/**
 * The words of Perspective Broker: its vocabulary, and others that come again and again.
 *
 * Source: Twisted `banana.py`, `outgoingVocabulary`.
 *
 * @module
 */

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
