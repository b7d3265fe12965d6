/**
 * Sets as JavaScript has them: members in their order, of any type, objects among them by identity.
 *
 * `OPEN js-set member* CLOSE`
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { COLLECTION_COST, CONTAINER_COST, ENTRY_COST } from "../costs.ts";
import type { Pending } from "../pending.ts";
import type { Slicing } from "../slicing.ts";
import { Unslicer } from "../unslicer.ts";
import { OpenKeys } from "./open_keys.ts";

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
