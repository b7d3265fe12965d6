/**
 * Bytes to tokens, at any chunk boundary.
 *
 * The decoder asks its sink before it keeps the body of a token, so that a body which is not welcome is
 * skipped as it arrives and never stored. A whole refused sequence is skipped here too, by counting.
 *
 * Source: Foolscap `banana.py`, `handleData`.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { MAX_ERROR_BYTES, MAX_TOKEN_HEADER_BYTES } from "../limits.ts";
import { readHeader } from "./headers.ts";
import {
  type BodyTable,
  CLOSE,
  DOUBLE_BODY,
  ERROR,
  NO_BODY,
  OPEN,
  PING,
  PONG,
  SIZED_BODY,
  tokenName,
} from "./tokens.ts";

/** Takes what a {@linkcode TokenDecoder} finds. Whatever a method throws ends the decoding. */
export interface TokenSink {
  /** A token without a body: `value` is the header. */
  header(type: number, value: number): void;
  /** A token without a body whose header is above 2^53 - 1. */
  bigHeader(type: number, value: bigint): void;
  /** A double. */
  double(type: number, value: number): void;
  /** May the body of this token come in? Not asked for ERROR, nor inside a skipped sequence. */
  acceptBody(type: number, size: number): boolean;
  /**
   * The body that was accepted: `bytes[start..end)`.
   *
   * @param owned Whether `bytes` is exactly the body and the sink may keep it. Otherwise it is a part of
   * what the network delivered, and what shall be kept must be copied.
   */
  body(type: number, bytes: Uint8Array, start: number, end: number, owned: boolean): void;
  /**
   * Takes more than an OPEN token at once, if it likes what follows: most sequences are short texts, and to take each as one costs
   * a third of four tokens. What is not taken comes token by token.
   *
   * @param start Where the OPEN token begins.
   * @param at Where it ends.
   * @param number Its header.
   * @returns The index behind what was taken, after whole tokens; or 0 if that is nothing.
   */
  whole?(bytes: Uint8Array, start: number, at: number, number: number): number;
}

/** Options of a {@linkcode TokenDecoder}. */
export interface TokenDecoderOptions {
  /** The dialect. */
  readonly tokens: BodyTable;
  /** Refused bytes that may be passed over before {@linkcode TokenDecoder.resetSkipped} is called. */
  readonly maxSkippedBytes: number;
}

/** A body is gathered in pieces of at least this size: an announced size alone costs no memory. */
const FIRST_PIECE_BYTES = 64 * 1024;

/** The incremental decoder of one direction of one connection. */
export class TokenDecoder {
  readonly #sink: TokenSink;
  readonly #tokens: BodyTable;
  readonly #maxSkippedBytes: number;
  readonly #double = new DataView(new ArrayBuffer(8));

  /** OPEN tokens seen so far, also in skipped sequences: the number of the next object. */
  opens = 0;
  /**
   * Sequences that are being skipped: everything up to that many CLOSE tokens is passed over.
   * The sink raises it when it refuses a sequence that is open.
   */
  skipDepth = 0;

  #rest: Uint8Array | undefined; // the beginning of a token: header bytes, or those and some of a double
  #skipped = 0;
  // the body that is being gathered or passed over
  #bodyType = 0;
  #bodySize = 0;
  #bodyFilled = 0;
  #body: Uint8Array | undefined;

  /** A decoder that tells `sink` what it finds. */
  constructor(sink: TokenSink, options: TokenDecoderOptions) {
    this.#sink = sink;
    this.#tokens = options.tokens;
    this.#maxSkippedBytes = options.maxSkippedBytes;
  }

  /** Whether the bytes so far end between two tokens. */
  get betweenTokens(): boolean {
    return this.#rest === undefined && this.#bodySize === 0;
  }

  /** Begins a new count of skipped bytes: called for each message. */
  resetSkipped(): void {
    this.#skipped = 0;
  }

  /**
   * Decodes as much as there is.
   *
   * @throws {ProtocolError} If the bytes are not Banana; and whatever the sink throws. The decoder is of no
   * further use then.
   */
  push(chunk: Uint8Array): void {
    let bytes = chunk;
    let at = 0;
    if (this.#bodySize > 0) {
      at = this.#continueBody(bytes);
      if (this.#bodySize > 0) return;
    } else if (this.#rest !== undefined) {
      const rest = this.#rest;
      bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      this.#rest = undefined;
    }
    const end = bytes.length;
    const tokens = this.#tokens;
    const sink = this.#sink;
    const takesWhole = sink.whole !== undefined;
    while (at < end) {
      const start = at;
      let byte = bytes[at++]!;
      let value = 0;
      let big: bigint | undefined;
      if (byte < 0x80) {
        // Up to four digits fit into 31 bits; nearly every header has one or two.
        value = byte;
        let shift = 7;
        while (at < end && (byte = bytes[at++]!) < 0x80 && shift < 28) {
          value |= byte << shift;
          shift += 7;
        }
        if (byte < 0x80 && at < end && bytes[at]! >= 0x80) {
          // The fifth: a connection has begun that many sequences within minutes of records.
          value += byte * 0x10000000;
          byte = bytes[at++]!;
        } else if (byte < 0x80) {
          const length = this.#typeByteAt(bytes, start);
          if (length < 0) {
            this.#keep(bytes, start);
            return;
          }
          at = start + length;
          byte = bytes[at++]!;
          const exact = readHeader(bytes, start, start + length);
          if (typeof exact === "number") value = exact;
          else big = exact;
        }
      }
      const body = tokens[byte - 0x80]!;
      if (body === NO_BODY) {
        if (this.skipDepth > 0 && byte !== PING && byte !== PONG) this.#skipToken(byte, at - start);
        else if (big !== undefined) sink.bigHeader(byte, big);
        else {
          if (byte === OPEN) {
            this.opens++;
            const behind = takesWhole ? sink.whole!(bytes, start, at, value) : 0;
            if (behind > 0) {
              at = behind;
              continue;
            }
          }
          sink.header(byte, value);
        }
      } else if (body === SIZED_BODY) {
        const size = big === undefined ? value : Number(big);
        const taken = this.#beginBody(byte, size, bytes, at);
        if (taken < 0) return;
        at += taken;
      } else if (body === DOUBLE_BODY) {
        if (end - at < 8) {
          this.#keep(bytes, start);
          return;
        }
        if (this.skipDepth > 0) this.#countSkipped(at + 8 - start);
        else {
          for (let i = 0; i < 8; i++) this.#double.setUint8(i, bytes[at + i]!);
          sink.double(byte, this.#double.getFloat64(0));
        }
        at += 8;
      } else {
        throw new ProtocolError(`Invalid type byte 0x${byte.toString(16)}`);
      }
    }
  }

  /** How many header bytes stand before the type byte, or -1 if it is not there yet. */
  #typeByteAt(bytes: Uint8Array, start: number): number {
    const most = Math.min(bytes.length, start + MAX_TOKEN_HEADER_BYTES + 1);
    for (let i = start; i < most; i++) if (bytes[i]! >= 0x80) return i - start;
    if (most - start > MAX_TOKEN_HEADER_BYTES) {
      throw new ProtocolError(`A token's header is limited to ${MAX_TOKEN_HEADER_BYTES} bytes`);
    }
    return -1;
  }

  #keep(bytes: Uint8Array, start: number): void {
    this.#rest = bytes.slice(start);
  }

  #skipToken(type: number, length: number): void {
    if (type === OPEN) {
      this.opens++;
      this.skipDepth++;
    } else if (type === CLOSE) {
      this.skipDepth--;
    }
    this.#countSkipped(length);
  }

  #countSkipped(bytes: number): void {
    this.#skipped += bytes;
    if (this.#skipped > this.#maxSkippedBytes) {
      throw new ProtocolError(`More than ${this.#maxSkippedBytes} bytes of refused values in one message`);
    }
  }

  /** Handles a body whose header ends at `at`; gives the bytes used up, or -1 when more are needed. */
  #beginBody(type: number, size: number, bytes: Uint8Array, at: number): number {
    let accepted: boolean;
    if (type === ERROR) {
      if (size > MAX_ERROR_BYTES) {
        throw new ProtocolError(`Oversized ERROR token: ${size} > ${MAX_ERROR_BYTES}`);
      }
      accepted = true;
    } else {
      accepted = this.skipDepth === 0 && this.#sink.acceptBody(type, size);
    }
    const there = bytes.length - at;
    if (there >= size) {
      if (accepted) this.#sink.body(type, bytes, at, at + size, false);
      else this.#countSkipped(size + 1);
      return size;
    }
    if (!accepted && !Number.isSafeInteger(size)) {
      throw new ProtocolError(`${tokenName(type)} of ${size} bytes`);
    }
    this.#bodyType = type;
    this.#bodySize = size;
    this.#bodyFilled = there;
    if (accepted) {
      this.#body = new Uint8Array(Math.min(size, Math.max(FIRST_PIECE_BYTES, there * 2)));
      this.#body.set(bytes.subarray(at));
    } else {
      this.#countSkipped(there + 1);
    }
    return -1;
  }

  /** Goes on with a body that began in an earlier chunk; gives the bytes used up. */
  #continueBody(bytes: Uint8Array): number {
    const take = Math.min(bytes.length, this.#bodySize - this.#bodyFilled);
    let body = this.#body;
    if (body === undefined) {
      this.#countSkipped(take);
    } else {
      const needed = this.#bodyFilled + take;
      if (needed > body.length) {
        const grown = new Uint8Array(Math.min(this.#bodySize, Math.max(body.length * 2, needed)));
        grown.set(body.subarray(0, this.#bodyFilled));
        this.#body = body = grown;
      }
      body.set(take === bytes.length ? bytes : bytes.subarray(0, take), this.#bodyFilled);
    }
    this.#bodyFilled += take;
    if (this.#bodyFilled === this.#bodySize) {
      const type = this.#bodyType;
      const size = this.#bodySize;
      this.#bodySize = 0;
      this.#body = undefined;
      if (body !== undefined) this.#sink.body(type, body, 0, size, true);
    }
    return take;
  }
}
