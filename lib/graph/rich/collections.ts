/**
 * Maps and Sets as JavaScript has them: in their order, keys and members of any type, objects among them by identity.
 *
 * `OPEN js-map (key value)* CLOSE`, `OPEN js-set member* CLOSE`
 *
 * V8 hashes numbers, bigints and texts of digits without a seed, so that some thousands of them can be chosen which all have one
 * hash; to put in `n` of those takes time in proportion to `n * n`. A `Dict` and a `ValueSet` are safe from that (`value_key.ts`);
 * a `Map` and a `Set` are what they are. So the more such keys one has, the more each costs of what a message may take.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { numberKey } from "../../values/value_key.ts";
import { COLLECTION_COST, CONTAINER_COST, ENTRY_COST, Unslicer } from "../unslicer.ts";
import { keySegment } from "../path.ts";
import type { Pending } from "../pending.ts";
import type { Slicing } from "../slicing.ts";

/** So many cost nothing: to put them in takes a few milliseconds, whichever they are. */
const FREE_KEYS = 1_000;
/** What the next one costs, for each that is there, in bytes: to compare two bigints takes longer. */
const NUMBER_COST = 1, BIGINT_COST = 4;
/** So many may come behind a value that was waited for: its message is over, and nothing can be counted to it any more. */
const MAX_LATE_KEYS = 10_000;

/** The keys of one Map, or the members of one Set. */
class OpenKeys {
  #count = 0;

  /**
   * Counts a key that is about to be put in.
   *
   * @param spend Takes bytes from what the message may take; `undefined` where it is over.
   * @throws {Violation} If there are too many.
   */
  add(key: unknown, spend: ((bytes: number) => void) | undefined): void {
    if (!isOpen(key)) return;
    const before = this.#count++ - FREE_KEYS;
    if (spend === undefined) {
      if (this.#count > MAX_LATE_KEYS) throw tooMany();
      return;
    }
    if (before <= 0) return;
    try {
      spend(before * (typeof key === "bigint" ? BIGINT_COST : NUMBER_COST));
    } catch (cause) {
      throw tooMany(cause);
    }
  }
}

/** Small integers are left: there are not enough with one hash. */
function isOpen(key: unknown): boolean {
  if (typeof key === "number") return numberKey(key) !== key && !Object.is(key, -0);
  if (typeof key === "bigint") return true;
  return typeof key === "string" && /^\d/.test(key);
}

function tooMany(cause?: unknown): Violation {
  return new Violation(
    "Cannot take so many numbers as keys of a Map or in a Set: send a Dict, a ValueSet, or fewer at once",
    { cause },
  );
}

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

/** A Set. */
export function sliceJsSet(value: ReadonlySet<unknown>, out: Slicing): void {
  const number = out.beginShared(value, "js-set");
  if (number < 0) return;
  let i = 0;
  try {
    for (const member of value) {
      out.slice(member);
      out.isUnready = false;
      i++;
    }
  } catch (error) {
    throw out.at(error, i);
  }
  out.end(number);
}

/** Gives a Set, which `reference` may name from its beginning on. */
export class JsSetUnslicer extends Unslicer {
  readonly #set = new Set<unknown>();
  /** From the first member on that is not there yet: the order is kept. */
  #late: { value: unknown }[] | undefined;
  #missing = 0;
  readonly #open = new OpenKeys();
  #isClosed = false;

  override start(objectNumber: number): void {
    this.receiver.spend(CONTAINER_COST + COLLECTION_COST);
    this.receiver.register(objectNumber, this.#set);
  }

  override receive(value: unknown): void {
    this.receiver.spend(ENTRY_COST);
    if (this.#late === undefined) this.#putIn(value, (bytes) => this.receiver.spend(bytes));
    else this.#late.push({ value });
  }

  override receivePending(pending: Pending): void {
    this.receiver.spend(ENTRY_COST);
    const member: { value: unknown } = { value: undefined };
    (this.#late ??= []).push(member);
    this.#missing++;
    pending.whenSettled((value) => {
      member.value = value;
      this.#missing--;
      this.#putInWhenComplete();
    });
  }

  override close(): Set<unknown> {
    this.#isClosed = true;
    this.#putInWhenComplete();
    return this.#set;
  }

  override segment(): string {
    return `[${this.count}]`;
  }

  #putInWhenComplete(): void {
    if (!this.#isClosed || this.#missing > 0) return;
    for (const { value } of this.#late ?? []) this.#putIn(value);
    this.#late = undefined;
  }

  #putIn(value: unknown, spend?: (bytes: number) => void): void {
    this.#open.add(value, spend);
    if (this.#set.has(value)) throw new Violation("A member of a js-set comes twice");
    this.#set.add(value);
  }
}
