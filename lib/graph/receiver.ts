/**
 * The stack machine that turns tokens into values, and keeps one refused value from ending a connection.
 *
 * Two kinds of trouble: a Violation destroys the value it is in, outward to the first unslicer that
 * absorbs it (a call, an answer, the root), and the rest of that sequence is skipped; everything else
 * destroys the connection.
 *
 * Memory is estimated: the bytes of every string, 16 for a token and 64 for a sequence.
 *
 * Source: Foolscap `banana.py`, `handleData` to `handleViolation`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import { type Limits, MAX_NAME_BYTES, MAX_OPENTYPE_BYTES } from "../limits.ts";
import { decodeText, quoteForeign } from "../util/text.ts";
import { TokenDecoder, type TokenSink } from "../wire/decoder.ts";
import {
  ABORT,
  type BodyTable,
  CLOSE,
  ERROR,
  INT,
  LONGINT,
  LONGNEG,
  NEG,
  OPEN,
  PING,
  PONG,
  STRING,
  tokenName,
  VOCAB,
} from "../wire/tokens.ts";
import { violationAt } from "./path.ts";
import { type Pending, PendingScope } from "./pending.ts";
import type { Unslicer, UnslicerTable } from "./unslicer.ts";
import { Float } from "./values/float.ts";

/** The sender gave a sequence up. It is not answered. */
export class Aborted extends Violation {}

/** What a {@linkcode Receiver} needs. */
export interface ReceiverOptions {
  readonly limits: Limits;
  readonly tokens: BodyTable;
  /** The words that the peer may send by number. */
  readonly vocabulary: readonly string[];
  /** Types of sequences inside others. */
  readonly unslicers: UnslicerTable;
  /** Whether a double that is integral becomes a {@linkcode Float}, so that it can be told from an int. */
  readonly wrapFloats?: boolean;
  /** Whether a value that is no sequence may stand at the top: in the storage, not on a connection. */
  readonly bareTopLevel?: boolean;
  /** A PING came, which wants a PONG at once. */
  onPing?(value: number | bigint): void;
  /** The peer's last word before it closes. */
  onError?(text: string): void;
}

const TOKEN_COST = 16;
const SEQUENCE_COST = 64;

/** Builds values from the bytes of one direction of one connection. */
export class Receiver implements TokenSink {
  readonly limits: Limits;
  readonly unslicers: UnslicerTable;
  readonly #options: ReceiverOptions;
  readonly #decoder: TokenDecoder;
  readonly #words: readonly string[];
  readonly #wordBytes: (Uint8Array | undefined)[] = [];
  readonly #root: Unslicer;

  #top: Unslicer;
  #depth = 0;
  #memory = 0;
  // the index phase: an OPEN came, its type is not complete
  #inIndex = false;
  #openNumber = 0;
  #objectNumber = 0;
  #word: string | undefined;
  // objects of this message that a `reference` may name, by rising number
  #numbers: number[] = [];
  #objects: unknown[] = [];
  #lookedUp: Set<number> | undefined;
  #hashable: Set<unknown> | undefined;
  #scope: PendingScope | undefined;

  /** A receiver whose top-level sequences go to the unslicer that `makeRoot` gives. */
  constructor(makeRoot: (receiver: Receiver) => Unslicer, options: ReceiverOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.unslicers = options.unslicers;
    this.#words = options.vocabulary;
    this.#decoder = new TokenDecoder(this, {
      tokens: options.tokens,
      maxSkippedBytes: options.limits.maxSkippedBytes,
    });
    this.#top = this.#root = makeRoot(this);
  }

  /** Whether a message has begun and not ended. */
  get inMessage(): boolean {
    return this.#top !== this.#root || this.#inIndex || this.#decoder.skipDepth > 0 ||
      !this.#decoder.betweenTokens;
  }

  /**
   * Takes bytes.
   *
   * @throws {ProtocolError} If the connection must end.
   */
  push(chunk: Uint8Array): void {
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      throw new ProtocolError("Cannot process what the peer sent", { where: this.#path(), cause: error });
    }
  }

  /** The values of this message that are not there yet. */
  get scope(): PendingScope {
    return this.#scope ??= new PendingScope();
  }

  /** As `scope`, if there is anything pending. */
  get pendingScope(): PendingScope | undefined {
    return this.#scope;
  }

  /** Keys of this message that were found to be hashable. */
  get hashable(): Set<unknown> {
    return this.#hashable ??= new Set();
  }

  /** Memory that this message takes so far, by the estimate above, in bytes. */
  get messageBytes(): number {
    return this.#memory;
  }

  /** Lets `reference` sequences of this message name an object. */
  register(objectNumber: number, object: unknown): void {
    this.#numbers.push(objectNumber);
    this.#objects.push(object);
  }

  /** Puts another object under the number of one that was registered. */
  replace(objectNumber: number, object: unknown): void {
    const at = this.#indexOf(objectNumber);
    if (at >= 0) this.#objects[at] = object;
  }

  /** The object of a `reference`; `undefined` if this message has none of that number. */
  lookup(objectNumber: number): unknown {
    const at = this.#indexOf(objectNumber);
    if (at < 0) return undefined;
    (this.#lookedUp ??= new Set()).add(objectNumber);
    return this.#objects[at];
  }

  /** Whether somebody holds the object that is registered under this number. */
  wasLookedUp(objectNumber: number): boolean {
    return this.#lookedUp?.has(objectNumber) === true;
  }

  #indexOf(objectNumber: number): number {
    let low = 0;
    let high = this.#numbers.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const number = this.#numbers[middle]!;
      if (number === objectNumber) return middle;
      if (number < objectNumber) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  // ---- TokenSink

  /** @ignore */
  header(type: number, value: number): void {
    switch (type) {
      case OPEN:
        return this.#opened(value);
      case CLOSE:
        return this.#closed(value);
      case INT:
        return this.#number(type, value);
      case NEG:
        return this.#number(type, -value + 0);
      case VOCAB:
        return this.#vocab(value);
      case ABORT:
        return this.#violate(new Aborted("ABORT received"));
      case PING:
        return this.#options.onPing?.(value);
      case PONG:
        return;
    }
    throw new ProtocolError(`Invalid token ${tokenName(type)}`);
  }

  /** @ignore */
  bigHeader(type: number, value: bigint): void {
    if (type === PONG) return;
    if (type === PING) return this.#options.onPing?.(value);
    if (type !== INT && type !== NEG) throw new ProtocolError(`${tokenName(type)} has too large a number`);
    this.#number(type, type === INT ? value : -value);
  }

  /** @ignore */
  double(type: number, value: number): void {
    const wrap = this.#options.wrapFloats === true && Number.isSafeInteger(value) && !Object.is(value, -0);
    if (!wrap) return this.#number(type, value);
    this.#number(type, new Float(value));
  }

  /** @ignore */
  acceptBody(type: number, size: number): boolean {
    try {
      if (this.#inIndex) {
        this.#checkIndexToken(type, size);
      } else {
        this.#checkTopLevel(type);
        this.#top.checkToken(type, size);
        const limit = type === STRING ? this.limits.maxStringBytes : this.limits.maxIntegerBytes;
        if (size > limit) throw new Violation(`${tokenName(type)} token too large: ${size} > ${limit} bytes`);
        this.#spend(TOKEN_COST + size);
      }
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** @ignore */
  body(type: number, bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    if (type === ERROR) {
      this.#options.onError?.(new TextDecoder().decode(bytes.subarray(start, end)));
      return;
    }
    try {
      if (type !== STRING) {
        this.#receive(bigIntegerOf(bytes, start, end, type === LONGNEG));
      } else if (this.#inIndex) {
        this.#index(indexWord(bytes, start, end));
      } else {
        const top = this.#top;
        this.#count(top);
        top.receiveBytes(bytes, start, end, owned);
        top.count++;
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  // ---- tokens

  #checkTopLevel(type: number): void {
    if (this.#top !== this.#root || this.#options.bareTopLevel === true) return;
    throw new ProtocolError(`Top-level must be OPEN, not ${tokenName(type)}`);
  }

  #checkIndexToken(type: number, size: number): void {
    if (type !== STRING) throw new Violation(`Index token ${tokenName(type)} is not STRING or VOCAB`);
    const limit = this.#word === undefined ? MAX_OPENTYPE_BYTES : MAX_NAME_BYTES;
    if (size > limit) throw new Violation(`Index token is too long: ${size} > ${limit} bytes`);
  }

  #opened(number: number): void {
    if (this.#inIndex) throw new ProtocolError("OPEN token followed by OPEN", { where: this.#path() });
    if (this.#top === this.#root) this.#beginMessage();
    this.#inIndex = true;
    this.#word = undefined;
    this.#openNumber = number;
    this.#objectNumber = this.#decoder.opens - 1;
    try {
      if (this.#depth >= this.limits.maxDepth) {
        throw new Violation(`Sequences are nested deeper than ${this.limits.maxDepth}`);
      }
      this.#top.checkToken(OPEN, number);
      this.#spend(SEQUENCE_COST);
    } catch (error) {
      this.#failed(error);
    }
  }

  #beginMessage(): void {
    this.#memory = 0;
    this.#scope = undefined;
    this.#lookedUp = undefined;
    this.#hashable = undefined;
    if (this.#numbers.length > 0) {
      this.#numbers = [];
      this.#objects = [];
    }
    this.#decoder.resetSkipped();
  }

  #number(type: number, value: number | bigint | Float): void {
    try {
      if (this.#inIndex) this.#checkIndexToken(type, 0);
      this.#checkTopLevel(type);
      this.#top.checkToken(type, 0);
      this.#spend(TOKEN_COST);
      this.#receive(value);
    } catch (error) {
      this.#failed(error);
    }
  }

  #vocab(index: number): void {
    const word = this.#words[index];
    if (word === undefined) throw new ProtocolError(`There is no vocabulary word ${index}`);
    try {
      if (this.#inIndex) return this.#index(word);
      this.#checkTopLevel(VOCAB);
      const top = this.#top;
      top.checkToken(VOCAB, 0);
      this.#spend(TOKEN_COST);
      this.#count(top);
      const bytes = this.#wordBytes[index] ??= new TextEncoder().encode(word);
      top.receiveBytes(bytes, 0, bytes.length, false);
      top.count++;
    } catch (error) {
      this.#failed(error);
    }
  }

  #index(word: string): void {
    const first = this.#word;
    if (first === undefined && this.unslicers.hasDetail(word)) {
      this.#word = word;
      return;
    }
    const parent = this.#top;
    const unslicer = first === undefined ? parent.open(word, undefined) : parent.open(first, word);
    if (unslicer === undefined) {
      const kind = parent === this.#root ? "top-level OPEN type" : "OPEN type";
      throw new Violation(`Unknown ${kind} ${quoteForeign(first ?? word, 64)}`);
    }
    this.#inIndex = false;
    unslicer.openNumber = this.#openNumber;
    unslicer.parent = parent;
    this.#top = unslicer;
    this.#depth++;
    unslicer.start(this.#objectNumber);
  }

  #closed(number: number): void {
    const top = this.#top;
    if (this.#inIndex) throw new ProtocolError("CLOSE where a type was expected", { where: this.#path() });
    if (top === this.#root) throw new ProtocolError("Top-level should never receive CLOSE tokens");
    if (number !== top.openNumber) {
      throw new ProtocolError(`Lost sync, got CLOSE(${number}) but expecting ${top.openNumber}`, {
        where: this.#path(),
      });
    }
    let value: unknown;
    try {
      value = top.close();
    } catch (error) {
      return this.#failed(error, true);
    }
    this.#pop();
    try {
      if (value instanceof PendingResult) {
        const parent = this.#top;
        this.#count(parent);
        parent.receivePending(value.pending);
        parent.count++;
      } else {
        this.#receive(value);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  #pop(): void {
    this.#top = this.#top.parent ?? this.#root;
    this.#depth--;
  }

  #receive(value: unknown): void {
    const top = this.#top;
    this.#count(top);
    top.receive(value);
    top.count++;
  }

  #count(unslicer: Unslicer): void {
    if (unslicer.count >= unslicer.maxChildren && unslicer !== this.#root) {
      throw new Violation(`More than ${this.limits.maxElements} elements`);
    }
  }

  #spend(bytes: number): void {
    this.#memory += bytes;
    if (this.#memory > this.limits.maxMessageBytes) {
      throw new Violation(`Message takes more than ${this.limits.maxMessageBytes} bytes`);
    }
  }

  // ---- trouble

  #failed(error: unknown, inClose = false): void {
    if (error instanceof Violation) return this.#violate(error, inClose);
    if (error instanceof ProtocolError && error.where === "") {
      throw new ProtocolError(error.message, { where: this.#path(inClose), cause: error.cause });
    }
    throw error;
  }

  /** Destroys the value that `violation` is about, and what it is in, outward to who absorbs it. */
  #violate(violation: Violation, inClose = false): void {
    let left: Violation | undefined = violation instanceof Aborted
      ? violation
      : violationAt(violation, this.#path(inClose));
    if (this.#inIndex) {
      this.#inIndex = false;
      this.#decoder.skipDepth++;
    }
    let closing = inClose;
    while (this.#top !== this.#root) {
      left = this.#top.violated(left);
      if (left === undefined) return;
      if (!closing) this.#decoder.skipDepth++;
      closing = false;
      this.#pop();
    }
    this.#root.violated(left);
  }

  #path(inClose = false): string {
    let path = "";
    let unslicer: Unslicer | undefined = inClose ? this.#top.parent : this.#top;
    for (; unslicer !== undefined; unslicer = unslicer.parent) path = unslicer.segment() + path;
    return path.startsWith(".") ? path.slice(1) : path;
  }
}

/** What `close()` returns when its value is not there yet. */
export class PendingResult {
  /** A result that will be `pending`'s. */
  constructor(readonly pending: Pending) {}
}

function indexWord(bytes: Uint8Array, start: number, end: number): string {
  try {
    return decodeText(bytes, start, end);
  } catch (cause) {
    throw new Violation("Index token is not UTF-8", { cause });
  }
}

/** Big-endian bytes as an integer: a number where that is exact. */
function bigIntegerOf(bytes: Uint8Array, start: number, end: number, negative: boolean): number | bigint {
  if (end - start <= 6) {
    let value = 0;
    for (let i = start; i < end; i++) value = value * 256 + bytes[i]!;
    return negative ? 0 - value : value;
  }
  const big = BigInt(`0x${bytes.subarray(start, end).toHex()}`);
  const signed = negative ? -big : big;
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}

/** The token types that a whole number can come as. */
export const INTEGER_TOKENS: ReadonlySet<number> = new Set([INT, NEG, LONGINT, LONGNEG]);
