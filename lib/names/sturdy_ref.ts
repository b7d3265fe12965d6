/**
 * A FURL as a value that can be kept, compared and handed on.
 *
 * @module
 */

import { type Keyed, type ValueKey, valueKeyOf } from "../util/keyed.ts";
import { formatFurl, type FurlParts, parseFurl } from "./furl.ts";
import { REDACTED } from "../util/redact.ts";

/** Order of two texts by code point, as Python orders them; no text comes first. */
function compareTexts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(left.length - right.length);
}

/**
 * Points to an object that lives in some Tub, for as long as that Tub keeps its name.
 *
 * Two SturdyRefs are equal when Tub and name are, whatever their hints; so they are one key of a `Dict` and one member of
 * a `ValueSet`. Printing one, or turning it
 * into JSON, hides the name: only {@linkcode SturdyRef.getURL} and the properties `url` and `name`
 * give it away. Foolscap: `referenceable.SturdyRef`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SturdyRef } from "./sturdy_ref.ts";
 *
 * const ref = new SturdyRef("pb://w6i2oohuba2eeyts27gkq4etwr4nndeb@tcp:h:1/calc");
 * assert.ok(ref.equals(new SturdyRef("pb://w6i2oohuba2eeyts27gkq4etwr4nndeb@tcp:elsewhere:2/calc")));
 * assert.equal(String(ref), "pb://w6i2oohuba2eeyts27gkq4etwr4nndeb@tcp:h:1/…");
 * ```
 */
export class SturdyRef implements Keyed {
  // Private, so that no printer and no serializer finds them as properties.
  readonly #url: string | undefined;
  readonly #parts: FurlParts | undefined;

  /**
   * A SturdyRef from a FURL; with none, or an empty one, it points nowhere.
   *
   * @param url Text or UTF-8.
   * @throws {FurlError} If it is not a FURL.
   */
  constructor(url?: string | Uint8Array) {
    if (url === undefined || url.length === 0) return;
    this.#parts = parseFurl(url);
    this.#url = typeof url === "string" ? url : new TextDecoder().decode(url);
  }

  /** A SturdyRef from the parts of a FURL. */
  static from(parts: FurlParts): SturdyRef {
    return new SturdyRef(formatFurl(parts));
  }

  /** The FURL as it was given, with its name: a secret. `undefined` if it points nowhere. */
  get url(): string | undefined {
    return this.#url;
  }

  /** The Tub that the object lives in. */
  get tubId(): string | undefined {
    return this.#parts?.tubId;
  }

  /** Where the Tub may be found, as text; frozen. */
  get locationHints(): readonly string[] {
    return this.#parts?.hints ?? [];
  }

  /** The name of the object: a secret. */
  get name(): string | undefined {
    return this.#parts?.name;
  }

  /** The same as `url`, under Foolscap's name. */
  getURL(): string | undefined {
    return this.#url;
  }

  /** Whether both point to the same object: TubID and name are equal. Hints do not count. */
  equals(other: unknown): boolean {
    return other instanceof SturdyRef && this.tubId === other.tubId && this.name === other.name;
  }

  /**
   * Order by TubID, then by name.
   *
   * @returns -1, 0 or 1; 0 exactly when {@linkcode SturdyRef.equals}.
   */
  compare(other: SturdyRef): number {
    return compareTexts(this.tubId, other.tubId) || compareTexts(this.name, other.name);
  }

  /** The same order as a function, for `Array.prototype.sort`. */
  static compare(a: SturdyRef, b: SturdyRef): number {
    return a.compare(b);
  }

  /** The key of this value in a `Dict` or a `ValueSet`: that of another SturdyRef which it equals. A secret. */
  [valueKeyOf](): ValueKey {
    return this.#parts === undefined ? "\0r" : `\0r${this.#parts.tubId}@${this.#parts.name}`;
  }

  /** The FURL with its name hidden. */
  toString(): string {
    if (this.#parts === undefined) return "";
    return `pb://${this.#parts.tubId}@${this.#parts.hints.join(",")}/${REDACTED}`;
  }

  /** The FURL with its name hidden: JSON ends up in logs. Use `getURL()` to store it. */
  toJSON(): string {
    return this.toString();
  }

  /** What `Deno.inspect` and `console.log` print: the name is hidden. */
  [Symbol.for("Deno.customInspect")](): string {
    return `SturdyRef(${JSON.stringify(this.toString())})`;
  }

  /** What `util.inspect` of Node prints: the name is hidden. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `SturdyRef(${JSON.stringify(this.toString())})`;
  }
}
