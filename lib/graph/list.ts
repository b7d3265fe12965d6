/**
 * Lists and tuples. Source: Foolscap `slicers/list.py`, `slicers/tuple.py`.
 *
 * @module
 */

import { CONTAINER_COST, Unslicer } from "./unslicer.ts";
import type { Pending } from "./pending.ts";
import type { Slicing } from "./slicing.ts";
import { Tuple } from "../values/tuple.ts";

/** An Array is a list. */
export function sliceList(value: readonly unknown[], out: Slicing): void {
  const number = out.beginShared(value, "list");
  if (number < 0) return;
  let i = 0;
  try {
    for (; i < value.length; i++) {
      out.slice(value[i]);
      out.isUnready = false;
    }
  } catch (error) {
    throw out.at(error, i);
  }
  out.end(number);
}

/** A Tuple is a tuple. */
export function sliceTuple(value: Tuple, out: Slicing): void {
  const number = out.beginShared(value, "tuple");
  if (number < 0) return;
  out.beginIncomplete(value);
  let waits: Set<object> | undefined;
  let i = 0;
  try {
    for (; i < value.length; i++) {
      out.slice(value[i]);
      waits = out.takeWaits(waits);
    }
  } catch (error) {
    throw out.at(error, i);
  }
  // A tuple is no more ready than its elements.
  out.endIncomplete(value, waits);
  out.end(number);
}

/** Gives an Array, which `reference` may name from its beginning on. */
export class ListUnslicer extends Unslicer {
  readonly #value: unknown[] = [];

  override start(objectNumber: number): void {
    this.receiver.spend(CONTAINER_COST);
    this.receiver.register(objectNumber, this.#value);
  }
  override receive(value: unknown): void {
    this.#value.push(value);
  }
  override receivePending(pending: Pending): void {
    const index = this.#value.push(undefined) - 1;
    pending.whenSettled((value) => this.#value[index] = value);
  }
  override close(): unknown[] {
    return this.#value;
  }
  override segment(): string {
    return `[${this.count}]`;
  }
}

/**
 * Gives a Tuple, frozen when all its elements are there. A tuple that contains itself by way of a list
 * is named by `reference` before that.
 */
export class TupleUnslicer extends Unslicer {
  readonly #value = new Tuple();
  #missing = 0;
  #isClosed = false;

  override start(objectNumber: number): void {
    this.receiver.spend(CONTAINER_COST);
    this.receiver.register(objectNumber, this.#value);
  }
  override receive(value: unknown): void {
    this.#value.push(value);
  }
  override receivePending(pending: Pending): void {
    const index = this.#value.push(undefined) - 1;
    this.#missing++;
    pending.whenSettled((value) => {
      (this.#value as unknown[])[index] = value;
      this.#missing--;
      this.#freezeWhenComplete();
    });
  }
  override close(): Tuple {
    this.#isClosed = true;
    this.#freezeWhenComplete();
    return this.#value;
  }
  override segment(): string {
    return `[${this.count}]`;
  }

  #freezeWhenComplete(): void {
    if (this.#isClosed && this.#missing === 0) Object.freeze(this.#value);
  }
}
