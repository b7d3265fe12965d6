/**
 * Errors as values: passed, returned, or inside another one. What a method throws is a failure, which is another thing.
 *
 * `OPEN js-error (STRING(field) value)* CLOSE`; the fields are `type` (several times), `name`, `message`, `stack`, each a
 * STRING, and after them `cause`, any value, and `errors`, a list.
 *
 * Other properties of an error stay where they are, as with `structuredClone`: programs hang requests, sockets and secrets
 * there.
 *
 * @module
 */

import { MAX_ERROR_VALUE_BYTES } from "../../limits.ts";
import { encodeText, truncateUtf8 } from "../../util/text.ts";
import type { Slicer, Slicing } from "../slicing.ts";
import type { ErrorRules } from "./error_rules.ts";

/** A text is looked through for what must not leave only as far as this, in characters. */
const MAX_CHARACTERS = 8_192;

/** The slicer of errors by these rules. */
export function errorSlicer(rules: ErrorRules): Slicer {
  return (error: Error, out: Slicing) => sliceError(error, rules, out);
}

function sliceError(error: Error, rules: ErrorRules, out: Slicing): void {
  const number = out.beginShared(error, "js-error");
  if (number < 0) return;
  for (const type of rules.typesOf(error)) writeText("type", type, out);
  writeText("name", textOf(error.name, rules), out);
  const message = textOf(error.message, rules);
  if (message !== "") writeText("message", message, out);
  if (rules.tellsStacks()) writeText("stack", textOf(error.stack, rules), out);
  if (rules.tellsCause(error) && error.cause !== undefined) writeValue("cause", error.cause, out);
  if (error instanceof AggregateError) writeValue("errors", listOf(error.errors), out);
  out.end(number);
}

function writeText(field: keyof typeof MAX_ERROR_VALUE_BYTES, text: string, out: Slicing): void {
  out.encoder.word(field);
  const max = MAX_ERROR_VALUE_BYTES[field];
  const isLong = text.length * 3 > max && encodeText(text).length > max;
  out.encoder.word(isLong ? truncateUtf8(text, max) : text);
}

function writeValue(field: string, value: unknown, out: Slicing): void {
  out.encoder.word(field);
  try {
    out.slice(value);
  } catch (error) {
    throw out.at(error, field);
  }
  // The error is there from its beginning on, and waits for nothing.
  out.isUnready = false;
}

/** A program may put anything there. */
function listOf(errors: Iterable<unknown>): readonly unknown[] {
  return Array.isArray(errors) ? errors : Array.from(errors);
}

function textOf(text: unknown, rules: ErrorRules): string {
  return rules.leaving(String(text ?? "").slice(0, MAX_CHARACTERS).toWellFormed());
}
