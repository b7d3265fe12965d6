/**
 * Byte strings. Source: Foolscap `constraint.py`, `ByteStringConstraint`.
 *
 * @module
 */

import { STRING, VOCAB } from "../../wire/tokens.ts";
import type { Checking } from "./checking.ts";
import { Constraint, type Taster } from "./constraint.ts";
import { kindOf } from "./kind_of.ts";
import { checkCount } from "./options.ts";

/** How long something may be. */
export interface LengthOptions {
  /** The largest length, in bytes, characters or members as the constraint says. Default: any. */
  readonly maxLength?: number | undefined;
  /** The smallest length. Default: 0. */
  readonly minLength?: number | undefined;
}

/** What is wrong with a length; `undefined` if it is allowed. */
export function lengthRefusal(length: number, maxLength: number, minLength: number): string | undefined {
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
