/**
 * Constraints for lists, tuples, sets and dicts.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { Dict } from "../../values/dict.ts";
import { FrozenSet, ValueSet } from "../../values/value_set.ts";
import { Tuple } from "../../values/tuple.ts";
import { keySegment, segmentOf, violationAt } from "../path.ts";
import { type Checking, isPlain, kindOf, REFUSED, type Refused } from "./checking.ts";
import { checkCount, checkPart, Constraint, type Contents } from "./constraint.ts";
import { OPENS } from "./tasters.ts";
import type { LengthOptions } from "./text.ts";

/**
 * Checks each element against the constraint of its place.
 *
 * @returns What goes on in the elements' places; `undefined` if all of them go on as they are; {@linkcode REFUSED} if one
 * breaks its rule, inside of a choice.
 * @throws {Violation} If one breaks its rule, with its place.
 */
function checkElements(
  values: readonly unknown[],
  rule: (index: number) => Constraint,
  checking: Checking,
): unknown[] | undefined | Refused {
  let changed: unknown[] | undefined;
  let i = 0;
  try {
    for (; i < values.length; i++) {
      const value = values[i];
      const result = checkPart(rule(i), value, checking);
      if (result === REFUSED) return REFUSED;
      if (changed !== undefined) changed.push(result);
      else if (!Object.is(result, value)) changed = [...values.slice(0, i), result];
    }
  } catch (error) {
    throw error instanceof Violation ? violationAt(error, segmentOf(i)) : error;
  }
  return changed;
}

/** Lists whose elements all keep one rule. */
export class ListRule extends Constraint {
  override readonly name = "ListConstraint";
  protected override readonly taster = OPENS;
  readonly #element: Constraint;
  readonly #maxLength: number;
  readonly #minLength: number;
  readonly #contents: Contents;

  /** @throws {RangeError} If a length is not a whole number of 0 or more. */
  constructor(element: Constraint, { maxLength, minLength }: LengthOptions = {}) {
    super();
    this.#element = element;
    const max = this.#maxLength = checkCount("maxLength", maxLength, Infinity);
    this.#minLength = checkCount("minLength", minLength, 0);
    this.#contents = {
      maxChildren: max,
      at(index) {
        if (index >= max) throw new Violation("the list is full");
        return element;
      },
    };
  }

  override within(word: string): Contents | undefined | Refused {
    return word === "list" ? this.#contents : REFUSED;
  }
  override fits(value: unknown): boolean {
    return Array.isArray(value) && !(value instanceof Tuple);
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!Array.isArray(value) || value instanceof Tuple) return checking.refuse("not a list");
    if (value.length > this.#maxLength) return checking.refuse("list too long");
    if (value.length < this.#minLength) return checking.refuse("list too short");
    return checking.once(
      this,
      value,
      () => checkElements(value, () => this.#element, checking) ?? value,
      value,
    );
  }
}

/**
 * Tuples with a rule for each element. Where one is to be sent, a plain Array becomes one: JavaScript has no other
 * way to write a tuple down, and the declaration says which is meant.
 */
export class TupleRule extends Constraint {
  override readonly name = "TupleConstraint";
  protected override readonly taster = OPENS;
  readonly #elements: readonly Constraint[];
  readonly #contents: Contents;

  /** A rule for each element, in order. */
  constructor(elements: readonly Constraint[]) {
    super();
    this.#elements = elements;
    this.#contents = {
      maxChildren: elements.length,
      at(index) {
        if (index >= elements.length) throw new Violation("the tuple is full");
        return elements[index];
      },
    };
  }

  override within(word: string): Contents | undefined | Refused {
    return word === "tuple" ? this.#contents : REFUSED;
  }
  override fits(value: unknown): boolean {
    return Array.isArray(value);
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!Array.isArray(value)) return checking.refuse("not a tuple");
    if (checking.direction === "inbound" && !(value instanceof Tuple)) return checking.refuse("not a tuple");
    if (value.length !== this.#elements.length) return checking.refuse("wrong size tuple");
    return checking.once(this, value, () => {
      const changed = checkElements(value, (i) => this.#elements[i]!, checking);
      if (changed === REFUSED) return REFUSED;
      if (changed !== undefined) return Tuple.from(changed);
      return value instanceof Tuple ? value : Tuple.from(value);
    }, value);
  }
}

/** What a set may be. */
export interface SetOptions {
  /** Most members. Default: any number. */
  readonly maxLength?: number | undefined;
  /** `true` for sets, `false` for frozen sets. Default: both. */
  readonly mutable?: boolean | undefined;
}

/** Sets whose members all keep one rule. */
export class SetRule extends Constraint {
  override readonly name = "SetConstraint";
  protected override readonly taster = OPENS;
  readonly #member: Constraint;
  readonly #maxLength: number;
  readonly #mutable: boolean | undefined;
  readonly #contents: Contents;

  /** @throws {RangeError} If the length is not a whole number of 0 or more. */
  constructor(member: Constraint, { maxLength, mutable }: SetOptions = {}) {
    super();
    this.#member = member;
    const max = this.#maxLength = checkCount("maxLength", maxLength, Infinity);
    this.#mutable = mutable;
    this.#contents = {
      maxChildren: max,
      at(index) {
        if (index >= max) throw new Violation("the set is full");
        return member;
      },
    };
  }

  override within(word: string): Contents | undefined | Refused {
    if (word === "set" && this.#mutable !== false) return this.#contents;
    if (word === "immutable-set" && this.#mutable !== true) return this.#contents;
    return REFUSED;
  }
  override fits(value: unknown): boolean {
    return value instanceof Set;
  }
  override check(value: unknown, checking: Checking): unknown {
    if (!(value instanceof Set)) return checking.refuse("not a set");
    const isFrozen = value instanceof FrozenSet;
    if (this.#mutable === true && isFrozen) return checking.refuse("obj is a set, but not a mutable one");
    if (this.#mutable === false && !isFrozen) {
      return checking.refuse("obj is a set, but not an immutable one");
    }
    if (value.size > this.#maxLength) return checking.refuse("set is too large");
    return checking.once(this, value, () => {
      const changed = checkElements([...value], () => this.#member, checking);
      if (changed === REFUSED) return REFUSED;
      if (changed === undefined) return value;
      return isFrozen ? FrozenSet.from(changed) : new ValueSet(changed);
    });
  }
}

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
