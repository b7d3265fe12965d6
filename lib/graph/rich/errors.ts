/**
 * Errors as values: passed, returned, or inside another one. What a method throws is a failure, which is another thing.
 *
 * `OPEN js-error (STRING(field) value)* CLOSE`; the fields are `type` (several times), `name`, `message`, `stack`, each a
 * STRING, and after them `cause`, any value, and `errors`, a list.
 *
 * Other properties of an error stay where they are, as with `structuredClone`: programs hang requests, sockets and secrets
 * there.
 *
 * They arrive as errors of a class that the program has registered for one of their types, else of one of JavaScript's own, else
 * as plain Errors. A peer chooses among those, and their texts; it chooses no code.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { MAX_ERROR_VALUE_BYTES, MAX_NAME_BYTES } from "../../limits.ts";
import { decodeLossy, encodeText, quoteForeign, truncateUtf8 } from "../../util/text.ts";
import { Tuple } from "../../values/tuple.ts";
import { STRING, VOCAB } from "../../wire/tokens.ts";
import { ERROR_COST, type Receiving, Unslicer } from "../unslicer.ts";
import type { Pending } from "../pending.ts";
import type { Slicer, Slicing } from "../slicing.ts";

/** What a connection, or the storage, decides about errors as values. */
export interface ErrorRules {
  /** The names of an error's classes that have one, the most specific first; more than {@linkcode MAX_TYPES} are cut. */
  typesOf(error: Error): readonly string[];
  /** A text of an error as it may leave this process. Must not throw. */
  leaving(text: string): string;
  /** A text of an error of a peer as it may be kept. */
  arriving(text: string): string;
  /** Whether stacks are told. */
  tellsStacks(): boolean;
  /** Whether the cause of an error is told. */
  tellsCause(error: Error): boolean;
  /** An error of a class that the program has registered under this name. Must not throw. */
  make(type: string, message: string): Error | undefined;
}

/** Names of classes that are told of one error. */
const MAX_TYPES = 8;

/** What all names of JavaScript's own classes begin with; as in failures. */
const PREFIX = "javascript.";

/** What makes an error of each class of JavaScript's own. */
const MAKERS: ReadonlyMap<string, (message: string | undefined, name: string) => Error> = new Map([
  ...[Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((construct) =>
    [construct.name, (message: string | undefined): Error => new construct(message)] as const
  ),
  ["AggregateError", (message: string | undefined): Error => new AggregateError([], message)] as const,
  [
    "DOMException",
    (message: string | undefined, name: string): Error => new DOMException(message, name),
  ] as const,
]);

const NAMES: ReadonlyMap<object, string> = new Map(
  [
    Error,
    TypeError,
    RangeError,
    SyntaxError,
    ReferenceError,
    EvalError,
    URIError,
    AggregateError,
    DOMException,
  ].map((construct) => [construct.prototype, PREFIX + construct.name]),
);

/** The name of one of JavaScript's own classes, by its prototype. */
function builtInType(prototype: object): string | undefined {
  return NAMES.get(prototype);
}

/** An error of one of JavaScript's own classes; `undefined` if the name is of none. */
function makeBuiltIn(type: string, message: string | undefined, name: string): Error | undefined {
  return type.startsWith(PREFIX) ? MAKERS.get(type.slice(PREFIX.length))?.(message, name) : undefined;
}

/**
 * The names of an error's classes, the most specific first, up to the first one of JavaScript's own.
 *
 * @param nameOf The names of other classes, by prototype.
 */
export function typesOf(
  error: Error,
  nameOf: (prototype: object) => string | undefined = () => undefined,
): readonly string[] {
  const types: string[] = [];
  for (let p: object | null = Object.getPrototypeOf(error); p !== null; p = Object.getPrototypeOf(p)) {
    const builtIn = builtInType(p);
    const type = builtIn ?? nameOf(p);
    if (type !== undefined) types.push(type);
    if (builtIn !== undefined) break;
  }
  return types.length > MAX_TYPES ? [...types.slice(0, MAX_TYPES - 1), types.at(-1)!] : types;
}

/** Without a connection there is nobody to hide texts from, and no class but JavaScript's own. */
export const STORED_ERRORS: ErrorRules = {
  typesOf: (error) => typesOf(error),
  leaving: (text) => text,
  arriving: (text) => text,
  tellsStacks: () => false,
  tellsCause: () => true,
  make: () => undefined,
};

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

/** The longest text of each field that is one, in bytes. */
const TEXTS: ReadonlyMap<string, number> = new Map(Object.entries(MAX_ERROR_VALUE_BYTES));

/** Gives an error, which `reference` may name as soon as its class is known. */
export class ErrorValueUnslicer extends Unslicer {
  readonly #rules: ErrorRules;
  readonly #types: string[] = [];
  readonly #texts = new Map<string, string>();
  readonly #values = new Set<string>();
  #objectNumber = 0;
  #field: string | undefined;
  #error: Error | undefined;

  /** An unslicer that makes errors by these rules. */
  constructor(receiver: Receiving, rules: ErrorRules) {
    super(receiver);
    this.#rules = rules;
  }

  override start(objectNumber: number): void {
    this.#objectNumber = objectNumber;
    this.receiver.spend(ERROR_COST);
    this.receiver.register(objectNumber, undefined);
  }

  override checkToken(type: number, size: number): void {
    const limit = this.#field === undefined ? MAX_NAME_BYTES : TEXTS.get(this.#field);
    if (limit === undefined) return;
    if (type !== STRING && type !== VOCAB) {
      throw new Violation(`A js-error takes a STRING for ${this.#field ?? "the name of a field"}`);
    }
    if (size > limit) throw new Violation(`STRING token too large: ${size} > ${limit}`);
  }

  override receiveBytes(bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    const field = this.#field;
    if (field !== undefined && !TEXTS.has(field)) return super.receiveBytes(bytes, start, end, owned);
    const text = decodeLossy(bytes.subarray(start, end));
    if (field === undefined) return this.#takeField(text);
    this.#field = undefined;
    if (field === "type") this.#types.push(text);
    else this.#texts.set(field, this.#rules.arriving(text));
  }

  override receive(value: unknown): void {
    this.#set(this.#field!, value);
    this.#field = undefined;
  }

  override receivePending(pending: Pending): void {
    const field = this.#field!;
    this.#field = undefined;
    pending.whenSettled((value) => this.#set(field, value));
  }

  override close(): Error {
    if (this.#field !== undefined) throw new Violation("A js-error ends with a field and no value");
    return this.#make();
  }

  override segment(): string {
    return this.#field === undefined ? "" : `.${this.#field}`;
  }

  #takeField(name: string): void {
    if (name === "type") {
      if (this.#types.length >= MAX_TYPES) throw new Violation(`A js-error has more than ${MAX_TYPES} types`);
    } else if (this.#texts.has(name) || this.#values.has(name)) {
      throw new Violation(`Duplicate field "${name}" of a js-error`);
    }
    if (name === "cause" || name === "errors") {
      // It may be named inside of what comes now.
      this.#make();
      this.#values.add(name);
    } else if (!TEXTS.has(name)) {
      throw new Violation(`Unknown field ${quoteForeign(name, 64)} of a js-error`);
    } else if (this.#error !== undefined) {
      throw new Violation(`A js-error has its ${name} behind its cause or errors`);
    }
    this.#field = name;
  }

  #make(): Error {
    if (this.#error !== undefined) return this.#error;
    const name = this.#texts.get("name") ?? "Error";
    const message = this.#texts.get("message");
    const error = this.#construct(message, name);
    if (error.name !== name) define(error, "name", name);
    // Where it was made here says nothing.
    define(
      error,
      "stack",
      this.#texts.get("stack") ?? (message === undefined ? name : `${name}: ${message}`),
    );
    this.receiver.replace(this.#objectNumber, error);
    return this.#error = error;
  }

  #construct(message: string | undefined, name: string): Error {
    for (const type of this.#types) {
      const error = this.#rules.make(type, message ?? "") ?? makeBuiltIn(type, message, name);
      if (error !== undefined) return error;
    }
    return new Error(message);
  }

  #set(field: string, value: unknown): void {
    if (field === "errors" && (!Array.isArray(value) || value instanceof Tuple)) {
      throw new Violation("The errors of a js-error are not a list");
    }
    define(this.#error!, field, value);
  }
}

/** Properties of errors are not enumerable; and a class may have one of the name that cannot be assigned. */
function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true });
}
