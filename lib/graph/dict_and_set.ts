/**
 * Dicts and sets, whose keys and members Python must be able to hash.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { Decimal } from "../values/decimal.ts";
import { Dict } from "../values/dict.ts";
import { findDuplicateKey } from "../values/value_key.ts";
import { freezeSet, FrozenSet, ValueSet } from "../values/value_set.ts";
import { sortedKeys } from "../values/sort_keys.ts";
import { Tuple } from "../values/tuple.ts";
import { findUnhashable } from "../values/unhashable.ts";
import { sliceText } from "./atoms.ts";
import { COLLECTION_COST, CONTAINER_COST, ENTRY_COST, Unslicer } from "./unslicer.ts";
import { expectKeys, orderedKeys, rememberKeys } from "./known_keys.ts";
import { keySegment } from "./path.ts";
import type { Pending } from "./pending.ts";
import type { Slicing } from "./slicing.ts";

/**
 * Refuses a list, a dict, a set, and a tuple that is not complete or contains one of them: Python ends the
 * connection on which it gets such a key.
 *
 * @param role What the value shall be, for the message: `a key of a dict`.
 * @param seen Tuples and frozen sets of the same message that were found to be good.
 * @throws {Violation} If the value has no hash in Python.
 */
function checkHashable(value: unknown, role: string, seen: Set<unknown>): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  const bad = findUnhashable(value, seen);
  if (bad === undefined) return;
  const what = bad instanceof Tuple || bad instanceof FrozenSet
    ? "an incomplete tuple"
    : bad instanceof Decimal
    ? "a signaling NaN"
    : "a list, dict or set";
  throw new Violation(`Cannot take ${what} as ${role}`);
}

/** A plain object is a dict of its own enumerable text keys. */
export function sliceObject(value: Record<string, unknown>, out: Slicing): void {
  const number = out.beginShared(value, "dict");
  if (number < 0) return;
  const keys = orderedKeys(Object.keys(value));
  let place = "";
  try {
    for (let i = 0; i < keys.length; i++) {
      const key = place = keys[i]!;
      sliceText(key, out);
      out.slice(value[key]);
      if (out.isUnready) out.takenByDict();
    }
  } catch (error) {
    throw out.at(error, place);
  }
  out.end(number);
}

/** A Map is a dict. Python takes `1` and `true` as one key, so both together cannot be sent. */
export function sliceMap(value: ReadonlyMap<unknown, unknown>, out: Slicing): void {
  const number = out.beginShared(value, "dict");
  if (number < 0) return;
  const keys = sortedKeys([...value.keys()]);
  const other = keys.findIndex((key) => typeof key !== "string");
  if (other >= 0) {
    checkKeys(keys, value instanceof Dict, out);
    // Text among other keys has no order in Python. The receiver learns from the first key what it is to make, and has
    // to know before the dict is named inside itself.
    if (other > 0) keys.unshift(...keys.splice(other, 1));
  }
  let place: unknown;
  try {
    for (const key of keys) {
      place = key;
      out.slice(key);
      if (out.isUnready) throw new Violation("Cannot serialize a dict with a key that contains it");
      out.slice(value.get(key));
      if (out.isUnready) out.takenByDict();
    }
  } catch (error) {
    throw out.under(error, keySegment(place));
  }
  out.end(number);
}

function checkKeys(keys: readonly unknown[], areDistinct: boolean, out: Slicing): void {
  for (const key of keys) checkHashable(key, "a key of a dict", out.hashable);
  const twice = areDistinct ? undefined : findDuplicateKey(keys);
  if (twice === undefined) return;
  throw out.under(
    new Violation("Cannot serialize two keys that Python takes as one"),
    keySegment(twice.second),
  );
}

/** Gives a plain object without prototype when every key is text, else a Dict. */
export class DictUnslicer extends Unslicer {
  // Undecided until the first key is known: nothing but that key can refer to the dict earlier, and it must not.
  #object: Record<string, unknown> | undefined;
  #dict: Dict<unknown, unknown> | undefined;
  #objectNumber = 0;
  #key: unknown;
  #firstKey = "";
  // The keys that are expected, as long as they come: they are different, so that none needs to be looked for in the object.
  #expected: readonly string[] | undefined;

  override start(objectNumber: number): void {
    this.#objectNumber = objectNumber;
    this.receiver.spend(CONTAINER_COST);
    this.receiver.register(objectNumber, undefined);
  }

  override get maxChildren(): number {
    return this.receiver.limits.maxElements * 2;
  }

  override receive(value: unknown): void {
    if (this.count % 2 === 0) this.#takeKey(value);
    else if (this.#object !== undefined) this.#object[this.#key as string] = value;
    else this.#dict!.set(this.#key, value);
  }

  override receivePending(pending: Pending): void {
    if (this.count % 2 === 0) throw new Violation("Cannot take an incomplete object as a key of a dict");
    const key = this.#key;
    this.receive(undefined); // keeps the place
    pending.whenSettled((value) => {
      if (this.#object !== undefined) this.#object[key as string] = value;
      else this.#dict!.set(key, value);
    });
  }

  override close(): unknown {
    // As in Python, a key without a value is ignored.
    const object = this.#object;
    if (object === undefined) return this.#dict ?? this.#becomeObject(undefined);
    if (this.#expected === undefined) rememberKeys(this.#firstKey, object, this.count >> 1);
    return object;
  }

  override segment(): string {
    return this.count % 2 === 0 ? "" : keySegment(this.#key);
  }

  #takeKey(key: unknown): void {
    if (typeof key === "string") {
      if (this.#object === undefined && this.#dict === undefined) {
        this.#firstKey = key;
        this.#becomeObject(expectKeys(key));
      }
      const expected = this.#expected;
      if (expected !== undefined) {
        this.#key = key;
        if (expected[this.count >> 1] === key) return;
        this.#expected = undefined;
      }
    } else {
      checkHashable(key, "a key of a dict", this.receiver.hashable);
      this.#becomeDict();
    }
    if (this.#dict !== undefined) this.receiver.spend(ENTRY_COST);
    const isTwice = this.#object !== undefined ? (key as string) in this.#object : this.#dict!.has(key);
    if (isTwice) throw new Violation(`Duplicate key ${keySegment(key)}`);
    this.#key = key;
  }

  #becomeObject(expected: readonly string[] | undefined): Record<string, unknown> {
    this.#expected = expected;
    // Objects that begin without a prototype are hash tables to V8, which suits keys that do not come again. Objects that
    // lose theirs have a hidden class: to read them, and to send them on, takes half the time.
    this.#object = (expected === undefined ? Object.create(null) : Object.setPrototypeOf({}, null)) as Record<
      string,
      unknown
    >;
    this.receiver.replace(this.#objectNumber, this.#object);
    return this.#object;
  }

  #becomeDict(): void {
    if (this.#dict !== undefined) return;
    this.#expected = undefined;
    this.receiver.spend(COLLECTION_COST + (this.count >> 1) * ENTRY_COST);
    this.#dict = new Dict();
    if (this.#object === undefined) {
      this.receiver.replace(this.#objectNumber, this.#dict);
      return;
    }
    // Text keys came first, and now another kind: no Python sends that, since it cannot sort them.
    if (this.receiver.wasLookedUp(this.#objectNumber)) {
      throw new Violation("Cannot take keys of several kinds in a dict that contains itself");
    }
    for (const key of Object.keys(this.#object)) this.#dict.set(key, this.#object[key]);
    this.#object = undefined;
    this.receiver.replace(this.#objectNumber, this.#dict);
  }
}

function sliceMembers(value: ReadonlySet<unknown>, out: Slicing, number: number, isFrozen: boolean): void {
  if (number < 0) return;
  let i = 0;
  try {
    for (const member of value) {
      checkHashable(member, "a member of a set", out.hashable);
      out.slice(member);
      // Python puts a member in when it is ready, but not into a frozen set that it made already.
      if (out.isUnready && isFrozen) {
        throw new Violation("Cannot serialize a frozen set with a member that contains it");
      }
      out.isUnready = false;
      i++;
    }
  } catch (error) {
    throw out.at(error, i);
  }
  out.end(number);
}

/** A Set is a set. */
export function sliceSet(value: ReadonlySet<unknown>, out: Slicing): void {
  sliceMembers(value, out, out.beginShared(value, "set"), false);
}

/** A frozen set; Python sends it again where it is shared. */
export function sliceFrozenSet(value: ReadonlySet<unknown>, out: Slicing): void {
  sliceMembers(value, out, out.begin("immutable-set"), true);
}

/** Gives a Set that compares by value, or a frozen one. */
export class SetUnslicer extends Unslicer {
  readonly #value: ValueSet<unknown>;
  #missing = 0;
  #isClosed = false;

  /** An unslicer for a set, or for a frozen one. */
  constructor(receiver: Unslicer["receiver"], frozen: boolean) {
    super(receiver);
    this.#value = frozen ? new FrozenSet() : new ValueSet();
  }

  override start(objectNumber: number): void {
    this.receiver.spend(CONTAINER_COST + COLLECTION_COST);
    this.receiver.register(objectNumber, this.#value);
  }
  override receive(value: unknown): void {
    this.receiver.spend(ENTRY_COST);
    checkHashable(value, "a member of a set", this.receiver.hashable);
    this.#value.add(value);
  }
  override receivePending(pending: Pending): void {
    this.#missing++;
    pending.whenSettled((value) => {
      checkHashable(value, "a member of a set", this.receiver.hashable);
      this.#value.add(value);
      this.#missing--;
      this.#freezeWhenComplete();
    });
  }
  override close(): ValueSet<unknown> {
    this.#isClosed = true;
    this.#freezeWhenComplete();
    return this.#value;
  }
  override segment(): string {
    return `[${this.count}]`;
  }

  #freezeWhenComplete(): void {
    if (this.#isClosed && this.#missing === 0 && this.#value instanceof FrozenSet) freezeSet(this.#value);
  }
}
