/**
 * Banana written for people, to see what goes over a connection or into a file.
 *
 * Source: Foolscap `banana.py`, `debugReceive` and `debugSend`, which print the same.
 *
 * @module
 */

import { toError } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";
import { TokenDecoder, type TokenSink } from "./decoder.ts";
import { CLOSE, ERROR, FOOLSCAP_TOKENS, NEG, OPEN, STRING, tokenName, VOCAB } from "./tokens.ts";
import { vocabularyWords } from "./vocabulary.ts";

/** Options of {@linkcode describeTokens}. */
export interface DescribeTokensOptions {
  /**
   * The vocabulary table that the two ends agreed on: 1 on a connection, 0 for stored values.
   *
   * @default {1}
   */
  readonly vocabTable?: number | undefined;
  /**
   * How much of a text or byte string is shown, in characters.
   *
   * @default {60}
   */
  readonly maxCharacters?: number | undefined;
}

/**
 * One line for each token, indented by how deep in sequences it stands. What cannot be understood, and a token that is cut
 * off, is said in a last line; nothing is thrown for it.
 *
 * Everything is shown, also the names in FURLs, which let whoever reads them use the object: not for logs that others see.
 *
 * @param bytes What was sent in one direction, from the beginning of a token.
 * @throws {RangeError} If there is no such vocabulary table.
 *
 * @example
 * ```ts
 * import { describeTokens, serialize } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(describeTokens(serialize([1, "a"]), { vocabTable: 0 }), [
 *   'OPEN 0 "list"',
 *   "  INT 1",
 *   '  OPEN 1 "unicode"',
 *   '    STRING "a"',
 *   "  CLOSE 1",
 *   "CLOSE 0",
 * ]);
 * ```
 */
export function describeTokens(bytes: Uint8Array, options: DescribeTokensOptions = {}): string[] {
  const { vocabTable = 1, maxCharacters = 60 } = options;
  const sink = new Lines(vocabularyWords(vocabTable), maxCharacters);
  const decoder = new TokenDecoder(sink, { tokens: FOOLSCAP_TOKENS, maxSkippedBytes: 0 });
  try {
    decoder.push(bytes);
    if (!decoder.betweenTokens) sink.lines.push("(a token is cut off)");
  } catch (thrown) {
    sink.lines.push(`(${toError(thrown).message})`);
  }
  return sink.lines;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Lines implements TokenSink {
  readonly lines: string[] = [];
  readonly #words: readonly string[];
  readonly #maxCharacters: number;
  #depth = 0;
  // An OPEN came whose type has not.
  #isOpening = false;

  constructor(words: readonly string[], maxCharacters: number) {
    this.#words = words;
    this.#maxCharacters = maxCharacters;
  }

  header(type: number, value: number): void {
    if (type === CLOSE) this.#depth = Math.max(0, this.#depth - 1);
    if (type === VOCAB) return this.#vocab(value);
    this.#add(`${tokenName(type)} ${type === NEG ? "-" : ""}${value}`);
    if (type === OPEN) this.#depth++;
    this.#isOpening = type === OPEN;
  }

  bigHeader(type: number, value: bigint): void {
    this.#add(`${tokenName(type)} ${type === NEG ? "-" : ""}${value}`);
  }

  double(type: number, value: number): void {
    this.#add(`${tokenName(type)} ${Object.is(value, -0) ? "-0" : value}`);
  }

  acceptBody(): boolean {
    return true;
  }

  body(type: number, bytes: Uint8Array, start: number, end: number): void {
    const content = bytes.subarray(start, end);
    if (type !== STRING && type !== ERROR) return this.#add(`${tokenName(type)} 0x${this.#hex(content)}`);
    this.#word(tokenName(type), this.#text(content));
  }

  #vocab(index: number): void {
    const word = this.#words[index];
    this.#word(`VOCAB ${index}`, word === undefined ? "(no such word)" : quoteForeign(word));
  }

  /** The type of a sequence stands in the line of its OPEN. */
  #word(name: string, text: string): void {
    if (!this.#isOpening) return this.#add(`${name} ${text}`);
    this.#isOpening = false;
    this.lines[this.lines.length - 1] += ` ${text}`;
  }

  #text(bytes: Uint8Array): string {
    try {
      return quoteForeign(strict.decode(bytes), this.#maxCharacters);
    } catch {
      return `0x${this.#hex(bytes)}`;
    }
  }

  #hex(bytes: Uint8Array): string {
    const count = Math.ceil(this.#maxCharacters / 2);
    const digits = Array.from(bytes.subarray(0, count), (byte) => byte.toString(16).padStart(2, "0")).join(
      "",
    );
    return bytes.length > count ? `${digits}… (${bytes.length} bytes)` : digits;
  }

  #add(line: string): void {
    this.#isOpening = false;
    this.lines.push("  ".repeat(Math.min(this.#depth, 100)) + line);
  }
}
