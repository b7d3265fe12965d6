/**
 * The stack machine that turns tokens into values, and keeps one refused value from ending a connection.
 *
 * Two kinds of trouble: a Violation destroys the value it is in, outward to the first unslicer that
 * absorbs it (the root, unless another one does), and the rest of that sequence is skipped; everything else
 * destroys the connection.
 *
 * Memory is estimated: the bytes of every string, and what `unslicer.ts` says a container costs.
 *
 * Source: Foolscap `banana.py`, `handleData` to `handleViolation`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import { type Limits, MAX_NAME_BYTES, MAX_OPENTYPE_BYTES } from "../limits.ts";
import { decodeLossy, quoteForeign } from "../util/text.ts";
import { TokenDecoder, type TokenSink } from "../wire/decoder.ts";
import {
  ABORT,
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
import { SEQUENCE_COST, TOKEN_COST, type Unslicer, type UnslicerTable } from "./unslicer.ts";
import { type KnownType, prepareTypes, Words } from "./words.ts";
import { Frame, indexWord, integerOf, ObjectTable } from "./frame.ts";
import { joinPath, violationAt } from "./path.ts";
import type { Contents } from "./schema/constraint.ts";
import { PendingResult, PendingScope } from "./pending.ts";
import type { ReceiverOptions } from "./receiver_options.ts";
import { Float } from "../values/float.ts";

/** The sender gave a sequence up. It is not answered. */
export class Aborted extends Violation {}

/** Builds values from the bytes of one direction of one connection. */
export class Receiver implements TokenSink {
  readonly limits: Limits;
  readonly unslicers: UnslicerTable;
  readonly #options: ReceiverOptions;
  readonly #decoder: TokenDecoder;
  readonly #types: ReadonlyMap<string, KnownType>;
  readonly #words: Words;
  readonly #objects = new ObjectTable();
  readonly #maxMemory: number;

  // frames[0] is the root; frames[depth] the sequence on top
  readonly #frames: Frame[];
  #frame: Frame;
  #depth = 0;
  #memory = 0;
  // the index phase: an OPEN came, its type is not complete
  #inIndex = false;
  #openNumber = 0;
  #objectNumber = 0;
  #word: string | undefined;
  #hashable: Set<unknown> | undefined;
  #scope: PendingScope | undefined;

  /** A receiver whose top-level sequences go to the unslicer that `makeRoot` gives. */
  constructor(makeRoot: (receiver: Receiver) => Unslicer, options: ReceiverOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.#maxMemory = options.limits.maxMessageBytes;
    this.unslicers = options.unslicers;
    this.#types = prepareTypes(this, options);
    this.#words = new Words(this.#types, options.limits);
    options.vocabulary.forEach((word, index) => this.#words.set(index, word));
    this.#decoder = new TokenDecoder(this, {
      tokens: options.tokens,
      maxSkippedBytes: options.limits.maxSkippedBytes,
    });
    this.#frame = new Frame(options.standing);
    this.#frames = [this.#frame];
    this.#frame.enter(makeRoot(this));
    this.#frame.maxChildren = Infinity;
  }

  /** Whether a message has begun and not ended. */
  get inMessage(): boolean {
    return this.#depth > 0 || this.#inIndex || this.#decoder.skipDepth > 0 || !this.#decoder.betweenTokens;
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

  /** Puts other words in the place of those that the sender may send by number. */
  setVocabulary(table: ReadonlyMap<number, Uint8Array>): void {
    this.#words.clear();
    for (const [index, word] of table) this.addToVocabulary(index, word);
  }

  /** Lets the sender send one more word by number. */
  addToVocabulary(index: number, bytes: Uint8Array): void {
    this.#words.set(index, decodeLossy(bytes), bytes);
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

  /**
   * Adds to the memory that this message takes.
   *
   * @throws {Violation} If it is too much.
   */
  spend(bytes: number): void {
    this.#memory += bytes;
    if (this.#memory > this.#maxMemory) {
      throw new Violation(`Message takes more than ${this.#maxMemory} bytes`);
    }
  }

  /**
   * Lets `reference` sequences of this message name an object. Called from `start()`, so that the numbers rise.
   *
   * @param object The object, or `undefined` to keep the place for {@linkcode Receiver.replace}.
   */
  register(objectNumber: number, object: unknown): void {
    this.#objects.add(objectNumber, object);
  }

  /** Puts another object under the number of one that was registered. */
  replace(objectNumber: number, object: unknown): void {
    this.#objects.replace(objectNumber, object);
  }

  /** The object of a `reference`; `undefined` if this message has none of that number. */
  lookup(objectNumber: number): unknown {
    return this.#objects.find(objectNumber);
  }

  /** Whether somebody holds the object that is registered under this number. */
  wasLookedUp(objectNumber: number): boolean {
    return this.#objects.wasFound(objectNumber);
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
    this.#extra(type, value);
  }

  /** @ignore */
  bigHeader(type: number, value: bigint): void {
    if (type === PONG) return;
    if (type === PING) return this.#options.onPing?.(value);
    if (type === INT || type === NEG) return this.#number(type, type === INT ? value : -value);
    if (this.#options.extraTokens?.has(type) === true) return this.#extra(type, value);
    throw new ProtocolError(`${tokenName(type)} has too large a number`);
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
      if (type !== STRING && type !== LONGINT && type !== LONGNEG) {
        if (size > this.limits.maxStringBytes) throw new ProtocolError(`Oversized ${tokenName(type)} token`);
        return true;
      }
      if (this.#inIndex) {
        this.#checkIndexToken(type, size);
        return true;
      }
      const frame = this.#frame;
      if (this.#depth === 0) this.#checkTopLevel(type);
      if (frame.asks) frame.ask(type, size);
      const limit = type === STRING ? this.limits.maxStringBytes : this.limits.maxIntegerBytes;
      if (size > limit) throw new Violation(`${tokenName(type)} token too large: ${size} > ${limit} bytes`);
      this.spend(TOKEN_COST + size);
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** @ignore */
  body(type: number, bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    try {
      if (type === STRING) {
        if (this.#inIndex) {
          const word = indexWord(bytes, start, end);
          return this.#index(word, this.#types.get(word));
        }
        const frame = this.#frame;
        if (frame.count >= frame.maxChildren) this.#tooMany(frame);
        frame.unslicer!.receiveBytes(bytes, start, end, owned);
        frame.count++;
      } else if (type === LONGINT || type === LONGNEG) {
        this.#receive(integerOf(bytes, start, end, type === LONGNEG));
      } else if (type === ERROR) {
        this.#options.onError?.(new TextDecoder().decode(bytes.subarray(start, end)));
      } else {
        this.#extra(type, bytes.slice(start, end));
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** @ignore */
  whole(bytes: Uint8Array, start: number, at: number, number: number): number {
    const frame = this.#frame;
    if (!frame.takesAny || this.#inIndex || frame.count >= frame.maxChildren) return 0;
    if (this.#depth === 0 || this.#depth >= this.limits.maxDepth) return 0;
    const words = this.#words;
    const behind = words.find(bytes, start, at);
    if (behind === 0 || this.#memory + words.cost > this.#maxMemory) return 0;
    this.#memory += words.cost;
    const type = words.container;
    try {
      if (type !== undefined) {
        this.#openNumber = number;
        this.#objectNumber = this.#decoder.opens - 1;
        this.#enter(type.type.make(this, ""), undefined, type);
      } else {
        frame.unslicer!.receive(words.leaf);
        frame.count++;
      }
    } catch (error) {
      this.#failed(error);
    }
    return behind;
  }

  // ---- tokens

  #extra(type: number, value: number | bigint | Uint8Array): void {
    const handle = this.#options.extraTokens?.get(type);
    if (handle === undefined) throw new ProtocolError(`Invalid token ${tokenName(type)}`);
    handle(value);
  }

  #checkTopLevel(type: number): void {
    if (this.#options.bareTopLevel === true) return;
    throw new ProtocolError(`Top-level must be OPEN, not ${tokenName(type)}`);
  }

  #checkIndexToken(type: number, size: number): void {
    if (type !== STRING) throw new Violation(`Index token ${tokenName(type)} is not STRING or VOCAB`);
    const limit = this.#word === undefined ? MAX_OPENTYPE_BYTES : MAX_NAME_BYTES;
    if (size > limit) throw new Violation(`Index token is too long: ${size} > ${limit} bytes`);
  }

  #opened(number: number): void {
    if (this.#inIndex) throw new ProtocolError("OPEN token followed by OPEN", { where: this.#path() });
    if (this.#depth === 0) this.#beginMessage();
    this.#inIndex = true;
    this.#word = undefined;
    this.#openNumber = number;
    this.#objectNumber = this.#decoder.opens - 1;
    try {
      if (this.#depth >= this.limits.maxDepth) {
        throw new Violation(`Sequences are nested deeper than ${this.limits.maxDepth}`);
      }
      const frame = this.#frame;
      if (frame.asks) frame.ask(OPEN, number);
      this.spend(SEQUENCE_COST);
    } catch (error) {
      this.#failed(error);
    }
  }

  #beginMessage(): void {
    this.#memory = 0;
    this.#scope = undefined;
    this.#decoder.resetSkipped();
  }

  /** While the connection is idle, nothing of the last message must be kept alive: it may have brought references. */
  #endMessage(): void {
    this.#hashable = undefined;
    this.#objects.clear();
  }

  #number(type: number, value: number | bigint | Float): void {
    try {
      if (this.#inIndex) this.#checkIndexToken(type, 0);
      if (this.#depth === 0) this.#checkTopLevel(type);
      const frame = this.#frame;
      if (frame.asks) frame.ask(type, 0);
      if ((this.#memory += TOKEN_COST) > this.#maxMemory) this.spend(0);
      if (frame.count >= frame.maxChildren) this.#tooMany(frame);
      frame.unslicer!.receive(value);
      frame.count++;
    } catch (error) {
      this.#failed(error);
    }
  }

  #vocab(index: number): void {
    const word = this.#words.get(index);
    if (word === undefined) throw new ProtocolError(`There is no vocabulary word ${index}`);
    try {
      if (this.#inIndex) return this.#index(word.text, word.type);
      if (this.#depth === 0) this.#checkTopLevel(VOCAB);
      const frame = this.#frame;
      if (frame.asks) frame.ask(VOCAB, 0);
      this.spend(TOKEN_COST);
      if (frame.count >= frame.maxChildren) this.#tooMany(frame);
      frame.unslicer!.receiveBytes(word.bytes, 0, word.bytes.length, false);
      frame.count++;
    } catch (error) {
      this.#failed(error);
    }
  }

  #index(word: string, known: KnownType | undefined): void {
    const first = this.#word;
    if (first === undefined && known?.type.hasDetail === true) {
      this.#word = word;
      return;
    }
    const frame = this.#frame;
    const plain = frame.constrains && first === undefined ? known?.type.plain : undefined;
    if (plain !== undefined && frame.refuses(word)) return this.#index(plain, this.#types.get(plain));
    const contents = frame.constrains ? frame.contentsOf(first, word) : undefined;
    let unslicer: Unslicer | undefined;
    if (first === undefined && !frame.choosesTypes) {
      if (known?.leaf !== undefined && contents === undefined) return this.#enterLeaf(known.leaf);
      unslicer = known?.type.make(this, "");
    } else {
      unslicer = first === undefined
        ? frame.unslicer!.open(word, undefined)
        : frame.unslicer!.open(first, word);
    }
    if (unslicer === undefined) {
      const kind = this.#depth === 0 ? "top-level OPEN type" : "OPEN type";
      throw new Violation(`Unknown ${kind} ${quoteForeign(first ?? word, 64)}`);
    }
    this.#enter(unslicer, contents, first === undefined && !frame.choosesTypes ? known : undefined);
  }

  #enter(unslicer: Unslicer, contents: Contents | undefined, known: KnownType | undefined): void {
    this.#inIndex = false;
    const depth = ++this.#depth;
    const opened = this.#frame = this.#frames[depth] ??= new Frame(this.#options.standing);
    opened.openNumber = this.#openNumber;
    unslicer.contents = contents;
    if (contents === undefined && known?.takesAny === true) opened.enterAny(unslicer, known.maxChildren);
    else opened.enter(unslicer);
    unslicer.start(this.#objectNumber);
  }

  /** A leaf brings its own frame, in which all but the count is as it was the last time. */
  #enterLeaf(frame: Frame): void {
    this.#inIndex = false;
    this.#depth++;
    this.#frame = frame;
    frame.openNumber = this.#openNumber;
    frame.count = 0;
    frame.unslicer!.start(this.#objectNumber);
  }

  #closed(number: number): void {
    const frame = this.#frame;
    if (this.#inIndex) throw new ProtocolError("CLOSE where a type was expected", { where: this.#path() });
    if (this.#depth === 0) throw new ProtocolError("Top-level should never receive CLOSE tokens");
    if (number !== frame.openNumber) {
      throw new ProtocolError(`Lost sync, got CLOSE(${number}) but expecting ${frame.openNumber}`, {
        where: this.#path(),
      });
    }
    let value: unknown;
    try {
      value = frame.unslicer!.close();
    } catch (error) {
      return this.#failed(error, true);
    }
    this.#pop();
    try {
      this.#receive(value);
    } catch (error) {
      this.#failed(error);
    }
  }

  #pop(): void {
    const below = this.#frames[this.#depth];
    // A frame that waits for its next use must not keep a value alive.
    if (below === this.#frame) below.unslicer = undefined;
    this.#frame = this.#frames[--this.#depth]!;
    if (this.#depth === 0) this.#endMessage();
  }

  #receive(value: unknown): void {
    const frame = this.#frame;
    if (frame.count >= frame.maxChildren) this.#tooMany(frame);
    if (value instanceof PendingResult) frame.unslicer!.receivePending(value.pending);
    else frame.unslicer!.receive(value);
    frame.count++;
  }

  #tooMany(frame: Frame): never {
    throw new Violation(`More than ${frame.maxChildren} children in one sequence`);
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
    while (this.#depth > 0) {
      left = this.#frame.unslicer!.violated(left);
      if (left === undefined) return;
      if (!closing) this.#decoder.skipDepth++;
      closing = false;
      this.#pop();
    }
    this.#frame.unslicer!.violated(left);
  }

  #path(inClose = false): string {
    const segments: string[] = [];
    for (let i = 0; i < this.#depth; i++) segments.push(this.#frames[i]!.unslicer!.segment());
    if (!inClose) segments.push(this.#frame.unslicer!.segment());
    return joinPath(segments);
  }
}
