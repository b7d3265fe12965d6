/**
 * The forms that jelly itself has, by their tags.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { decodeLossy, decodeText, quoteForeign } from "../../util/text.ts";
import type { Expression } from "../banana/expression.ts";
import { InsecureJelly } from "../errors.ts";
import { CalendarDate, DateTime, type DateTimeFields, TimeOfDay } from "../values/date_time.ts";
import { TimeDelta } from "../values/time_delta.ts";
import { Unpersistable } from "../values/unpersistable.ts";
import { decimalOf } from "./atoms.ts";
import { readDictionary, readFrozenSet, readList, readSet, readTuple } from "./containers.ts";
import type { Form, FormReader } from "./form.ts";

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
