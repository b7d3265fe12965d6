/**
 * Lists, tuples, dictionaries and sets out of s-expressions.
 *
 * Each is made and bound before its parts are read. What cannot be put into it yet is put in later: a part that is referred
 * to before it came, and a key or member that is itself incomplete, when all is read.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { Dict } from "../../values/dict.ts";
import { findDuplicateKey } from "../../values/value_key.ts";
import { freezeSet, FrozenSet, ValueSet } from "../../values/value_set.ts";
import { Tuple } from "../../values/tuple.ts";
import { findUnhashable } from "../../values/unhashable.ts";
import type { Expression } from "../banana/expression.ts";
import { commonWord, Word } from "../banana/words.ts";
import type { FormReader } from "./form.ts";

/** `(list e…)`. */
export function readList(unjellier: FormReader, expression: readonly Expression[]): unknown[] {
  const list: unknown[] = [];
  unjellier.bind(list);
  readElements(unjellier, expression, list);
  return list;
}

/** `(tuple e…)` to which nothing can refer, as a list. */
export function readArguments(unjellier: FormReader, expression: readonly Expression[]): unknown[] {
  const list: unknown[] = [];
  readElements(unjellier, expression, list);
  return list;
}

/** `(tuple e…)`. */
export function readTuple(unjellier: FormReader, expression: readonly Expression[]): Tuple {
  const tuple = new Tuple();
  unjellier.bind(tuple);
  readElements(unjellier, expression, tuple as unknown as unknown[], () => Object.freeze(tuple));
  return tuple;
}

/** Puts elements into an array; `whenComplete` is called when the last one is there, at once or later. */
function readElements(
  unjellier: FormReader,
  expression: readonly Expression[],
  into: unknown[],
  whenComplete: (() => void) | undefined = undefined,
): void {
  let missing = 1;
  for (let i = 1; i < expression.length; i++) {
    const element = expression[i]!;
    const value = typeof element === "number" ? element : unjellier.unjelly(element);
    if (value instanceof Dereference) {
      missing++;
      into.push(undefined);
      value.whenKnown((known) => {
        into[i - 1] = known;
        if (--missing === 0) whenComplete?.();
      });
    } else into.push(value);
  }
  if (--missing === 0) whenComplete?.();
}

/** `(set e…)`. */
export function readSet(unjellier: FormReader, expression: readonly Expression[]): ValueSet {
  const set = new ValueSet();
  unjellier.bind(set);
  readMembers(unjellier, expression, set);
  return set;
}

/** `(frozenset e…)`. */
export function readFrozenSet(unjellier: FormReader, expression: readonly Expression[]): FrozenSet {
  const set = new FrozenSet();
  unjellier.bind(set);
  readMembers(unjellier, expression, set, () => freezeSet(set));
  return set;
}

function readMembers(
  unjellier: FormReader,
  expression: readonly Expression[],
  set: ValueSet,
  whenComplete: (() => void) | undefined = undefined,
): void {
  const members: unknown[] = [];
  readElements(unjellier, expression, members);
  const fill = () => {
    for (const member of members) {
      checkKey(unjellier, member);
      set.add(member);
    }
    whenComplete?.();
  };
  if (members.every((member) => isReady(unjellier, member))) fill();
  else unjellier.atEnd(fill);
}

/**
 * `(dictionary (key value)…)`: an object without prototype if all keys are texts, else a {@linkcode Dict}. Which of
 * the two has to be known before any key is read.
 */
export function readDictionary(unjellier: FormReader, expression: readonly Expression[]): object {
  const { length } = expression;
  for (let i = 1; i < length; i++) {
    const pair = expression[i];
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new Violation("Cannot read a dictionary: an entry of it is not a key and a value");
    }
    if (!isText(pair[0])) return readDict(unjellier, expression);
  }
  const record: Record<string, unknown> = Object.create(null);
  unjellier.bind(record);
  for (let i = 1; i < length; i++) {
    const pair = expression[i] as readonly Expression[];
    const key = unjellier.unjelly(pair[0]!) as string;
    const value = unjellier.unjelly(pair[1]!);
    if (value instanceof Dereference) {
      record[key] = undefined;
      value.whenKnown((known) => record[key] = known);
    } else record[key] = value;
  }
  return record;
}

function readDict(unjellier: FormReader, expression: readonly Expression[]): Dict {
  const dict = new Dict();
  unjellier.bind(dict);
  const entries: [key: unknown, value: unknown][] = [];
  let isDone = true;
  for (let i = 1; i < expression.length; i++) {
    const pair = expression[i];
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new Violation("Cannot read a dictionary: an entry of it is not a key and a value");
    }
    const entry: [unknown, unknown] = [undefined, undefined];
    entries.push(entry);
    for (const at of [0, 1] as const) {
      const value = unjellier.unjelly(pair[at]);
      if (value instanceof Dereference) {
        value.whenKnown((known) => entry[at] = known);
        isDone = false;
      } else entry[at] = value;
    }
    if (isDone && !isReady(unjellier, entry[0])) isDone = false;
  }
  const fill = () => {
    for (const [key, value] of entries) {
      checkKey(unjellier, key);
      dict.set(key, value);
    }
  };
  if (isDone) fill();
  else unjellier.atEnd(fill);
  return dict;
}

/** Whether an expression is `(unicode …)`, and not something else that may give a text. */
function isText(expression: Expression | undefined): boolean {
  if (!Array.isArray(expression)) return false;
  const [tag] = expression;
  if (tag instanceof Word) return tag.text === "unicode";
  // An expression that did not come from the decoder has plain bytes in the place of a Word.
  return tag instanceof Uint8Array && commonWord(tag, 0, tag.length)?.text === "unicode";
}

function isReady(unjellier: FormReader, key: unknown): boolean {
  return key !== undefined && findUnhashable(key, unjellier.hashable) === undefined;
}

function checkKey(unjellier: FormReader, key: unknown): void {
  if (isReady(unjellier, key)) return;
  throw new Violation("Cannot read a dictionary or set: a key in it is one that Python cannot hash");
}

/** Places to be filled, in this turn: undefined when none is being filled. */
let filling: (() => void)[] | undefined;

/** Stands for `(dereference n)` until what it refers to is known. Never seen by users. */
export class Dereference {
  readonly #dependants: ((value: unknown) => void)[] = [];

  /** Has a place filled when the value is known. */
  whenKnown(fill: (value: unknown) => void): void {
    this.#dependants.push(fill);
  }

  /** Fills all places; those of others that are known by that too, one after the other: a chain may be longer than the stack. */
  resolve(value: unknown): void {
    const places = this.#dependants.splice(0).map((fill) => () => fill(value));
    if (filling !== undefined) {
      for (const place of places) filling.push(place);
      return;
    }
    filling = places;
    try {
      for (const place of filling) place();
    } finally {
      filling = undefined;
    }
  }
}

/**
 * Checks the keys of a dict, or the members of a set, before they are sent: of wrong ones Python would make another
 * value, or none.
 *
 * @throws {Violation} If Python cannot hash one, or takes two for one.
 */
export function checkHashable(keys: Iterable<unknown>, kind: "dictionary" | "set"): void {
  const all = Array.from(keys);
  if (all.every((key) => typeof key === "string")) return;
  const seen = new Set<unknown>();
  const part = kind === "set" ? "member" : "key";
  if (all.some((key) => findUnhashable(key, seen) !== undefined)) {
    throw new Violation(
      `Cannot send a ${kind} with a ${part} that Python cannot hash, such as a list: use a tuple`,
    );
  }
  if (findDuplicateKey(all) !== undefined) {
    throw new Violation(
      `Cannot send a ${kind} with two ${part}s that Python takes for one, such as 1 and true`,
    );
  }
}
