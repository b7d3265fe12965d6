/**
 * S-expressions to values.
 *
 * An object is made, and can be referred to, before its parts are read: cycles are right whatever they go through.
 *
 * Source: Twisted `jelly.py`, `_Unjellier`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import type { ValueKey } from "../../util/keyed.ts";
import { decodeText, quoteForeign } from "../../util/text.ts";
import { assignState } from "../../values/assign_state.ts";
import { Float } from "../../values/float.ts";
import { valueKey } from "../../values/value_key.ts";
import type { Expression } from "../banana/expression.ts";
import { Word } from "../banana/words.ts";
import { InsecureJelly } from "../errors.ts";
import { DEFAULT_PB_LIMITS, type PbLimits } from "../limits.ts";
import { FORMS } from "./atoms.ts";
import { Dereference, readArguments } from "./containers.ts";
import type { FormReader } from "./form.ts";
import type { Invoker, ReferenceTag, Unjellying } from "./invoker.ts";
import { isUnjellyable, stateOf } from "./jellyable.ts";
import {
  type CopyEntry,
  type CopyRegistry,
  copyTags,
  globalSecurity,
  type PlainClass,
  type SecurityOptions,
} from "./security.ts";

/** What an {@linkcode Unjellier} needs. */
export interface UnjellierOptions {
  /** What may be read. By default the {@linkcode globalSecurity}. */
  readonly security?: SecurityOptions | undefined;
  /** What reads which tag. By default the shared {@linkcode copyTags}. */
  readonly registry?: CopyRegistry | undefined;
  /** The connection; none for storage. */
  readonly invoker?: Invoker | undefined;
  /** On whose behalf. */
  readonly perspective?: unknown;
  /** Gives the object that a `persistentStore` named so. */
  readonly persistentLoad?: ((id: Expression, unjellier: Unjellying) => unknown) | undefined;
  /**
   * `"wrap"` gives an integral double as a `Float`, so that it is a double again when it is sent; `"number"` gives
   * every double as a number.
   *
   * @default {"number"}
   */
  readonly floats?: "number" | "wrap" | undefined;
  /** How deep expressions may be. */
  readonly limits?: PbLimits | undefined;
}

/** Reads the values of one run: references within it mean one another. */
export class Unjellier implements FormReader {
  /** The connection for which this is done; undefined for storage. */
  readonly invoker: Invoker | undefined;
  /** On whose behalf. */
  readonly perspective: unknown;
  /** What may be read. */
  readonly security: SecurityOptions;
  /** Gives the object that a `persistentStore` named so. */
  readonly persistentLoad: UnjellierOptions["persistentLoad"];
  readonly #registry: CopyRegistry;
  readonly #wrapFloats: boolean;
  readonly #maxDepth: number;
  readonly #maxRepeated: number;
  #references: Map<ValueKey, unknown> | undefined;
  // The number that `(reference n` gives to the list that is read next, and the one of the list that is being read, until
  // something is made of it.
  #nextNumber: ValueKey | undefined;
  #number: ValueKey | undefined;
  #depth = 0;
  #unknown = 0;
  #repeated = 0;
  // Most runs are short and have none of these.
  #hashable: Set<unknown> | undefined;
  #last: (() => void)[] | undefined;
  #made: { postUnjelly(): void }[] | undefined;

  /** A reader for one run. */
  constructor(options: UnjellierOptions = {}) {
    this.security = options.security ?? globalSecurity;
    this.#registry = options.registry ?? copyTags;
    this.invoker = options.invoker;
    this.perspective = options.perspective;
    this.persistentLoad = options.persistentLoad;
    this.#wrapFloats = options.floats === "wrap";
    const { maxDepth, maxExpressionBytes } = options.limits ?? DEFAULT_PB_LIMITS;
    this.#maxDepth = maxDepth;
    this.#maxRepeated = maxExpressionBytes;
  }

  /**
   * Reads a whole value, and then calls `postUnjelly()` of the objects that have one and were read by a registered class,
   * function or factory. To be called once.
   *
   * @throws {InsecureJelly} If it names a form or class that is not declared.
   * @throws {Violation} If it makes no sense, or code of a registered class fails.
   */
  unjellyFull(expression: Expression): unknown {
    const value = this.unjelly(expression);
    this.#finish(value);
    return value;
  }

  /**
   * As {@linkcode Unjellier.unjellyFull}, for the arguments of a call: a plain tuple of them is given as an array that
   * belongs to the caller, for nothing can refer to the tuple itself.
   *
   * @throws {Violation} As {@linkcode Unjellier.unjellyFull}.
   */
  unjellyArguments(expression: Expression): unknown {
    const isPlain = Array.isArray(expression) && expression[0] instanceof Word &&
      expression[0].text === "tuple" && this.security.isTypeAllowed("tuple") &&
      this.#registry.find("tuple") === undefined;
    if (!isPlain) return this.unjellyFull(expression);
    this.#depth++;
    const values = readArguments(this, expression);
    this.#depth--;
    this.#finish(values);
    return values;
  }

  #finish(value: unknown): void {
    if (this.#unknown > 0 || value instanceof Dereference) {
      throw new Violation("Cannot read a value: it refers to a part that it does not have");
    }
    if (this.#last !== undefined) { for (const finish of this.#last) finish(); }
    if (this.#made !== undefined) { for (const object of this.#made) guard(() => object.postUnjelly()); }
  }

  /** Keys that were looked into and can be hashed. */
  get hashable(): Set<unknown> {
    return this.#hashable ??= new Set();
  }

  /**
   * Reads a part of the expression that an `unjellyFor` was given. In a cycle that goes through an object which is not
   * there yet (one that a factory makes), parts of what it returns may be filled in later.
   *
   * @throws {Violation} As {@linkcode Unjellier.unjellyFull}.
   */
  unjelly(expression: Expression): unknown {
    if (typeof expression === "number" || typeof expression === "bigint") return expression;
    if (expression instanceof Uint8Array) {
      // The decoder shares its Words between messages; the program gets bytes of its own.
      return expression instanceof Word ? expression.slice() : expression;
    }
    if (expression instanceof Float) return this.#wrapFloats ? expression : expression.value;
    if (!Array.isArray(expression)) {
      throw new TypeError("Cannot unjelly: got something that is no expression");
    }
    if (this.#depth >= this.#maxDepth) {
      throw new Violation(`Cannot read lists more than ${this.#maxDepth} deep inside each other`);
    }
    const outer = this.#number;
    this.#number = this.#nextNumber;
    this.#nextNumber = undefined;
    this.#depth++;
    const value = this.#list(expression);
    this.#depth--;
    this.#number = outer;
    return value;
  }

  /**
   * Says what is being read, as soon as it is made and before its parts are read, so that they can refer to it. Called in
   * `unjellyFor`.
   */
  bind(object: unknown): void {
    const number = this.#number;
    if (number === undefined) return;
    this.#number = undefined;
    this.#bindNumber(number, object);
  }

  #bindNumber(number: ValueKey, object: unknown): void {
    const references = this.#references!;
    const waiting = references.get(number);
    references.set(number, object);
    if (!(waiting instanceof Dereference)) return;
    this.#unknown--;
    waiting.resolve(object);
  }

  #isBound(number: ValueKey): boolean {
    return this.#references!.has(number) && !(this.#references!.get(number) instanceof Dereference);
  }

  /** Reads `(reference number content)`. */
  reference(id: Expression | undefined, content: Expression | undefined): unknown {
    if (content === undefined) throw new Violation("Cannot read a reference: it has no content");
    const number = referenceKey(id);
    this.#references ??= new Map();
    if (this.#isBound(number)) {
      throw new Violation("Cannot read a value: two of its parts have one reference number");
    }
    this.#nextNumber = number;
    const value = this.unjelly(content);
    this.#nextNumber = undefined;
    if (this.#isBound(number)) return value;
    if (value instanceof Dereference) value.whenKnown((known) => this.#bindNumber(number, known));
    else this.#bindNumber(number, value);
    return value;
  }

  /** Reads `(dereference number)`: the value, or a {@linkcode Dereference} until it is known. */
  dereference(id: Expression | undefined): unknown {
    const number = referenceKey(id);
    this.#references ??= new Map();
    if (!this.#references.has(number)) {
      this.#references.set(number, new Dereference());
      this.#unknown++;
    }
    const value = this.#references.get(number);
    this.#charge(value);
    return value;
  }

  /** Whether it is compared, as a key, is not known yet: that takes time by its length, each time. */
  #charge(value: unknown): void {
    if (typeof value !== "string" && !(value instanceof Uint8Array) || value.length <= LONG) return;
    this.#repeated += value.length;
    if (this.#repeated <= this.#maxRepeated) return;
    throw new Violation(`Cannot read a value: it repeats more than ${this.#maxRepeated} bytes by references`);
  }

  /** Has something done when all is read. */
  atEnd(finish: () => void): void {
    (this.#last ??= []).push(finish);
  }

  /** Makes a plain object of an allowed class, with this state. */
  plainObject(tag: string, state: Expression | undefined): unknown {
    const dot = tag.lastIndexOf(".");
    const module = dot < 0 ? "" : tag.slice(0, dot);
    if (!this.security.isModuleAllowed(module)) {
      throw new InsecureJelly(`Module ${module.slice(0, 200)} not allowed (in type ${tag.slice(0, 200)}).`);
    }
    const plain = this.security.classNamed(tag);
    if (plain === undefined) throw new InsecureJelly(`Class ${tag.slice(0, 200)} not allowed.`);
    return this.#restore(plain, state);
  }

  /** Makes an object of a class that was found to be allowed. */
  #restore(plain: PlainClass, state: Expression | undefined): unknown {
    if (state === undefined) throw new Violation("Cannot read an object: it has no state");
    const object = guard(() => new (plain as new () => object)());
    this.bind(object);
    const values = this.unjelly(state);
    const { setCopyableState } = object as { setCopyableState?: unknown };
    guard(() => {
      if (typeof setCopyableState === "function") setCopyableState.call(object, values);
      else assignState(object, stateOf(values));
    });
    return this.#noteMade(object);
  }

  /** Reads the `(instance class state)` of old. */
  instance(plain: unknown, state: Expression | undefined): unknown {
    if (typeof plain !== "function" || !this.security.isClassAllowed(plain as unknown as PlainClass)) {
      throw new InsecureJelly("Instance found with non-class class.");
    }
    return this.#restore(plain as unknown as PlainClass, state);
  }

  #list(expression: readonly Expression[]): unknown {
    const tag = textOfTag(expression[0]);
    if (this.invoker !== undefined && REFERENCES.has(tag)) {
      const { invoker } = this;
      return invoker.unjellyReference(tag as ReferenceTag, expression[1], this);
    }
    if (!this.security.isTypeAllowed(tag)) {
      throw new InsecureJelly(`Type not allowed: ${quoteForeign(tag)}`);
    }
    const entry = this.#registry.find(tag);
    if (entry !== undefined) return this.#registered(entry, expression);
    const form = FORMS.get(tag);
    if (form !== undefined) return form(this, expression);
    return this.plainObject(tag, expression[1]);
  }

  #registered(entry: CopyEntry, expression: readonly Expression[]): unknown {
    if (entry.kind === "factory") {
      const state = this.unjelly(expression[1] ?? NONE);
      return this.#noteMade(guard(() => entry.make(state)));
    }
    if (entry.kind === "function") return this.#noteMade(guard(() => entry.read(this, expression)));
    const object = guard(() => new entry.construct());
    if (!isUnjellyable(object)) {
      throw new Violation("Cannot read an object: the class registered for it has no unjellyFor");
    }
    return this.#noteMade(guard(() => object.unjellyFor(this, expression)));
  }

  #noteMade(made: unknown): unknown {
    if (
      typeof made === "object" && made !== null && "postUnjelly" in made &&
      typeof made.postUnjelly === "function"
    ) {
      (this.#made ??= []).push(made as { postUnjelly(): void });
    }
    return made;
  }
}

/** Texts and byte strings that are longer count when they are referred to. */
const LONG = 256;
const REFERENCES: ReadonlySet<string> = new Set<ReferenceTag>(["remote", "local", "cached", "lcache"]);
const NONE: Expression = [new Word("None")];

/** The text of a tag. @throws {InsecureJelly} If there is none, or it is no text. */
function textOfTag(tag: Expression | undefined): string {
  if (tag instanceof Word) return tag.text;
  if (!(tag instanceof Uint8Array)) {
    throw new InsecureJelly("Cannot read a list whose first element is no tag");
  }
  try {
    return decodeText(tag, 0, tag.length);
  } catch (cause) {
    throw new InsecureJelly("Cannot read a list whose tag is not UTF-8", { cause });
  }
}

function referenceKey(id: Expression | undefined): ValueKey {
  if (id === undefined || Array.isArray(id)) {
    throw new Violation("Cannot read a reference: its number is missing");
  }
  return valueKey(id);
}

/** Runs code of the program's: what it throws is about this value and no more. */
function guard<T>(code: () => T): T {
  try {
    return code();
  } catch (cause) {
    if (cause instanceof Violation) throw cause;
    throw new Violation("Cannot read an object: the code of its class failed", { cause });
  }
}
