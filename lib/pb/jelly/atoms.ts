/**
 * The forms of jelly by their tags, and how values without parts (dates, times, decimals) are written and read.
 *
 * Source: Twisted `jelly.py`, `jelly_datetime` and its kin, `jelly_decimal`, `_unjelly_decimal`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { decodeLossy, decodeText, quoteForeign } from "../../util/text.ts";
import { Decimal } from "../../values/decimal.ts";
import type { BananaEncoder } from "../banana/encoder.ts";
import type { Expression } from "../banana/expression.ts";
import { InsecureJelly } from "../errors.ts";
import { CalendarDate, DateTime, type DateTimeFields, TimeOfDay } from "../values/date_time.ts";
import { TimeDelta } from "../values/time_delta.ts";
import { Unpersistable } from "../values/unpersistable.ts";
import { readDictionary, readFrozenSet, readList, readSet, readTuple } from "./containers.ts";
import type { Form, FormReader } from "./form.ts";

/**
 * Writes a date, time, span of time or decimal.
 *
 * @returns Whether it is one; otherwise nothing is written.
 * @throws {Violation} If it is a decimal that Python's jelly has no form for.
 */
export function writeAtom(value: object, encoder: BananaEncoder): boolean {
  if (value instanceof Decimal) {
    const { coefficient, exponent } = decimalParts(value);
    encoder.list(3);
    encoder.word("decimal");
    encoder.bigInteger(coefficient);
    encoder.bigInteger(exponent);
    return true;
  }
  if (value instanceof DateTime) {
    const { year, month, day, hour, minute, second, microsecond } = value;
    numbers(encoder, "datetime", [year, month, day, hour, minute, second, microsecond]);
  } else if (value instanceof CalendarDate) numbers(encoder, "date", [value.year, value.month, value.day]);
  else if (value instanceof TimeOfDay) {
    numbers(encoder, "time", [value.hour, value.minute, value.second, value.microsecond]);
  } else if (value instanceof TimeDelta) {
    numbers(encoder, "timedelta", [value.days, value.seconds, value.microseconds]);
  } else return false;
  return true;
}

function numbers(encoder: BananaEncoder, tag: string, values: readonly number[]): void {
  encoder.list(2);
  encoder.word(tag);
  encoder.word(values.join(" "));
}

/** Digits of the largest coefficient, 2^448 - 1. */
const MAX_DIGITS = 135;
const FINITE = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/**
 * The two numbers of a decimal. The sign of -0 is lost, as in Twisted.
 *
 * @throws {Violation} If it is not finite, or its coefficient has more digits than an integer may have.
 */
function decimalParts(value: Decimal): { readonly coefficient: bigint; readonly exponent: bigint } {
  const match = FINITE.exec(value.toString());
  if (match === null) {
    throw new Violation("Cannot send a Decimal that is not finite: Perspective Broker has no form for it");
  }
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits.length > MAX_DIGITS) {
    throw new Violation(
      `Cannot send a Decimal of more than ${MAX_DIGITS} digits: Perspective Broker has no room for it`,
    );
  }
  const magnitude = BigInt(digits);
  return {
    coefficient: sign === "-" ? -magnitude : magnitude,
    exponent: BigInt(exponent) - BigInt(fraction.length),
  };
}

/**
 * The decimal of two numbers, with the text that Python gives it.
 *
 * @throws {Violation} If its exponent is more than Python can hold.
 */
function decimalOf(coefficient: number | bigint, exponent: number | bigint): Decimal {
  const isNegative = coefficient < 0;
  const digits = String(isNegative ? -coefficient : coefficient);
  const power = BigInt(exponent);
  const left = power + BigInt(digits.length);
  let text: string;
  if (power <= 0n && left > -6n) {
    const point = Number(left);
    text = power === 0n
      ? digits
      : point > 0
      ? `${digits.slice(0, point)}.${digits.slice(point)}`
      : `0.${"0".repeat(-point)}${digits}`;
  } else {
    const shown = left - 1n;
    const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
    text = `${mantissa}E${shown < 0n ? "" : "+"}${shown}`;
  }
  try {
    return new Decimal(isNegative ? `-${text}` : text);
  } catch (cause) {
    throw new Violation("Cannot read a decimal: its exponent is out of range", { cause });
  }
}

/** All of them. */
export const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ["None", () => null],
  ["unicode", (_, expression) => textOf(expression[1])],
  ["boolean", (_, expression) => booleanOf(expression[1])],
  ["list", readList],
  ["tuple", readTuple],
  ["dictionary", readDictionary],
  ["set", readSet],
  ["frozenset", readFrozenSet],
  ["datetime", (_, e) => made(() => new DateTime(...numbersOf(e[1], 3, 7) as DateTimeFields))],
  ["date", (_, e) => made(() => new CalendarDate(...numbersOf(e[1], 3, 3) as [number, number, number]))],
  ["time", (_, e) => made(() => new TimeOfDay(...numbersOf(e[1], 0, 4)))],
  ["timedelta", (_, e) => made(() => new TimeDelta(...numbersOf(e[1], 3, 3)))],
  ["decimal", (_, expression) => decimalOf(integerOf(expression[1]), integerOf(expression[2]))],
  ["reference", (unjellier, expression) => unjellier.reference(expression[1], expression[2])],
  ["dereference", (unjellier, expression) => unjellier.dereference(expression[1])],
  ["persistent", (unjellier, expression) => {
    if (unjellier.persistentLoad === undefined) return new Unpersistable("Persistent callback not found");
    return unjellier.persistentLoad(expression[1] ?? [], unjellier);
  }],
  ["unpersistable", (_, expression) => new Unpersistable(reasonOf(expression[1]))],
  ["class", (unjellier, expression) => classOf(unjellier, textOf(expression[1]))],
  ["instance", (unjellier, expression) => {
    return unjellier.instance(unjellier.unjelly(expression[1] ?? []), expression[2]);
  }],
  ["module", refuseCode],
  ["function", refuseCode],
  ["method", refuseCode],
]);

/** Nothing arrives as code, whatever is allowed. */
function refuseCode(_: FormReader, expression: readonly Expression[]): never {
  throw new InsecureJelly(`Cannot read a ${textOf(expression[0])}: nothing arrives as code`);
}

function classOf({ security }: FormReader, name: string): unknown {
  const module = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  if (!security.isModuleAllowed(module)) {
    throw new InsecureJelly(`module ${quoteForeign(module)} not allowed`);
  }
  const plain = security.classNamed(name);
  if (plain === undefined) throw new InsecureJelly(`class not allowed: ${quoteForeign(name)}`);
  return plain;
}

function textOf(expression: Expression | undefined): string {
  if (!(expression instanceof Uint8Array)) throw new Violation("Cannot read a text: it has no bytes");
  try {
    return decodeText(expression, 0, expression.length);
  } catch (cause) {
    throw new Violation("Text is not UTF-8", { cause });
  }
}

function booleanOf(expression: Expression | undefined): boolean {
  const text = textOf(expression);
  if (text === "true") return true;
  if (text === "false") return false;
  throw new Violation(`Cannot read a boolean: it is ${quoteForeign(text)}, and neither "true" nor "false"`);
}

function integerOf(expression: Expression | undefined): number | bigint {
  if (typeof expression === "bigint") return expression;
  if (typeof expression === "number" && Number.isInteger(expression)) return expression;
  throw new Violation("Cannot read a decimal: a number of it is missing, or no integer");
}

function numbersOf(expression: Expression | undefined, least: number, most: number): number[] {
  const text = textOf(expression);
  const words = text.split(/\s+/, most + 2).filter((word) => word !== "");
  if (words.length < least || words.length > most || !words.every((word) => /^[+-]?\d{1,17}$/.test(word))) {
    throw new Violation(`Cannot read a date or time: ${quoteForeign(text, 64)} is not its numbers`);
  }
  return words.map((word) => Number(word) + 0);
}

/** Makes a date or time. @throws {Violation} If there is none such. */
function made<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof Violation) throw cause;
    throw new Violation("Cannot read a date or time: there is none of these numbers", { cause });
  }
}

/** The reason that the peer gave, cut and escaped. */
function reasonOf(expression: Expression | undefined): string {
  if (!(expression instanceof Uint8Array)) return "no reason given";
  return quoteForeign(decodeLossy(expression.subarray(0, 800))).slice(1, -1);
}
