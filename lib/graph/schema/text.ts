/**
 * Constraints for bytes and text.
 *
 * @module
 */

import { STRING, VOCAB } from "../../wire/tokens.ts";
import { type Checking, kindOf, REFUSED, type Refused } from "./checking.ts";
import { checkCount, Constraint, type Contents, type Taster } from "./constraint.ts";
import { OPENS } from "./tasters.ts";

/** How long something may be. */
export interface LengthOptions {
  /** The largest length, in bytes, characters or members as the constraint says. Default: any. */
  readonly maxLength?: number | undefined;
  /** The smallest length. Default: 0. */
  readonly minLength?: number | undefined;
}

/** What is wrong with a length; `undefined` if it is allowed. */
function lengthRefusal(length: number, maxLength: number, minLength: number): string | undefined {
  if (length > maxLength) return `string too long (${length} > ${maxLength})`;
  if (length < minLength) return `string too short (${length} < ${minLength})`;
  return undefined;
}

/** Byte strings of some length. */
export class BytesRule extends Constraint<ArrayBufferView, Uint8Array> {
  override readonly name = "ByteStringConstraint";
  protected override readonly taster: Taster;
  readonly #maxLength: number;
  readonly #minLength: number;

  /** @throws {RangeError} If a length is not a whole number of 0 or more. */
  constructor({ maxLength, minLength }: LengthOptions = {}) {
    super();
    this.#maxLength = checkCount("maxLength", maxLength, Infinity);
    this.#minLength = checkCount("minLength", minLength, 0);
    // A word of the vocabulary is a byte string too: the receiver has it already, whatever its length.
    this.taster = new Map([[STRING, this.#maxLength], [VOCAB, Infinity]]);
  }

  override fits(value: unknown): boolean {
    return ArrayBuffer.isView(value);
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!ArrayBuffer.isView(value)) return checking.refuse(() => `${kindOf(value)} is not a bytestring`);
    const refusal = lengthRefusal(value.byteLength, this.#maxLength, this.#minLength);
    if (refusal !== undefined) return checking.refuse(refusal);
    // Another view would arrive as what it is, at a peer that knows it.
    return value instanceof Uint8Array
      ? value
      : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
}

/**
 * Takes byte strings: a `Uint8Array` or another view, which arrives as a `Uint8Array`.
 *
 * @param options Lengths in bytes. Default: any length.
 * @throws {RangeError} If a length is not a whole number of 0 or more.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * schema.method([["digest", schema.ByteStringConstraint({ maxLength: 32, minLength: 32 })]], null);
 * ```
 */
export function ByteStringConstraint(options?: LengthOptions): Constraint<ArrayBufferView, Uint8Array> {
  return new BytesRule(options);
}

/** The same as {@linkcode ByteStringConstraint}: Foolscap's older name for it. */
export function StringConstraint(options?: LengthOptions): Constraint<ArrayBufferView, Uint8Array> {
  return new BytesRule(options);
}

/** What text may be. Lengths are in code points: an emoji of one code point counts as one. */
export interface TextOptions extends LengthOptions {
  /** Must be found somewhere in the text; anchor it with `^` and `$`. A string is compiled with the flag `u`. */
  readonly regexp?: RegExp | string | undefined;
}

/** UTF-8 has at most this many bytes for a code point. */
const MAX_CHARACTER_BYTES = 4;

class TextRule extends Constraint<string, string> {
  override readonly name = "UnicodeConstraint";
  protected override readonly taster = OPENS;
  readonly #maxLength: number;
  readonly #minLength: number;
  readonly #regexp: RegExp | undefined;
  readonly #contents: Contents | undefined;

  constructor({ maxLength, minLength, regexp }: TextOptions = {}) {
    super();
    this.#maxLength = checkCount("maxLength", maxLength, Infinity);
    this.#minLength = checkCount("minLength", minLength, 0);
    this.#regexp = searched(regexp);
    if (this.#maxLength === Infinity) return;
    // Foolscap has no limit for the bytes.
    const body = new BytesRule({ maxLength: this.#maxLength * MAX_CHARACTER_BYTES });
    this.#contents = { maxChildren: 1, at: () => body };
  }

  override within(word: string): Contents | undefined | Refused {
    return word === "unicode" ? this.#contents : REFUSED;
  }
  override fits(value: unknown): boolean {
    return typeof value === "string";
  }
  override check(value: unknown, checking: Checking): unknown {
    if (typeof value !== "string") return checking.refuse(() => `${kindOf(value)} is not a unicode object`);
    // A code point has one or two units: counting is only needed near the limits.
    if (value.length > this.#maxLength || value.length < 2 * this.#minLength) {
      const refusal = lengthRefusal(codePoints(value), this.#maxLength, this.#minLength);
      if (refusal !== undefined) return checking.refuse(refusal);
    }
    if (this.#regexp?.test(value) === false) return checking.refuse("regexp failed to match");
    return value;
  }
}

/** An expression without memory of where it matched last. */
function searched(regexp: RegExp | string | undefined): RegExp | undefined {
  if (regexp === undefined) return undefined;
  if (typeof regexp === "string") return new RegExp(regexp, "u");
  return new RegExp(regexp.source, regexp.flags.replace(/[gy]/g, ""));
}

function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      count--;
      i++;
    }
  }
  return count;
}

/**
 * Takes text. Give a `maxLength` together with a regular expression whose time grows fast with the length of the text.
 *
 * @param options Lengths in code points, and an expression. Default: any text.
 * @throws {RangeError} If a length is not a whole number of 0 or more.
 * @throws {SyntaxError} If `regexp` is a string and no regular expression.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * schema.method([["name", schema.UnicodeConstraint({ maxLength: 40, regexp: /^[a-z]+$/ })]], String);
 * ```
 */
export function UnicodeConstraint(options?: TextOptions): Constraint<string, string> {
  return new TextRule(options);
}
