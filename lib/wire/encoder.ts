/**
 * Tokens to bytes, gathered until they are taken to be written.
 *
 * Everything that one turn of the event loop sends goes into one buffer. A message that turns out not to
 * be sendable is taken back to a mark, OPEN numbers included, as if it had never been begun.
 *
 * Source: Foolscap `banana.py`, `sendToken` and its kin.
 *
 * @module
 */

import { encodeText } from "../util/text.ts";
import { writeDigits, writeHeader } from "./headers.ts";
import { CLOSE, FLOAT, INT, LONGINT, LONGNEG, NEG, OPEN, PONG, STRING, VOCAB } from "./tokens.ts";

/** A place in what an encoder has gathered. */
export interface EncoderMark {
  readonly length: number;
  readonly parts: number;
  readonly partBytes: number;
  readonly opens: number;
}

// Room for a header of any safe integer, and its type byte: a constant of this module is folded in, an imported one is not.
const HEADER_ROOM = 16;
const INITIAL_BYTES = 16 * 1024;
/** A body of this size is copied once, into a piece of its own, and not through the buffer. */
const LARGE_BODY_BYTES = 32 * 1024;
const LONGEST_WORD = 15;
/** Texts shorter than this are written byte by byte: calls into the platform cost more than a loop. */
const SHORT_TEXT = 64;
const SMALL_A = 0x61;

/** Gathers the tokens of one direction of one connection. */
export class TokenEncoder {
  #buffer = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #opens = 0;
  readonly #vocabulary: ReadonlyMap<string, number>;
  // For each length, a bit for each small letter that a word of that length begins with. It spares nearly all texts
  // that are no words of the vocabulary the look-up.
  readonly #initials = new Uint32Array(LONGEST_WORD + 1);
  readonly #unicode: number | undefined;

  /** An encoder that sends these words as their index. */
  constructor(vocabulary: readonly string[] = []) {
    this.#vocabulary = new Map(vocabulary.map((word, index) => [word, index]));
    this.#unicode = this.#vocabulary.get("unicode");
    for (const word of vocabulary) this.#initials[word.length]! |= 1 << (word.charCodeAt(0) - SMALL_A);
  }

  /** Bytes that wait to be taken. */
  get pendingBytes(): number {
    return this.#partBytes + this.#length;
  }

  /** OPEN tokens written so far: the number that the next one gets. */
  get opens(): number {
    return this.#opens;
  }

  /** The place to which {@linkcode TokenEncoder.rollback} returns. */
  mark(): EncoderMark {
    return {
      length: this.#length,
      parts: this.#parts.length,
      partBytes: this.#partBytes,
      opens: this.#opens,
    };
  }

  /** Forgets everything since a mark. Nothing may have been taken in between. */
  rollback(mark: EncoderMark): void {
    if (this.#parts.length > mark.parts) {
      // The buffer was closed off since: its beginning is the first of the newer parts.
      const first = this.#parts[mark.parts]!.subarray(0, mark.length);
      this.#parts.length = mark.parts;
      this.#length = 0;
      this.#room(first.length);
      this.#buffer.set(first);
    }
    this.#length = mark.length;
    this.#partBytes = mark.partBytes;
    this.#opens = mark.opens;
  }

  /** Hands over everything gathered, in order; the caller owns the pieces. */
  take(): Uint8Array[] {
    this.#closeOff();
    const parts = this.#parts;
    this.#parts = [];
    this.#partBytes = 0;
    return parts;
  }

  /** Begins a sequence of the type `word` (its first index token). Returns the number for its CLOSE. */
  open(word: string): number {
    const number = this.#opens++;
    this.#room(HEADER_ROOM);
    this.#header(number, OPEN);
    this.word(word);
    return number;
  }

  /** Ends the sequence that `open()` numbered so. */
  close(number: number): void {
    this.#room(HEADER_ROOM);
    this.#header(number, CLOSE);
  }

  /** An integer from -(2^53 - 1) to 2^53 - 1. */
  integer(value: number): void {
    this.#room(HEADER_ROOM);
    if (value >= 0) {
      if (value <= 0x7fffffff) this.#header(value, INT);
      else this.#magnitude(value, LONGINT);
    } else if (value >= -0x80000000) {
      this.#header(-value, NEG);
    } else {
      this.#magnitude(-value, LONGNEG);
    }
  }

  /** An integer of any size. */
  bigInteger(value: bigint): void {
    if (value >= -0x80000000n && value <= 0x7fffffffn) return this.integer(Number(value));
    const negative = value < 0n;
    let hex = (negative ? -value : value).toString(16);
    if (hex.length % 2 === 1) hex = `0${hex}`;
    this.#sized(Uint8Array.fromHex(hex), negative ? LONGNEG : LONGINT);
  }

  /** A double. */
  double(value: number): void {
    this.#room(9);
    this.#buffer[this.#length++] = FLOAT;
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  /** Bytes. They are copied: the caller may change them right after. */
  bytes(value: Uint8Array): void {
    if (this.#mayBeWord(value.length, value[0]!)) {
      const index = this.#vocabulary.get(asciiOf(value));
      if (index !== undefined) {
        this.#room(HEADER_ROOM);
        return this.#header(index, VOCAB);
      }
    }
    this.#sized(value, STRING);
  }

  /**
   * A whole `unicode` sequence.
   *
   * @returns Whether the text is well formed. If not, nothing is written.
   */
  text(text: string): boolean {
    const length = text.length;
    if (length < SHORT_TEXT) {
      this.#room(length + 5 * HEADER_ROOM);
      const before = this.#length;
      this.#header(this.#opens, OPEN);
      const behind = this.#length;
      if (this.#unicode !== undefined) this.#header(this.#unicode, VOCAB);
      else this.word("unicode");
      if (this.#shortWord(text, length)) {
        this.#opens++;
        const buffer = this.#buffer;
        let at = this.#length;
        // CLOSE repeats the number.
        for (let i = before; i < behind - 1; i++) buffer[at++] = buffer[i]!;
        buffer[at++] = CLOSE;
        this.#length = at;
        return true;
      }
      this.#length = before;
    }
    if (!text.isWellFormed()) return false;
    const number = this.open("unicode");
    this.#encoded(text);
    this.close(number);
    return true;
  }

  /** Text as a STRING (or VOCAB) of its UTF-8. The caller makes sure that the text is well formed. */
  word(text: string): void {
    const length = text.length;
    if (length < SHORT_TEXT) {
      this.#room(length + 2 * HEADER_ROOM);
      if (this.#shortWord(text, length)) return;
    }
    this.#encoded(text);
  }

  /** Any token that has only a header, and none when the header is 0: PING and PONG. */
  bare(type: number, value: number): void {
    this.#room(HEADER_ROOM);
    if (value === 0) this.#buffer[this.#length++] = type;
    else this.#header(value, type);
  }

  /** PONG with a number of any size. */
  pong(value: number | bigint): void {
    if (typeof value === "number") return this.bare(PONG, value);
    this.#room(80);
    this.#length = writeDigits(this.#buffer, this.#length, value);
    this.#buffer[this.#length++] = PONG;
  }

  /** A token whose body is bytes, such as ERROR. */
  sized(type: number, body: Uint8Array): void {
    this.#sized(body, type);
  }

  #mayBeWord(length: number, first: number): boolean {
    if (length > LONGEST_WORD || !(first >= SMALL_A)) return false;
    return (this.#initials[length]! & (1 << (first - SMALL_A))) !== 0;
  }

  /** Writes a text that is short and ASCII, or nothing and returns false. There is room for it. */
  #shortWord(text: string, length: number): boolean {
    if (this.#mayBeWord(length, text.charCodeAt(0))) {
      const index = this.#vocabulary.get(text);
      if (index !== undefined) {
        this.#header(index, VOCAB);
        return true;
      }
    }
    const buffer = this.#buffer;
    const before = this.#length;
    buffer[before] = length;
    buffer[before + 1] = STRING;
    let at = before + 2;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    this.#length = at;
    return true;
  }

  #encoded(text: string): void {
    const bytes = encodeText(text);
    if (bytes.length < LARGE_BODY_BYTES) return this.#sized(bytes, STRING);
    this.#room(HEADER_ROOM);
    this.#header(bytes.length, STRING);
    this.#part(bytes);
  }

  #magnitude(value: number, type: number): void {
    let high = Math.floor(value / 0x100000000);
    let low = value >>> 0;
    const buffer = this.#buffer;
    let size = 4;
    for (let rest = high; rest > 0; rest >>>= 8) size++;
    if (high === 0) { while (size > 1 && low >>> (8 * size - 8) === 0) size--; }
    buffer[this.#length++] = size;
    buffer[this.#length++] = type;
    this.#length += size;
    for (let i = this.#length - 1; size > 0; i--, size--) {
      buffer[i] = low & 0xff;
      low = (low >>> 8) | ((high & 0xff) << 24);
      high >>>= 8;
    }
  }

  #sized(value: Uint8Array, type: number): void {
    const length = value.length;
    if (length >= LARGE_BODY_BYTES) {
      this.#room(HEADER_ROOM);
      this.#header(length, type);
      this.#part(value.slice());
      return;
    }
    this.#room(length + HEADER_ROOM);
    this.#header(length, type);
    this.#buffer.set(value, this.#length);
    this.#length += length;
  }

  /** Puts bytes that belong to nobody else behind what the buffer holds. */
  #part(bytes: Uint8Array): void {
    this.#closeOff();
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
  }

  #closeOff(): void {
    const length = this.#length;
    if (length === 0) return;
    // A small piece is copied and the buffer goes on; a large one is handed over as it is.
    const small = length * 2 < INITIAL_BYTES;
    this.#parts.push(small ? this.#buffer.slice(0, length) : this.#buffer.subarray(0, length));
    if (!small || this.#buffer.length > INITIAL_BYTES) {
      this.#buffer = new Uint8Array(INITIAL_BYTES);
      this.#view = new DataView(this.#buffer.buffer);
    }
    this.#partBytes += length;
    this.#length = 0;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, needed));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** A header of a safe integer of 0 or more; there is room for it. */
  #header(value: number, type: number): void {
    const buffer = this.#buffer;
    let at = this.#length;
    if (value < 0x80) {
      // Nearly all headers are this short: a call would cost them a fifth.
      buffer[at++] = value;
      buffer[at++] = type;
    } else at = writeHeader(buffer, at, value, type);
    this.#length = at;
  }
}

function asciiOf(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
