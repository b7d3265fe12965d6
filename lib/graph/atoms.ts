/**
 * Values without parts: numbers, bytes, text, none, booleans, decimals. Slicer and unslicer of each.
 *
 * Source: Foolscap `slicers/bool.py`, `none.py`, `unicode.py`, `decimal_slicer.py`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import { decodeText } from "../util/text.ts";
import { INT, STRING, VOCAB } from "../wire/tokens.ts";
import { SEQUENCE_COST, Unslicer, type WholeLeaf } from "./unslicer.ts";
import type { Slicing } from "./slicing.ts";
import { Decimal } from "../values/decimal.ts";
import type { Float } from "../values/float.ts";

/** An integral number in the safe range is an int, every other a float. */
export function sliceNumber(value: number, out: Slicing): void {
  if (value > 0 && value <= 0x7fffffff && (value | 0) === value) out.encoder.integer(value);
  else if (Number.isSafeInteger(value) && !Object.is(value, -0)) out.encoder.integer(value);
  else out.encoder.double(value);
}

/** A bigint of any size is an int. */
export function sliceBigint(value: bigint, out: Slicing): void {
  out.encoder.bigInteger(value);
}

/** A number that shall be a float, though it is integral. */
export function sliceFloat(value: Float, out: Slicing): void {
  out.encoder.double(value.value);
}

/** Any view of memory is bytes. */
export function sliceBytes(value: ArrayBufferView, out: Slicing): void {
  out.encoder.bytes(
    value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength),
  );
}

/** Text. */
export function sliceText(value: string, out: Slicing): void {
  if (!out.encoder.text(value)) throw new Violation("Cannot serialize text with a lone surrogate");
}

/** `null` and `undefined`. */
export function sliceNone(_value: null | undefined, out: Slicing): void {
  const number = out.encoder.open("none");
  out.encoder.close(number);
}

/** A boolean. */
export function sliceBoolean(value: boolean, out: Slicing): void {
  const number = out.encoder.open("boolean");
  out.encoder.integer(value ? 1 : 0);
  out.encoder.close(number);
}

/** A decimal, as the text that Python gives it. */
export function sliceDecimal(value: Decimal, out: Slicing): void {
  const number = out.encoder.open("decimal");
  out.encoder.word(value.toString());
  out.encoder.close(number);
}

/** A bare function: not something to hand out by accident. */
export function sliceFunction(): never {
  throw new Violation("Cannot serialize a function: wrap it in callable(...) to pass it by reference");
}

/** Takes nothing, gives `null`. */
export class NoneUnslicer extends Unslicer {
  override checkToken(): void {
    throw new ProtocolError("A none takes no tokens");
  }
  override receive(): void {}
  override close(): null {
    return null;
  }
}

/** A boolean of which all bytes are there. */
export const WHOLE_BOOLEAN: WholeLeaf = { child: INT, value: (_bytes, _start, _end, header) => header !== 0 };

/** A text of which all bytes are there. */
export const WHOLE_TEXT: WholeLeaf = { child: STRING, value: decodeText };

/** Takes one INT; an empty one is `null`, as in Python. */
export class BooleanUnslicer extends Unslicer {
  #value: boolean | null = null;

  override start(): void {
    this.#value = null;
  }
  override checkToken(type: number): void {
    if (type !== INT) throw new ProtocolError("A boolean only takes an INT token");
    if (this.count > 0) throw new ProtocolError("A boolean only takes one token");
  }
  override receive(value: unknown): void {
    this.#value = value !== 0;
  }
  override close(): boolean | null {
    return this.#value;
  }
}

/** Takes one STRING and gives text; an empty sequence is `null`, as in Python. */
export class TextUnslicer extends Unslicer {
  #value: string | null = null;

  override start(): void {
    this.#value = null;
  }
  override checkToken(type: number): void {
    if (type !== STRING && type !== VOCAB) throw new ProtocolError("A unicode only takes strings");
    if (this.count > 0) throw new ProtocolError("A unicode only takes one string");
  }
  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#value = decodeText(bytes, start, end);
    } catch (cause) {
      throw new Violation("Text is not UTF-8", { cause });
    }
  }
  override receive(): void {}
  override close(): string | null {
    const value = this.#value;
    this.#value = null; // this unslicer is kept, and the text shall not be
    return value;
  }
}

/** Takes one STRING with the text of a decimal. */
export class DecimalUnslicer extends Unslicer {
  #value: Decimal | undefined;

  override start(): void {
    this.#value = undefined;
    this.receiver.spend(SEQUENCE_COST);
  }
  override checkToken(type: number, size: number): void {
    if (type !== STRING && type !== VOCAB) throw new ProtocolError("A decimal only takes a string");
    if (this.count > 0) throw new ProtocolError("A decimal only takes one string");
    const limit = this.receiver.limits.maxIntegerBytes;
    if (size > limit) throw new Violation(`Decimal too long: ${size} > ${limit} bytes`);
  }
  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#value = new Decimal(decodeText(bytes, start, end));
    } catch (cause) {
      throw new Violation("Text is not a decimal number", { cause });
    }
  }
  override receive(): void {}
  override close(): Decimal {
    if (this.#value === undefined) throw new Violation("A decimal without digits");
    return this.#value;
  }
}
