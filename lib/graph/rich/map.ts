/**
 * Maps as JavaScript has them: entries in their order, keys of any type, objects among them by identity.
 *
 * `OPEN js-map (key value)* CLOSE`
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { COLLECTION_COST, CONTAINER_COST, ENTRY_COST } from "../costs.ts";
import { keySegment } from "../path.ts";
import type { Pending } from "../pending.ts";
import type { Slicing } from "../slicing.ts";
import { Unslicer } from "../unslicer.ts";
import { OpenKeys } from "./open_keys.ts";

/** A Map. */
export function sliceJsMap(value: ReadonlyMap<unknown, unknown>, out: Slicing): void {
  const number = out.beginShared(value, "js-map");
  if (number < 0) return;
  let place: unknown;
  try {
    for (const [key, item] of value) {
      place = key;
      out.slice(key);
      out.slice(item);
      out.isUnready = false;
    }
  } catch (error) {
    throw out.under(error, keySegment(place));
  }
  out.end(number);
}

/** An entry that cannot be put in yet. */
interface LateEntry {
  key: unknown;
  value: unknown;
  isIn: boolean;
}

/** Gives a Map, which `reference` may name from its beginning on. */
export class JsMapUnslicer extends Unslicer {
  readonly #map = new Map<unknown, unknown>();
  #key: unknown;
  /** From the first key on that is not there yet: the order is kept. */
  #late: LateEntry[] | undefined;
  #missing = 0;
  readonly #open = new OpenKeys();
  #isClosed = false;

  override start(objectNumber: number): void {
    this.receiver.spend(CONTAINER_COST + COLLECTION_COST);
    this.receiver.register(objectNumber, this.#map);
  }

  override get maxChildren(): number {
    return this.receiver.limits.maxElements * 2;
  }

  override receive(value: unknown): void {
    if (this.count % 2 === 0) this.#takeKey(value);
    else if (this.#late === undefined) this.#map.set(this.#key, value);
    else this.#late.at(-1)!.value = value;
  }

  override receivePending(pending: Pending): void {
    if (this.count % 2 === 0) return this.#takeLateKey(pending);
    const entry = this.#late?.at(-1) ?? { key: this.#key, value: undefined, isIn: true };
    pending.whenSettled((value) => {
      entry.value = value;
      if (entry.isIn) this.#map.set(entry.key, value);
    });
  }

  override close(): Map<unknown, unknown> {
    if (this.count % 2 !== 0) throw new Violation("A js-map ends with a key and no value");
    this.#isClosed = true;
    this.#putInWhenComplete();
    return this.#map;
  }

  override segment(): string {
    return this.count % 2 === 0 ? "" : keySegment(this.#key);
  }

  #takeKey(key: unknown): void {
    this.receiver.spend(ENTRY_COST);
    this.#key = key;
    if (this.#late === undefined) this.#putIn(key, undefined, (bytes) => this.receiver.spend(bytes));
    else this.#late.push({ key, value: undefined, isIn: false });
  }

  #takeLateKey(pending: Pending): void {
    const entry: LateEntry = { key: undefined, value: undefined, isIn: false };
    (this.#late ??= []).push(entry);
    this.receiver.spend(ENTRY_COST);
    this.#key = undefined;
    this.#missing++;
    pending.whenSettled((key) => {
      entry.key = key;
      this.#missing--;
      this.#putInWhenComplete();
    });
  }

  #putInWhenComplete(): void {
    if (!this.#isClosed || this.#missing > 0) return;
    for (const entry of this.#late ?? []) {
      this.#putIn(entry.key, entry.value);
      entry.isIn = true;
    }
    this.#late = undefined;
  }

  #putIn(key: unknown, value: unknown, spend?: (bytes: number) => void): void {
    this.#open.add(key, spend);
    if (this.#map.has(key)) throw new Violation(`Duplicate key ${keySegment(key)}`);
    this.#map.set(key, value);
  }
}
