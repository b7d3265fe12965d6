/**
 * Dicts. Source: Foolscap `slicers/dict.py`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { COLLECTION_COST, CONTAINER_COST, ENTRY_COST } from "./costs.ts";
import { checkHashable } from "./hashable.ts";
import { sliceText } from "./atoms.ts";
import { orderedKeys } from "./key_order.ts";
import { keySegment } from "./path.ts";
import type { Pending } from "./pending.ts";
import type { Slicing } from "./slicing.ts";
import { Unslicer } from "./unslicer.ts";
import { Dict } from "../values/dict.ts";
import { findDuplicateKey } from "../values/duplicate_key.ts";
import { sortedKeys } from "../values/sort_keys.ts";

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
    return this.#object ?? this.#dict ?? this.#becomeObject();
  }

  override segment(): string {
    return this.count % 2 === 0 ? "" : keySegment(this.#key);
  }

  #takeKey(key: unknown): void {
    if (typeof key === "string") {
      if (this.#object === undefined && this.#dict === undefined) this.#becomeObject();
    } else {
      checkHashable(key, "a key of a dict", this.receiver.hashable);
      this.#becomeDict();
    }
    if (this.#dict !== undefined) this.receiver.spend(ENTRY_COST);
    const isTwice = this.#object !== undefined ? (key as string) in this.#object : this.#dict!.has(key);
    if (isTwice) throw new Violation(`Duplicate key ${keySegment(key)}`);
    this.#key = key;
  }

  #becomeObject(): Record<string, unknown> {
    this.#object = Object.create(null) as Record<string, unknown>;
    this.receiver.replace(this.#objectNumber, this.#object);
    return this.#object;
  }

  #becomeDict(): void {
    if (this.#dict !== undefined) return;
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
