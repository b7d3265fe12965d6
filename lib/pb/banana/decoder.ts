/**
 * Bytes to s-expressions, at any chunk boundary.
 *
 * Every limit is checked when a token's prefix is there, before anything is kept of what it announces.
 *
 * Source: Twisted `banana.py`, `dataReceived`.
 *
 * @module
 */

import { Float } from "../../values/float.ts";
import { readHeader } from "../../wire/headers.ts";
import { FLOAT, INT, LIST, LONGINT, LONGNEG, NEG, STRING, VOCAB } from "../../wire/tokens.ts";
import { BananaError } from "../errors.ts";
import { DEFAULT_PB_LIMITS, MAX_PREFIX_DIGITS, type PbLimits } from "../limits.ts";
import type { Expression } from "./expression.ts";
import { commonWord, learnWord, VOCABULARY } from "./words.ts";

/** The estimate of {@linkcode PbLimits.maxExpressionBytes}, in bytes. */
const STRING_COST = 96, LIST_COST = 48, ELEMENT_COST = 16;
/** A body is gathered in pieces of at least this size: an announced size alone costs no memory. */
const FIRST_PIECE_BYTES = 16 * 1024;

/** Lists up to this length are made as long as they will be. */
const SHORT_LIST = 16;

/** The incremental decoder of one direction of one connection. */
export class BananaDecoder {
  readonly #received: (expression: Expression) => void;
  #limits: PbLimits;
  readonly #double = new DataView(new ArrayBuffer(8));
  // Lists that are open, outermost first, and how many elements each still lacks: less than 0 for one that
  // has its length already.
  readonly #open: Expression[][] = [];
  readonly #missing: number[] = [];
  #spent = 0;
  #rest: Uint8Array | undefined; // the beginning of a token: digits, or FLOAT and some of its bytes
  #body: Uint8Array | undefined; // what has come of a STRING
  #bodySize = 0;
  #bodyFilled = 0;

  /** Whether words may come as numbers: in dialect `pb`, and not before it was agreed on. */
  vocabulary: boolean;

  /**
   * A decoder that starts without, or with, the vocabulary.
   *
   * @param received Takes each whole expression. What it throws ends the decoding.
   */
  constructor(
    received: (expression: Expression) => void,
    vocabulary = false,
    limits: PbLimits = DEFAULT_PB_LIMITS,
  ) {
    this.#received = received;
    this.vocabulary = vocabulary;
    this.#limits = limits;
  }

  /** From here on other limits hold. To be set between two expressions. */
  set limits(limits: PbLimits) {
    this.#limits = limits;
  }

  /** Whether the bytes so far end between two expressions. */
  get betweenExpressions(): boolean {
    return this.#rest === undefined && this.#body === undefined && this.#open.length === 0;
  }

  /**
   * Decodes as much as there is.
   *
   * @throws {BananaError} If the bytes are not Banana, or exceed a limit; and whatever the receiver throws. The decoder
   * is of no further use then.
   */
  push(chunk: Uint8Array): void {
    let bytes = chunk;
    let at = 0;
    if (this.#body !== undefined) {
      at = this.#continueBody(bytes);
      if (this.#body !== undefined) return;
    } else if (this.#rest !== undefined) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
      this.#rest = undefined;
    }
    const end = bytes.length;
    while (at < end) {
      const start = at;
      let byte = bytes[at++]!;
      let value: number | bigint = 0;
      if (byte < 0x80) {
        // Up to four digits fit into 31 bits; nearly every prefix has one or two.
        let small = byte;
        let shift = 7;
        while (at < end && (byte = bytes[at++]!) < 0x80 && shift < 28) {
          small |= byte << shift;
          shift += 7;
        }
        value = small;
        if (byte < 0x80) {
          while (at < end && byte < 0x80) byte = bytes[at++]!;
          const digits = at - start - (byte < 0x80 ? 0 : 1);
          if (digits > MAX_PREFIX_DIGITS) {
            throw new BananaError(`A token's prefix is limited to ${MAX_PREFIX_DIGITS} bytes`);
          }
          if (byte < 0x80) return this.#keep(bytes, start);
          value = readHeader(bytes, start, at - 1);
        }
      }
      if (byte === INT || byte === LONGINT) this.#item(value);
      else if (byte === NEG || byte === LONGNEG) {
        // A negative zero is 0, as in Python.
        this.#item(typeof value === "bigint" ? -value : value === 0 ? 0 : -value);
      } else if (byte === LIST) this.#list(value);
      else if (byte === VOCAB) this.#word(value);
      else if (byte === STRING) {
        const size = this.#size(value);
        const there = end - at;
        if (there < size) return this.#beginBody(bytes, at, size);
        this.#string(bytes, at, at + size);
        at += size;
      } else if (byte === FLOAT) {
        // The digits in front of a FLOAT mean nothing: only from its type byte on is it kept for the next chunk.
        if (end - at < 8) return this.#keep(bytes, at - 1);
        for (let i = 0; i < 8; i++) this.#double.setUint8(i, bytes[at + i]!);
        const double = this.#double.getFloat64(0);
        this.#item(Number.isSafeInteger(double) && !Object.is(double, -0) ? new Float(double) : double);
        at += 8;
      } else {
        throw new BananaError(`Invalid type byte 0x${byte.toString(16)}`);
      }
    }
  }

  #keep(bytes: Uint8Array, start: number): void {
    this.#rest = bytes.slice(start);
  }

  #size(value: number | bigint): number {
    const { maxStringBytes } = this.#limits;
    if (value > maxStringBytes) {
      throw new BananaError(`A string of ${value} bytes exceeds the limit of ${maxStringBytes}`);
    }
    const size = Number(value);
    this.#spend(STRING_COST + size);
    return size;
  }

  #spend(bytes: number): void {
    this.#spent += bytes;
    if (this.#spent > this.#limits.maxExpressionBytes) {
      throw new BananaError(
        `An expression takes more than the limit of ${this.#limits.maxExpressionBytes} bytes`,
      );
    }
  }

  #list(count: number | bigint): void {
    const { maxListElements, maxDepth } = this.#limits;
    if (count > maxListElements) {
      throw new BananaError(`A list of ${count} elements exceeds the limit of ${maxListElements}`);
    }
    if (this.#open.length >= maxDepth) {
      throw new BananaError(`Lists more than ${maxDepth} deep inside each other`);
    }
    const elements = Number(count);
    this.#spend(LIST_COST + ELEMENT_COST * elements);
    if (elements === 0) return this.#item([]);
    // A long one grows as its elements come: an announced count alone costs no memory.
    const isShort = elements <= SHORT_LIST;
    this.#open.push(isShort ? new Array(elements) : []);
    this.#missing.push(isShort ? -elements : elements);
  }

  #word(number: number | bigint): void {
    if (!this.vocabulary) throw new BananaError("A VOCAB token, and this connection has no vocabulary");
    const word = typeof number === "number" ? VOCABULARY[number] : undefined;
    if (word === undefined) throw new BananaError(`A VOCAB token of unknown number ${number}`);
    this.#item(word);
  }

  #string(bytes: Uint8Array, start: number, end: number): void {
    // What stands directly in a message, and no deeper, are names; who has no vocabulary reads no messages.
    const word = commonWord(bytes, start, end) ??
      (this.vocabulary && this.#open.length === 1 ? learnWord(bytes, start, end) : undefined);
    this.#item(word ?? bytes.slice(start, end));
  }

  #beginBody(bytes: Uint8Array, at: number, size: number): void {
    const there = bytes.length - at;
    this.#bodySize = size;
    this.#bodyFilled = there;
    this.#body = new Uint8Array(Math.min(size, Math.max(FIRST_PIECE_BYTES, there * 2)));
    this.#body.set(bytes.subarray(at));
  }

  /** Goes on with a string that began in an earlier chunk; gives the bytes used up. */
  #continueBody(bytes: Uint8Array): number {
    let body = this.#body!;
    const take = Math.min(bytes.length, this.#bodySize - this.#bodyFilled);
    const needed = this.#bodyFilled + take;
    if (needed > body.length) {
      const grown = new Uint8Array(Math.min(this.#bodySize, Math.max(body.length * 2, needed)));
      grown.set(body.subarray(0, this.#bodyFilled));
      this.#body = body = grown;
    }
    body.set(bytes.subarray(0, take), this.#bodyFilled);
    this.#bodyFilled = needed;
    if (needed === this.#bodySize) {
      this.#body = undefined;
      this.#item(commonWord(body, 0, needed) ?? body);
    }
    return take;
  }

  /** An element is whole: so may be lists that it ends, and the expression. */
  #item(item: Expression): void {
    const open = this.#open;
    let whole = item;
    for (let last = open.length - 1; last >= 0; last--) {
      const list = open[last]!;
      const missing = this.#missing[last]!;
      if (missing < 0) list[list.length + missing] = whole;
      else list.push(whole);
      const left = missing < 0 ? missing + 1 : missing - 1;
      this.#missing[last] = left;
      if (left !== 0) return;
      whole = open.pop()!;
      this.#missing.pop();
    }
    this.#spent = 0;
    this.#received(whole);
  }
}
