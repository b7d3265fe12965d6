/**
 * Values to s-expressions, written straight into an encoder.
 *
 * A list announces its length and has no end, so that a value which turns out to be shared needs only something put in
 * front of it: `(reference n`. What is shared is found as the values are met, and put in when the run is over.
 *
 * Source: Twisted `jelly.py`, `_Jellier`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { quoteForeign } from "../../util/text.ts";
import { Float } from "../../values/float.ts";
import { FrozenSet } from "../../values/value_set.ts";
import { Tuple } from "../../values/tuple.ts";
import type { BananaEncoder, Insertion } from "../banana/encoder.ts";
import type { Expression } from "../banana/expression.ts";
import { DEFAULT_PB_LIMITS, type PbLimits } from "../limits.ts";
import { adviceFor } from "./advice.ts";
import type { Invoker, Jellying } from "./invoker.ts";
import { isJellyable } from "./jellyable.ts";
import { checkHashable } from "./containers.ts";
import { globalSecurity, type PlainClass, type SecurityOptions } from "./security.ts";
import { writeAtom } from "./atoms.ts";

/** What a {@linkcode Jellier} needs. */
export interface JellierOptions {
  /** The classes whose plain objects may be sent. By default the {@linkcode globalSecurity}. */
  readonly security?: SecurityOptions | undefined;
  /** The connection; none for storage. */
  readonly invoker?: Invoker | undefined;
  /** On whose behalf: what `getStateToCopyFor` and views are given. */
  readonly perspective?: unknown;
  /**
   * Gives an object's name in a store, instead of which the object is not written; undefined for objects that it does not
   * know. It is asked for objects of classes that no other rule covers.
   */
  readonly persistentStore?: ((value: object, jellier: Jellying) => Expression | undefined) | undefined;
  /**
   * What becomes of a value that cannot be sent: `"refuse"` is a Violation that names it; `"send"` sends
   * `(unpersistable reason)` in its place, as Twisted does, and tells nobody.
   *
   * @default {"refuse"}
   */
  readonly unpersistable?: "refuse" | "send" | undefined;
  /** How deep values may be. */
  readonly limits?: PbLimits | undefined;
}

/**
 * Writes values as s-expressions. Each {@linkcode Jellier.jelly} (or `tuple`, `keywords`) that is not called from within
 * another is a run of its own: what is shared is shared within it.
 *
 * An object with a `jellyFor(jellier)` writes itself, by the other methods.
 */
export class Jellier implements Jellying {
  /** The connection for which this is done; undefined for storage. */
  readonly invoker: Invoker | undefined;
  /** On whose behalf. */
  readonly perspective: unknown;
  readonly #encoder: BananaEncoder;
  readonly #security: SecurityOptions;
  readonly #persistentStore: JellierOptions["persistentStore"];
  readonly #sendsUnpersistable: boolean;
  readonly #maxDepth: number;
  // For each value that may be referred to, where it begins; or, less than 0, the number that refers to it.
  readonly #tracked = new Map<object, number>();
  readonly #insertions: Insertion[] = [];
  #depth = 0;
  #deepest = 0;
  readonly #path: string[] = [];
  #taken: (() => void)[] = [];

  /** A writer into `encoder`. */
  constructor(encoder: BananaEncoder, options: JellierOptions = {}) {
    this.#encoder = encoder;
    this.#security = options.security ?? globalSecurity;
    this.invoker = options.invoker;
    this.perspective = options.perspective;
    this.#persistentStore = options.persistentStore;
    this.#sendsUnpersistable = options.unpersistable === "send";
    this.#maxDepth = (options.limits ?? DEFAULT_PB_LIMITS).maxSentDepth;
  }

  /**
   * Writes a value.
   *
   * @param where What to call it in errors, such as `result`.
   * @throws {Violation} If a part of it cannot be sent; `where` names it. Nothing is written then; what objects have
   * taken elsewhere is still to be given back, by {@linkcode Jellier.undo}.
   */
  jelly(value: unknown, where = ""): void {
    if (this.#depth > 0) this.#value(value);
    else this.#run(where, () => this.#value(value));
  }

  /** Writes a tuple of these elements: the arguments of a call. @throws {Violation} As {@linkcode Jellier.jelly}. */
  tuple(elements: readonly unknown[], where = ""): void {
    this.#run(where, () => this.#elements("tuple", elements, elements.length));
  }

  /** Writes a dictionary: the keyword arguments of a call. @throws {Violation} As {@linkcode Jellier.jelly}. */
  keywords(values: Readonly<Record<string, unknown>>, where = ""): void {
    this.#run(where, () => this.#record(values));
  }

  /** Begins a list in `jellyFor`: as many elements as this must follow. */
  list(count: number): void {
    this.#encoder.list(count);
  }

  /** Writes a word, such as a tag, as a byte string of its UTF-8. */
  word(text: string): void {
    this.#encoder.word(text);
  }

  /** Writes a byte string. */
  bytes(value: Uint8Array): void {
    this.#encoder.bytes(value);
  }

  /** Writes an integer. @throws {Violation} If it is none. */
  integer(value: number | bigint): void {
    if (typeof value === "bigint") this.#encoder.bigInteger(value);
    else this.#encoder.integer(value);
  }

  /** Writes an expression that is there already. */
  expression(expression: Expression): void {
    this.#encoder.expression(expression, this.#depth);
  }

  /**
   * Says that what is written next is this object, so that a second occurrence in this run refers to it. Called in
   * `jellyFor`, before anything is written.
   */
  prepare(value: object): void {
    this.#tracked.set(value, this.#encoder.position);
  }

  /** Has something given back if what is being written is not sent after all, such as a count of references. */
  onUndo(giveBack: () => void): void {
    this.#taken.push(giveBack);
  }

  /** Gives back what was taken since the last {@linkcode Jellier.commit}, the latest first. */
  undo(): void {
    const taken = this.#taken;
    this.#taken = [];
    for (let i = taken.length - 1; i >= 0; i--) taken[i]!();
  }

  /** What was written is sent: there is nothing to be given back any more. */
  commit(): void {
    if (this.#taken.length > 0) this.#taken = [];
  }

  #run(where: string, write: () => void): void {
    const encoder = this.#encoder;
    const { position, elements } = encoder;
    try {
      write();
      if (this.#insertions.length > 0) {
        this.#checkDepth(this.#deepest + Math.min(this.#deepest, this.#insertions.length));
        encoder.wrap(this.#insertions);
      }
    } catch (error) {
      encoder.rollback(position);
      encoder.elements = elements;
      throw this.#violation(error, where);
    } finally {
      this.#depth = this.#deepest = 0;
      if (this.#tracked.size > 0) this.#tracked.clear();
      if (this.#insertions.length > 0) this.#insertions.length = 0;
    }
  }

  #violation(error: unknown, where: string): Violation {
    const inside = this.#path.splice(0).reverse().join("");
    const place = where === "" && inside.startsWith(".") ? inside.slice(1) : where + inside;
    if (!(error instanceof Violation)) {
      return new Violation("Cannot send a value: its own code failed", { where: place, cause: error });
    }
    return error.where !== "" || place === ""
      ? error
      : new Violation(error.message, { where: place, cause: error.cause });
  }

  #value(value: unknown): void {
    if (typeof value === "string") this.#encoder.text(value);
    else if (typeof value === "number") {
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.#encoder.integer(value);
      else this.#encoder.double(value);
    } else if (typeof value === "object" && value !== null) this.#object(value);
    else if (value === null || value === undefined) {
      this.#encoder.list(1);
      this.#encoder.word("None");
    } else if (typeof value === "boolean") {
      this.#encoder.list(2);
      this.#encoder.word("boolean");
      this.#encoder.word(value ? "true" : "false");
    } else if (typeof value === "bigint") this.#encoder.bigInteger(value);
    else this.#other(value);
  }

  #object(value: object): void {
    if (ArrayBuffer.isView(value)) {
      this.#encoder.bytes(
        value instanceof Uint8Array
          ? value
          : new Uint8Array(value.buffer, value.byteOffset, value.byteLength),
      );
    } else if (value instanceof Float) this.#encoder.double(value.value);
    else if (Array.isArray(value)) {
      // Python has one empty tuple, and nobody can tell two apart.
      if (value.length === 0 && value instanceof Tuple) return this.#elements("tuple", value, 0);
      if (this.#begin(value)) this.#elements(value instanceof Tuple ? "tuple" : "list", value, value.length);
    } else if (isJellyable(value)) this.#jellyable(value);
    else {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === null || prototype === Object.prototype) {
        if (this.#begin(value)) this.#record(value as Record<string, unknown>);
      } else if (value instanceof Map) {
        if (this.#begin(value)) this.#map(value);
      } else if (value instanceof Set) {
        if (this.#begin(value)) this.#set(value);
      } else if (!writeAtom(value, this.#encoder)) this.#other(value);
    }
  }

  /** Whether a value is to be written: it has not come before. Otherwise a reference to it is. */
  #begin(value: object): boolean {
    const known = this.#tracked.get(value);
    if (known === undefined) {
      this.prepare(value);
      return true;
    }
    let id = -known;
    if (known >= 0) {
      id = this.#insertions.length + 1;
      this.#insertions.push({ position: known, id });
      this.#tracked.set(value, -id);
    }
    this.#encoder.list(2);
    this.#encoder.word("dereference");
    this.#encoder.integer(id);
    return false;
  }

  #elements(tag: string, elements: readonly unknown[], count: number): void {
    let i = 0;
    this.#enter(1);
    try {
      this.#encoder.list(count + 1);
      this.#encoder.word(tag);
      for (; i < count; i++) this.#value(elements[i]);
    } catch (error) {
      this.#path.push(`[${i}]`);
      throw error;
    }
    this.#depth--;
  }

  #record(values: Readonly<Record<string, unknown>>): void {
    let place = "";
    this.#enter(2);
    try {
      const names = Object.keys(values);
      this.#encoder.list(names.length + 1);
      this.#encoder.word("dictionary");
      for (const name of names) {
        place = name;
        this.#encoder.list(2);
        this.#encoder.text(name);
        this.#value(values[name]);
      }
    } catch (error) {
      this.#path.push(segmentOf(place));
      throw error;
    }
    this.#depth -= 2;
  }

  #map(values: ReadonlyMap<unknown, unknown>): void {
    checkHashable(values.keys(), "dictionary");
    this.#enter(2);
    this.#encoder.list(values.size + 1);
    this.#encoder.word("dictionary");
    let place: unknown = "";
    try {
      for (const [key, value] of values) {
        place = key;
        this.#encoder.list(2);
        this.#value(key);
        this.#value(value);
      }
    } catch (error) {
      this.#path.push(segmentOf(place));
      throw error;
    }
    this.#depth -= 2;
  }

  #set(members: ReadonlySet<unknown>): void {
    checkHashable(members.values(), "set");
    const values = Array.from(members.values());
    this.#elements(isFrozen(members) ? "frozenset" : "set", values, values.length);
  }

  #jellyable(value: object & { jellyFor(jellier: Jellying): void }): void {
    if (this.#tracked.has(value)) return void this.#begin(value);
    const encoder = this.#encoder;
    const { elements } = encoder;
    this.#enter(1);
    value.jellyFor(this);
    this.#depth--;
    if (encoder.elements !== elements + 1) {
      throw new Violation("Cannot send an object: its jellyFor must write exactly one expression");
    }
  }

  /** An object of no class that everybody knows, or no object. */
  #other(value: unknown): void {
    const security = this.#security;
    if (typeof value === "function") {
      const name = security.nameOf(value as unknown as PlainClass);
      if (name === undefined) return this.#unpersistable(value);
      this.#encoder.list(2);
      this.#encoder.word("class");
      return this.#encoder.word(name);
    }
    if (typeof value !== "object" || value === null) return this.#unpersistable(value);
    const persistent = this.#persistentStore?.(value, this);
    if (persistent !== undefined) {
      if (!this.#begin(value)) return;
      this.#encoder.list(2);
      this.#encoder.word("persistent");
      return this.#encoder.expression(persistent, this.#depth);
    }
    const constructor: unknown = Object.getPrototypeOf(value)?.constructor;
    const name = typeof constructor === "function" ? security.nameOf(constructor as PlainClass) : undefined;
    if (name === undefined) return this.#unpersistable(value);
    if (!this.#begin(value)) return;
    this.#enter(1);
    this.#encoder.list(2);
    this.#encoder.word(name);
    const { getStateToCopy } = value as { getStateToCopy?: unknown };
    this.#value(typeof getStateToCopy === "function" ? getStateToCopy.call(value) : { ...value });
    this.#depth--;
  }

  #unpersistable(value: unknown): void {
    const kind = kindOf(value);
    if (!this.#sendsUnpersistable) {
      throw new Violation(`Cannot send ${kind}: ${adviceFor(value)}`);
    }
    if (typeof value === "object" && value !== null && !this.#begin(value)) return;
    this.#encoder.list(2);
    this.#encoder.word("unpersistable");
    this.#encoder.word(`${kind} deemed insecure`.toWellFormed());
  }

  #enter(levels: number): void {
    this.#depth += levels;
    if (this.#depth > this.#deepest) this.#checkDepth(this.#deepest = this.#depth);
  }

  #checkDepth(depth: number): void {
    if (depth > this.#maxDepth) {
      throw new Violation(
        `Cannot send values more than ${this.#maxDepth} deep inside each other, each shared one counted twice`,
      );
    }
  }
}

function isFrozen(set: ReadonlySet<unknown>): boolean {
  return set instanceof FrozenSet;
}

function segmentOf(key: unknown): string {
  if (typeof key === "string" && /^[A-Za-z_$][\w$]{0,63}$/.test(key)) return `.${key}`;
  return typeof key === "string" ? `[${quoteForeign(key, 64)}]` : "[…]";
}

/** An object by its class, any other value by its type. */
function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" && name !== ""
    ? `instance of class ${name.slice(0, 200)}`
    : "an object of no class";
}
