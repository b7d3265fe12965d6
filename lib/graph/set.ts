/**
 * Sets and frozen sets. Source: Foolscap `slicers/set.py`.
 *
 * @module
 */

import { COLLECTION_COST, CONTAINER_COST, ENTRY_COST } from "./costs.ts";
import { checkHashable } from "./hashable.ts";
import { Violation } from "../errors.ts";
import type { Pending } from "./pending.ts";
import type { Slicing } from "./slicing.ts";
import { Unslicer } from "./unslicer.ts";
import { freezeSet, FrozenSet } from "../values/frozen_set.ts";
import { ValueSet } from "../values/value_set.ts";

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
