/**
 * Objects by value that the program takes in attribute by attribute, as they come.
 *
 * Source: Foolscap `copyable.py`, `registerRemoteCopyUnslicerFactory`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";
import { addCopyUnslicer, attributeName, checkAttributeToken } from "./copy_types.ts";
import { CONTAINER_COST, type Receiving, Unslicer } from "./unslicer.ts";
import { segmentOf } from "./path.ts";
import { Pending, PendingResult } from "./pending.ts";

/** Takes in one object. */
export interface RemoteCopyUnslicer {
  /**
   * Is asked for every attribute before its value is read: throwing a {@linkcode Violation} here refuses it unread.
   *
   * @param name A text of the peer's choice; each comes once.
   */
  receiveName?(name: string): void;
  /** An attribute is there. One that has to be fetched, or is part of a cycle, comes later than others. */
  receiveAttribute(name: string, value: unknown): void;
  /** All attributes are there: gives the object. */
  receiveClose(): unknown;
}

/**
 * Registers what takes in the objects of a type attribute by attribute, for types whose values should not all be kept until
 * the last one has come, or where an unwanted one is to be refused before it is read. Foolscap:
 * `registerRemoteCopyUnslicerFactory`; tokens are not shown here.
 *
 * No other part of the message can refer to the object. What its code throws fails the call with a Violation.
 *
 * @param make Makes what takes in one object.
 * @throws {TypeError} If the type is no text or empty, or there is no function.
 * @throws {RangeError} If something else is registered for the type.
 *
 * @example
 * ```ts
 * import { registerCopier, registerRemoteCopyUnslicerFactory, serialize, unserialize } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Sales {
 *   constructor(readonly byShop: Record<string, number>) {}
 * }
 * registerCopier(Sales, ({ byShop }) => ["example.org/Sales", byShop]);
 * registerRemoteCopyUnslicerFactory("example.org/Sales", () => {
 *   let total = 0;
 *   return {
 *     receiveAttribute: (_shop, amount) => void (total += Number(amount)),
 *     receiveClose: () => total,
 *   };
 * });
 * assert.equal(unserialize(serialize(new Sales({ north: 3, south: 4 }))), 7);
 * ```
 */
export function registerRemoteCopyUnslicerFactory(copytype: string, make: () => RemoteCopyUnslicer): void {
  if (typeof make !== "function") {
    throw new TypeError("Cannot register a RemoteCopy: there is no function");
  }
  const known = factories.get(make);
  const factory = known ?? ((receiver: Receiving) => new TakenInUnslicer(receiver, make));
  factories.set(make, factory);
  addCopyUnslicer(copytype, factory);
}

// So that the same function for the same type is registered once, and not a second time.
const factories = new WeakMap<() => RemoteCopyUnslicer, (receiver: Receiving) => Unslicer>();

class TakenInUnslicer extends Unslicer {
  readonly #taker: RemoteCopyUnslicer;
  readonly #names = new Set<string>();
  #name: string | undefined;
  #missing = 0;
  #isClosed = false;
  #pending: Pending | undefined;

  constructor(receiver: Receiving, make: () => RemoteCopyUnslicer) {
    super(receiver);
    this.#taker = this.#run(make);
  }

  override start(): void {
    this.receiver.spend(CONTAINER_COST);
  }

  override get maxChildren(): number {
    return this.receiver.limits.maxElements * 2;
  }

  override checkToken(type: number, size: number): void {
    if (this.#name === undefined) checkAttributeToken(type, size);
  }

  override receiveBytes(bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    if (this.#name !== undefined) return super.receiveBytes(bytes, start, end, owned);
    const name = attributeName(bytes, start, end);
    if (this.#names.has(name)) throw new Violation(`Duplicate attribute name ${quoteForeign(name)}`);
    this.#names.add(name);
    this.#run(() => this.#taker.receiveName?.(name));
    this.#name = name;
  }

  override receive(value: unknown): void {
    const name = this.#name!;
    this.#name = undefined;
    this.#run(() => this.#taker.receiveAttribute(name, value));
  }

  override receivePending(pending: Pending): void {
    const name = this.#name!;
    this.#name = undefined;
    this.#missing++;
    pending.whenSettled((value) => {
      this.#missing--;
      this.#run(() => this.#taker.receiveAttribute(name, value));
      if (this.#isClosed && this.#missing === 0) this.#pending!.resolve(this.#complete());
    });
  }

  override close(): unknown {
    if (this.#name !== undefined) throw new Violation("An attribute has a name and no value");
    this.#isClosed = true;
    if (this.#missing === 0) return this.#complete();
    return new PendingResult(this.#pending = new Pending(this.receiver.scope, true));
  }

  override segment(): string {
    return this.#name === undefined ? "" : segmentOf(this.#name);
  }

  #complete(): unknown {
    return this.#run(() => this.#taker.receiveClose());
  }

  /** Runs code of the program's: what it throws is about this value and no more. */
  #run<T>(code: () => T): T {
    try {
      return code();
    } catch (cause) {
      const violation = cause instanceof Violation
        ? cause
        : new Violation("Cannot make an object from its copy: the code of its class failed", { cause });
      this.#pending?.reject(violation);
      throw violation;
    }
  }
}
