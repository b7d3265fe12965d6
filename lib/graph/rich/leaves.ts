/**
 * Values of JavaScript's own that are written as a few tokens:
 *
 * - `OPEN undefined CLOSE`: `undefined`, which is not `null` between two Tubs of this library.
 * - `OPEN bigint INT|NEG|LONGINT|LONGNEG CLOSE`: bigints that are small enough to be taken for numbers. Larger ones are told
 *   from them by their size.
 * - `OPEN date FLOAT(milliseconds since 1970, or NaN) CLOSE`: dates, invalid ones too.
 * - `OPEN temporal STRING(kind) STRING(text) CLOSE`: dates and times of `Temporal`, each with its own type, calendar and time
 *   zone. The text is that of `toString()`; of a Duration, whose text loses how it was put together, the ten numbers from years
 *   to nanoseconds with commas between them.
 * - `OPEN url STRING(href) CLOSE`: URLs.
 * - `OPEN regexp STRING(source) STRING(flags) CLOSE`: regular expressions. Nothing here ever runs one: a peer's can take forever,
 *   and whoever uses it has to know whose it is. As with `structuredClone`, `lastIndex` begins at 0.
 *
 * What a regular expression takes to be made, beyond its length: the engine expands each property of Unicode (`\p{L}`) into its
 * ranges, and those of texts (`\p{RGI_Emoji}`) into thousands of alternatives. 16,384 bytes of them take two seconds.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { MAX_REGEXP_BYTES, MAX_URL_BYTES } from "../../limits.ts";
import { decodeText, encodeText } from "../../util/text.ts";
import { Float } from "../../values/float.ts";
import { FLOAT, INT, LONGINT, LONGNEG, NEG, STRING, VOCAB } from "../../wire/tokens.ts";
import { sliceNone } from "../atoms.ts";
import { OBJECT_COST, REGEXP_COST, SEQUENCE_COST, Unslicer, URL_COST } from "../unslicer.ts";
import type { Slicer, Slicing } from "../slicing.ts";

/** Takes some tokens and gives an object, which `reference` can name when it is there. One is used again and again. */
export abstract class ObjectLeaf extends Unslicer {
  #objectNumber = 0;
  /** Memory of an object besides its tokens, in bytes. */
  protected abstract readonly cost: number;

  override start(objectNumber: number): void {
    this.#objectNumber = objectNumber;
    this.receiver.spend(this.cost);
    this.receiver.register(objectNumber, undefined);
  }

  /** The object is there. */
  protected made<T extends object>(object: T): T {
    this.receiver.replace(this.#objectNumber, object);
    return object;
  }
}

/** The same for objects that are written as a few texts. */
abstract class TextLeaf extends ObjectLeaf {
  readonly #texts: string[] = [];
  /** The type of the sequence, for messages. */
  protected abstract readonly word: string;
  /** The longest text of each place, in bytes. */
  protected abstract readonly limits: readonly number[];

  override start(objectNumber: number): void {
    this.#texts.length = 0;
    super.start(objectNumber);
  }
  override checkToken(type: number, size: number): void {
    const limit = this.limits[this.count];
    if (limit === undefined || (type !== STRING && type !== VOCAB)) {
      throw new Violation(`A ${this.word} takes ${this.limits.length} STRINGs and nothing else`);
    }
    if (size > limit) throw new Violation(`Text of a ${this.word} is too long: ${size} > ${limit} bytes`);
  }
  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#texts.push(decodeText(bytes, start, end));
    } catch (cause) {
      throw new Violation(`Text of a ${this.word} is not UTF-8`, { cause });
    }
  }
  override receive(): void {}
  override close(): object {
    const texts = this.#texts.splice(0);
    if (texts.length < this.limits.length) throw new Violation(`Sequence of a ${this.word} ended too early`);
    return this.made(this.make(texts));
  }

  /** The object of these texts; a Violation if there is none. */
  protected abstract make(texts: readonly string[]): object;
}

/** `null`, and `undefined`. */
export function sliceUndefined(value: null | undefined, out: Slicing): void {
  if (value === null) return sliceNone(value, out);
  out.encoder.close(out.encoder.open("undefined"));
}

/** Takes nothing, gives `undefined`. */
export class UndefinedUnslicer extends Unslicer {
  override checkToken(): void {
    throw new Violation("An undefined takes no tokens");
  }
  override receive(): void {}
  override close(): undefined {}
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** A bigint that stays one. */
export function sliceTypedBigint(value: bigint, out: Slicing): void {
  const { encoder } = out;
  if (value > MAX_SAFE || value < -MAX_SAFE) return encoder.bigInteger(value);
  const number = encoder.open("bigint");
  encoder.bigInteger(value);
  encoder.close(number);
}

/** Takes one integer and gives it as a bigint. */
export class BigintUnslicer extends Unslicer {
  #value: bigint | undefined;

  override start(): void {
    this.#value = undefined;
    this.receiver.spend(SEQUENCE_COST);
  }
  override checkToken(type: number): void {
    if (this.count > 0 || (type !== INT && type !== NEG && type !== LONGINT && type !== LONGNEG)) {
      throw new Violation("A bigint takes one integer and nothing else");
    }
  }
  override receive(value: unknown): void {
    this.#value = BigInt(value as number | bigint);
  }
  override close(): bigint {
    const value = this.#value;
    if (value === undefined) throw new Violation("A bigint without its number");
    this.#value = undefined; // this unslicer is kept, and a long number shall not be
    return value;
  }
}

/** The first and last moment that a Date can be, in milliseconds from 1970. */
const MAX_TIME = 8.64e15;

/** A Date. */
export function sliceDate(value: Date, out: Slicing): void {
  const number = out.beginShared(value, "date");
  if (number < 0) return;
  // Not value.getTime(): a subclass may have another idea of it.
  out.encoder.double(Date.prototype.getTime.call(value));
  out.end(number);
}

/** Takes one FLOAT and gives a Date. */
export class DateUnslicer extends ObjectLeaf {
  protected override readonly cost = OBJECT_COST;
  #time: number | undefined;

  override start(objectNumber: number): void {
    this.#time = undefined;
    super.start(objectNumber);
  }
  override checkToken(type: number): void {
    if (type !== FLOAT || this.count > 0) throw new Violation("A date takes one FLOAT and nothing else");
  }
  override receive(value: unknown): void {
    this.#time = value instanceof Float ? value.value : value as number;
  }
  override close(): Date {
    const time = this.#time;
    if (time === undefined) throw new Violation("A date without its time");
    if (!Number.isNaN(time) && !(Number.isInteger(time) && Math.abs(time) <= MAX_TIME)) {
      throw new Violation("The time of a date is out of range, or no whole number of milliseconds");
    }
    return this.made(new Date(time));
  }
}

/** A class of `Temporal`. */
interface TemporalClass {
  readonly prototype: object;
  from(text: string): object;
}

const DURATION = "Duration";
const KINDS: ReadonlyMap<string, TemporalClass> = new Map<string, TemporalClass>([
  ["Instant", Temporal.Instant],
  ["ZonedDateTime", Temporal.ZonedDateTime],
  ["PlainDateTime", Temporal.PlainDateTime],
  ["PlainDate", Temporal.PlainDate],
  ["PlainTime", Temporal.PlainTime],
  ["PlainYearMonth", Temporal.PlainYearMonth],
  ["PlainMonthDay", Temporal.PlainMonthDay],
  [DURATION, Temporal.Duration],
]);
/** More than any of them has, in bytes: kind, and text. */
const LIMITS = [32, 400];

function sliceTemporal(kind: string, value: object, out: Slicing): void {
  const number = out.beginShared(value, "temporal");
  if (number < 0) return;
  out.encoder.word(kind);
  out.encoder.word(value instanceof Temporal.Duration ? numbersOf(value) : String(value));
  out.end(number);
}

function numbersOf(duration: Temporal.Duration): string {
  const { years, months, weeks, days, hours, minutes, seconds } = duration;
  const { milliseconds, microseconds, nanoseconds } = duration;
  return [years, months, weeks, days, hours, minutes, seconds, milliseconds, microseconds, nanoseconds]
    .join();
}

/** The slicers of all kinds. */
export const TEMPORAL_SLICERS: readonly (readonly [object, Slicer])[] = Array.from(
  KINDS,
  ([kind, { prototype }]) => [prototype, (value: object, out: Slicing) => sliceTemporal(kind, value, out)],
);

/** Takes two STRINGs and gives an object of one of the kinds. */
export class TemporalUnslicer extends TextLeaf {
  protected override readonly word = "temporal";
  protected override readonly cost = URL_COST;
  protected override readonly limits = LIMITS;

  protected override make([kind, text]: readonly string[]): object {
    const construct = KINDS.get(kind!);
    if (construct === undefined) throw new Violation("A temporal is of an unknown kind");
    try {
      if (kind !== DURATION) return construct.from(text!);
      const numbers = text!.split(",");
      if (numbers.length !== 10 || !numbers.every((number) => /^-?\d{1,310}$/.test(number))) {
        throw new RangeError("not ten numbers");
      }
      return new Temporal.Duration(...numbers.map(Number));
    } catch (cause) {
      throw new Violation(`The text of a temporal makes no ${kind}`, { cause });
    }
  }
}

/** A URL. Its text is ASCII. */
export function sliceUrl(value: URL, out: Slicing): void {
  const number = out.beginShared(value, "url");
  if (number < 0) return;
  const { href } = value;
  if (href.length > MAX_URL_BYTES) {
    throw new Violation(
      `Cannot serialize a URL of ${href.length} characters, more than ${MAX_URL_BYTES}: send its text`,
    );
  }
  out.encoder.word(href);
  out.end(number);
}

/** Takes one STRING and gives a URL. */
export class UrlUnslicer extends TextLeaf {
  protected override readonly word = "url";
  protected override readonly cost = URL_COST;
  protected override readonly limits = [MAX_URL_BYTES];

  protected override make([href]: readonly string[]): URL {
    const url = URL.parse(href!);
    if (url === null) throw new Violation("The text of a url is not one");
    return url;
  }
}

/** For a property of characters, which takes 0.1 ms: so much of what a message may take, in bytes. */
const PROPERTY_COST = 32 * 1024;
/** For one of texts, 2 ms. */
const TEXTS_COST = 1024 * 1024;

/** The cost of a source with these flags. */
function regexpCost(source: string, flags: string): number {
  if (!/[uv]/.test(flags)) return 0;
  let cost = 0;
  // A backslash before it may be one that stands for itself; then it costs too much.
  for (const [property] of source.matchAll(/\\[pP]\{[^}]{0,100}/g)) {
    const isOfTexts = flags.includes("v") && /RGI_|Basic_Emoji|Keycap/.test(property);
    cost += isOfTexts ? TEXTS_COST : PROPERTY_COST;
  }
  return cost;
}

/** More letters than there are flags. */
const MAX_FLAGS = 16;

/** A RegExp. */
export function sliceRegExp(value: RegExp, out: Slicing): void {
  const number = out.beginShared(value, "regexp");
  if (number < 0) return;
  const { source, flags } = value;
  if (!source.isWellFormed()) throw new Violation("Cannot serialize a RegExp with a lone surrogate");
  if (source.length > MAX_REGEXP_BYTES || encodeText(source).length > MAX_REGEXP_BYTES) {
    throw new Violation(`Cannot serialize a RegExp of more than ${MAX_REGEXP_BYTES} bytes: send its source`);
  }
  out.encoder.word(source);
  out.encoder.word(flags);
  out.end(number);
}

/** Takes two STRINGs and gives a RegExp. */
export class RegExpUnslicer extends TextLeaf {
  protected override readonly word = "regexp";
  protected override readonly cost = REGEXP_COST;
  protected override readonly limits = [MAX_REGEXP_BYTES, MAX_FLAGS];

  protected override make([source, flags]: readonly string[]): RegExp {
    this.receiver.spend(regexpCost(source!, flags!));
    try {
      return new RegExp(source!, flags);
    } catch {
      // The engine's message has the whole source in it.
      throw new Violation("The source of a regexp, or its flags, cannot be compiled");
    }
  }
}
