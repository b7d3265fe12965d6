/**
 * S-expressions to bytes, gathered until they are taken to be written.
 *
 * Source: Twisted `banana.py`, `_encode`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { encodeText } from "../../util/text.ts";
import { Float } from "../../values/float.ts";
import { writeDigits, writeHeader } from "../../wire/headers.ts";
import { FLOAT, INT, LIST, LONGINT, LONGNEG, NEG, STRING, VOCAB } from "../../wire/tokens.ts";
import { DEFAULT_PB_LIMITS, MAX_PREFIX_DIGITS, type PbLimits } from "../limits.ts";
import type { Expression } from "./expression.ts";
import { commonWord, VOCABULARY_NUMBERS } from "./words.ts";

// Room for a header of any safe integer, and its type byte: a constant of this module is folded in, an imported one is not.
const HEADER_ROOM = 16;
const INITIAL_BYTES = 16 * 1024;
const LONGEST_WORD = 13;
/** Texts shorter than this are written byte by byte: calls into the platform cost more than a loop. */
const SHORT_TEXT = 64;
/** `("unicode"` and no end: the same in both dialects. */
const UNICODE = Uint8Array.of(2, LIST, 7, STRING, 0x75, 0x6e, 0x69, 0x63, 0x6f, 0x64, 0x65);
/** What no number of 64 digits reaches. */
const TOO_LARGE = 1n << BigInt(7 * MAX_PREFIX_DIGITS);

/** A `(reference id` that is put in later, when it turns out that something is referred to. */
export interface Insertion {
  /** A {@linkcode BananaEncoder.position}, where an element begins. */
  readonly position: number;
  /** Its number. */
  readonly id: number;
}

/** Gathers the expressions of one direction of one connection. */
export class BananaEncoder {
  #buffer = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;
  readonly #limits: PbLimits;

  /** Whether words are sent as numbers: in dialect `pb`, and not before it was agreed on. */
  vocabulary: boolean;

  /**
   * How many elements have begun less those that lists announced: it is one higher after an expression is whole. So
   * it tells whether code of the program's has written one expression and no more.
   */
  elements = 0;

  /** An encoder that starts without, or with, the vocabulary. */
  constructor(vocabulary = false, limits: PbLimits = DEFAULT_PB_LIMITS) {
    this.vocabulary = vocabulary;
    this.#limits = limits;
  }

  /** Bytes that wait to be taken; also the place to which {@linkcode BananaEncoder.rollback} returns. */
  get position(): number {
    return this.#length;
  }

  /** Forgets everything from a position on. Nothing may have been taken since. */
  rollback(position: number): void {
    this.#length = position;
  }

  /** Hands over everything gathered, to the caller for good. */
  take(): Uint8Array<ArrayBuffer> {
    const length = this.#length;
    this.#length = 0;
    // A small piece is copied and the buffer goes on; a large one is handed over as it is.
    const isSmall = length * 2 < INITIAL_BYTES;
    const taken = isSmall ? this.#buffer.slice(0, length) : this.#buffer.subarray(0, length);
    if (isSmall && this.#buffer.length === INITIAL_BYTES) return taken;
    this.#buffer = new Uint8Array(INITIAL_BYTES);
    this.#view = new DataView(this.#buffer.buffer);
    return taken;
  }

  /**
   * Begins a list: as many elements as this must follow.
   *
   * @throws {Violation} If that is more than a list may have.
   */
  list(count: number): void {
    if (count > this.#limits.maxListElements) {
      throw new Violation(
        `Cannot send a list of ${count} elements: Perspective Broker's limit is ${this.#limits.maxListElements}`,
      );
    }
    this.#header(count, LIST);
    this.elements -= count;
  }

  /**
   * An integer from -(2^53 - 1) to 2^53 - 1.
   *
   * @throws {Violation} If it is none.
   */
  integer(value: number): void {
    // The digits of Infinity never end.
    if (!Number.isSafeInteger(value)) {
      throw new Violation(`Cannot send ${value} as an integer: it is none, or not exact; use a bigint`);
    }
    if (value >= 0) this.#header(value, value <= 0x7fffffff ? INT : LONGINT);
    else this.#header(-value, value >= -0x80000000 ? NEG : LONGNEG);
  }

  /**
   * An integer of any size that fits.
   *
   * @throws {Violation} If its magnitude is 2^448 or more.
   */
  bigInteger(value: bigint): void {
    const magnitude = value < 0n ? -value : value;
    if (magnitude <= 0xffffffffn) return this.integer(Number(value));
    if (magnitude >= TOO_LARGE) {
      throw new Violation("Cannot send an integer of 2^448 or more: Perspective Broker has no room for it");
    }
    this.#room(MAX_PREFIX_DIGITS + 1);
    const at = writeDigits(this.#buffer, this.#length, magnitude);
    this.#buffer[at] = value < 0n ? LONGNEG : LONGINT;
    this.#length = at + 1;
    this.elements++;
  }

  /** A double. */
  double(value: number): void {
    this.#room(9);
    this.#buffer[this.#length++] = FLOAT;
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
    this.elements++;
  }

  /**
   * A byte string, which is copied.
   *
   * @throws {Violation} If it is too long.
   */
  bytes(value: Uint8Array): void {
    const length = value.length;
    if (this.vocabulary && length <= LONGEST_WORD && length > 3) {
      const word = commonWord(value, 0, length);
      if (word !== undefined && this.#known(word.text)) return;
    }
    this.#checkLength(length);
    this.#header(length, STRING);
    this.#room(length);
    this.#buffer.set(value, this.#length);
    this.#length += length;
  }

  /**
   * Text as a byte string of its UTF-8.
   *
   * @throws {Violation} If it has lone surrogates, or is too long.
   */
  word(text: string): void {
    const length = text.length;
    if (this.vocabulary && length <= LONGEST_WORD && length > 3 && this.#known(text)) return;
    if (length < SHORT_TEXT) {
      this.#room(length + 2);
      const buffer = this.#buffer;
      const before = this.#length;
      let at = before + 2;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        buffer[at++] = code;
      }
      if (i === length) {
        buffer[before] = length;
        buffer[before + 1] = STRING;
        this.#length = at;
        this.elements++;
        return;
      }
    }
    if (!text.isWellFormed()) {
      throw new Violation("Cannot send text with a lone surrogate: it has no UTF-8, so make it well-formed");
    }
    // No more than three bytes come of one unit, and no fewer than one.
    this.#checkLength(length);
    const bytes = encodeText(text);
    this.#checkLength(bytes.length);
    this.#header(bytes.length, STRING);
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /**
   * `("unicode" text)`.
   *
   * @throws {Violation} As {@linkcode BananaEncoder.word}.
   */
  text(text: string): void {
    this.#room(UNICODE.length);
    this.#buffer.set(UNICODE, this.#length);
    this.#length += UNICODE.length;
    this.word(text);
  }

  /**
   * A whole expression.
   *
   * @throws {Violation} If something in it cannot be sent, is of no type that Banana has, or is too deep.
   */
  expression(value: Expression, depth = 0): void {
    if (typeof value === "number") {
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.integer(value);
      else this.double(value);
    } else if (typeof value === "bigint") this.bigInteger(value);
    else if (value instanceof Uint8Array) this.bytes(value);
    else if (value instanceof Float) this.double(value.value);
    else if (Array.isArray(value)) {
      if (depth >= this.#limits.maxDepth) {
        throw new Violation(`Cannot send lists more than ${this.#limits.maxDepth} deep inside each other`);
      }
      const { length } = value;
      this.list(length);
      for (let i = 0; i < length; i++) this.expression(value[i], depth + 1);
    } else {
      throw new Violation(
        `Cannot send ${kindOf(value)} by Banana: it has numbers, byte strings (Uint8Array) and lists only`,
      );
    }
  }

  /**
   * Puts `(reference id` in front of expressions that were written already, each of which becomes its second element.
   *
   * @param insertions In any order. Nothing may have been taken since the first of them.
   */
  wrap(insertions: Insertion[]): void {
    const ordered = insertions.toSorted((a, b) => a.position - b.position);
    const first = ordered[0]!.position;
    const written = this.#buffer.slice(first, this.#length);
    this.#length = first;
    for (let i = 0; i < ordered.length; i++) {
      const { position, id } = ordered[i]!;
      this.list(3);
      this.word("reference");
      this.integer(id);
      const piece = written.subarray(
        position - first,
        (ordered[i + 1]?.position ?? written.length + first) - first,
      );
      this.#room(piece.length);
      this.#buffer.set(piece, this.#length);
      this.#length += piece.length;
    }
  }

  #known(text: string): boolean {
    const number = VOCABULARY_NUMBERS.get(text);
    if (number === undefined) return false;
    this.#header(number, VOCAB);
    return true;
  }

  #checkLength(length: number): void {
    if (length > this.#limits.maxStringBytes) {
      throw new Violation(
        `Cannot send a string of ${length} bytes: Perspective Broker's limit is ${this.#limits.maxStringBytes}, so send it in pages`,
      );
    }
  }

  #header(value: number, type: number): void {
    this.#room(HEADER_ROOM);
    this.#length = writeHeader(this.#buffer, this.#length, value, type);
    this.elements++;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, needed));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" && name !== "" ? `an object of class ${name}` : "an object";
}
