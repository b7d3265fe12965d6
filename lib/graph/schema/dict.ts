/**
 * Dicts. Source: Foolscap `slicers/dict.py`, `DictConstraint`.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { keySegment, violationAt } from "../path.ts";
import { Dict } from "../../values/dict.ts";
import { type Checking, REFUSED, type Refused } from "./checking.ts";
import { checkPart, Constraint, type Contents } from "./constraint.ts";
import { isPlain, kindOf } from "./kind_of.ts";
import { checkCount } from "./options.ts";
import { OPENS } from "./tasters.ts";

/** How large a dict may be. */
export interface DictOptions {
  /** Most entries. Default: any number. */
  readonly maxKeys?: number | undefined;
}

/** Dicts whose keys keep one rule and whose values keep another. */
export class DictRule extends Constraint {
  override readonly name = "DictConstraint";
  protected override readonly taster = OPENS;
  readonly #key: Constraint;
  readonly #value: Constraint;
  readonly #maxKeys: number;
  readonly #contents: Contents;

  /** @throws {RangeError} If `maxKeys` is not a whole number of 0 or more. */
  constructor(key: Constraint, value: Constraint, { maxKeys }: DictOptions = {}) {
    super();
    this.#key = key;
    this.#value = value;
    const max = this.#maxKeys = checkCount("maxKeys", maxKeys, Infinity);
    this.#contents = {
      maxChildren: 2 * max,
      at(index) {
        if (index >= 2 * max) throw new Violation("the dict is full");
        return index % 2 === 0 ? key : value;
      },
    };
  }

  override within(word: string): Contents | undefined | Refused {
    return word === "dict" ? this.#contents : REFUSED;
  }
  override fits(value: unknown): boolean {
    return value instanceof Map || isPlain(value);
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!(value instanceof Map) && !isPlain(value)) {
      return checking.refuse(() => `${kindOf(value)} is not a Dictionary`);
    }
    // Not even counted where it occurs again: a peer can write a million references to one large dict.
    return checking.once(this, value, () => {
      const entries: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
      if (entries.length > this.#maxKeys) {
        return checking.refuse(`Dict keys=${entries.length} > maxKeys=${this.#maxKeys}`);
      }
      const isChanged = this.#checkEntries(entries, checking);
      if (isChanged === REFUSED) return REFUSED;
      if (!isChanged) return this.#emptyOf(value, entries.length, checking);
      const made = dictOf(entries);
      const size = made instanceof Map ? made.size : Object.keys(made).length;
      return size === entries.length ? made : checking.refuse("two keys of the dict became one");
    });
  }

  /** Checks the entries and puts in what goes on in their places; whether that is something else. */
  #checkEntries(entries: [unknown, unknown][], checking: Checking): boolean | Refused {
    let isChanged = false;
    for (const entry of entries) {
      const [key, value] = entry;
      try {
        entry[0] = checkPart(this.#key, key, checking);
        entry[1] = checkPart(this.#value, value, checking);
      } catch (error) {
        throw error instanceof Violation ? violationAt(error, keySegment(key)) : error;
      }
      if (entry[0] === REFUSED || entry[1] === REFUSED) return REFUSED;
      isChanged ||= !Object.is(entry[0], key) || !Object.is(entry[1], value);
    }
    return isChanged;
  }

  /** An empty dict comes as a plain object, where the declaration promises a Dict. */
  #emptyOf(value: object, length: number, checking: Checking): object {
    const isTyped = checking.direction === "outbound" || length > 0 || this.#key.fits("");
    return isTyped ? value : new Dict();
  }
}

/** A dict of these entries, as it would arrive. */
function dictOf(entries: readonly (readonly [unknown, unknown])[]): Record<string, unknown> | Dict {
  if (!entries.every(([key]) => typeof key === "string")) return new Dict(entries);
  const made: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries) made[key as string] = value;
  return made;
}
