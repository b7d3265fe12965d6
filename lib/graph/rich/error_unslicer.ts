/**
 * Errors as they arrive as values: of a class that the program has registered for one of their types, else of one of
 * JavaScript's own, else plain Errors. A peer chooses among those, and their texts; it chooses no code.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { MAX_ERROR_VALUE_BYTES, MAX_NAME_BYTES } from "../../limits.ts";
import { decodeLossy, quoteForeign } from "../../util/text.ts";
import { STRING, VOCAB } from "../../wire/tokens.ts";
import { ERROR_COST } from "../costs.ts";
import type { Pending } from "../pending.ts";
import { type Receiving, Unslicer } from "../unslicer.ts";
import { Tuple } from "../../values/tuple.ts";
import { type ErrorRules, makeBuiltIn, MAX_TYPES } from "./error_rules.ts";

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
