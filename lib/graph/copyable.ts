/**
 * Objects that travel by value: Copyable, and classes that are taught to.
 *
 * `OPEN copyable STRING(type) (STRING(attribute) value)* CLOSE`
 *
 * Source: Foolscap `copyable.py`.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";
import { assignState } from "../values/assign_state.ts";
import { attributeName, checkAttributeToken, type CopyType, findCopyType } from "./copy_types.ts";
import { segmentOf } from "./path.ts";
import { CONTAINER_COST, Unslicer } from "./unslicer.ts";
import { Pending, PendingResult } from "./pending.ts";
import type { Constraint } from "./schema/constraint.ts";
import type { StateRules } from "./schema/state_rules.ts";
import type { Slicing } from "./slicing.ts";

/** What a Copyable is on the wire: values by attribute. It has no prototype, so that every name is only a name. */
export type CopyableState = Record<string, unknown>;

/**
 * An object that travels by value. A class derived from it names its type, which is the same on both sides;
 * the side that receives it registers the class by {@linkcode registerRemoteCopy}.
 *
 * Its attributes are its own enumerable properties, unless it overrides `getStateToCopy` and `setCopyableState`.
 * Two occurrences in one message arrive as one object. A gift (a reference to a third Tub's object) in an attribute is
 * a Violation, and so is a Copyable that is an attribute of itself: Python Foolscap drops the connection at both.
 *
 * Foolscap: `Copyable` (`typeToCopy`) and `RemoteCopy` (`copytype`).
 *
 * @example
 * ```ts
 * import { Copyable, registerRemoteCopy, serialize, unserialize } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Point extends Copyable {
 *   static override copytype = "example.org/Point";
 *   constructor(public x = 0, public y = 0) {
 *     super();
 *   }
 * }
 * registerRemoteCopy(Point);
 *
 * const copy = unserialize(serialize(new Point(3, 4)));
 * assert.ok(copy instanceof Point);
 * assert.equal(copy.y, 4);
 * ```
 */
export class Copyable {
  /** The name of the type on the wire, the same on both sides; by custom a URL or `module.Class`. */
  static copytype?: string;
  /** The rules of the attributes of what arrives, for the class given to {@linkcode registerRemoteCopy}. */
  static stateSchema?: StateRules;

  /**
   * The name of the type that an object is sent as. By default: the static `copytype` of its class.
   *
   * What it throws fails the call with a Violation.
   */
  getTypeToCopy(): string | undefined {
    // Not this.constructor: a copy may have an attribute of that name.
    return (Object.getPrototypeOf(this).constructor as typeof Copyable).copytype;
  }

  /**
   * The values to send. By default: own enumerable properties.
   *
   * What it throws fails the call with a Violation.
   */
  getStateToCopy(): Record<string, unknown> {
    return { ...this } as Record<string, unknown>;
  }

  /**
   * Takes the values that came, on an object that the constructor has made without arguments.
   *
   * What it throws fails the call with a Violation. Values that are part of a cycle may not be complete yet.
   */
  setCopyableState(state: CopyableState): void {
    assignState(this, state);
  }
}

/** A Copyable. */
export function sliceCopyable(value: Copyable, out: Slicing): void {
  const copytype = out.isKnown(value) ? "" : typeToCopy(value);
  sliceState(value, copytype, () => value.getStateToCopy(), out);
}

function typeToCopy(value: Copyable): string {
  const copytype = value.getTypeToCopy();
  if (typeof copytype === "string" && copytype !== "") return copytype;
  const { name } = Object.getPrototypeOf(value).constructor as typeof Copyable;
  throw new Violation(`Cannot serialize a ${name}: a subclass of Copyable must have a static copytype`);
}

/** Writes any object as a `copyable` of this type. `state` is asked only if the object is written in full. */
export function sliceState(
  value: object,
  copytype: string,
  state: () => Readonly<Record<string, unknown>>,
  out: Slicing,
): void {
  const number = out.beginShared(value, "copyable");
  if (number < 0) return;
  out.word(copytype);
  out.beginIncomplete(value);
  out.copyableDepth++;
  let place: string | undefined;
  try {
    const values = state();
    for (const name of Object.keys(values)) {
      place = name;
      out.word(name);
      out.slice(values[name]);
      if (out.isUnready) {
        throw new Violation(
          "Cannot serialize a Copyable with an attribute that contains it: put it in a list",
        );
      }
    }
  } catch (error) {
    throw place === undefined ? error : out.at(error, place);
  }
  out.copyableDepth--;
  out.endIncomplete(value);
  out.end(number);
}

/** Gives an object of the class, or what the factory makes, that is registered for the type. */
export class CopyableUnslicer extends Unslicer {
  readonly #type: CopyType;
  readonly #state: CopyableState = Object.create(null);
  #instance: object | undefined;
  #pending: Pending | undefined;
  #missing = 0;
  #name: string | undefined;
  /** The rule for the attribute whose name has come. */
  #rule: Constraint | undefined;
  #isClosed = false;

  /**
   * @param type How it is made.
   * @throws {Violation} If no class is registered for the type.
   */
  constructor(
    receiver: Unslicer["receiver"],
    copytype: string,
    type: CopyType | undefined = findCopyType(copytype),
  ) {
    super(receiver);
    if (type === undefined) {
      throw new Violation(
        `Unknown RemoteCopy name ${quoteForeign(copytype)}: give registerRemoteCopy a class for it`,
      );
    }
    this.#type = type;
  }

  override start(objectNumber: number): void {
    this.receiver.spend(CONTAINER_COST);
    if (this.#type.kind === "class") {
      this.#instance = this.#run(() => new (this.#type as { construct: new () => object }).construct());
      this.receiver.register(objectNumber, this.#instance);
    } else if (this.#type.cyclic) {
      this.#pending = new Pending(this.receiver.scope, true);
      this.receiver.register(objectNumber, this.#pending);
    }
  }

  override get maxChildren(): number {
    return this.receiver.limits.maxElements * 2;
  }

  override get constrains(): boolean {
    return this.#type.stateSchema !== undefined;
  }

  override nextConstraint(): Constraint | undefined {
    return this.#name === undefined ? undefined : this.#rule;
  }

  override checkToken(type: number, size: number): void {
    if (this.#name === undefined) checkAttributeToken(type, size);
  }

  override receiveBytes(bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    if (this.#name !== undefined) return super.receiveBytes(bytes, start, end, owned);
    const name = attributeName(bytes, start, end);
    if (name in this.#state) throw new Violation(`Duplicate attribute name ${quoteForeign(name)}`);
    const { stateSchema } = this.#type;
    this.#rule = stateSchema === undefined ? undefined : this.#run(() => stateSchema.attribute(name));
    this.#name = name;
  }

  override receive(value: unknown): void {
    this.#state[this.#name!] = value;
    this.#name = undefined;
  }

  override receivePending(pending: Pending): void {
    const name = this.#name!;
    this.receive(undefined);
    if (pending === this.#pending) {
      throw new Violation("Cannot take an object that is an attribute of itself from a factory");
    }
    this.#missing++;
    pending.whenSettled((value) => {
      this.#state[name] = value;
      this.#missing--;
      if (this.#isClosed && this.#missing === 0) this.#complete();
    });
  }

  override close(): unknown {
    this.#isClosed = true;
    if (this.#missing === 0) return this.#complete();
    return this.#instance ?? new PendingResult(this.#pending ??= new Pending(this.receiver.scope, true));
  }

  override segment(): string {
    return this.#name === undefined ? "" : segmentOf(this.#name);
  }

  #complete(): unknown {
    const type = this.#type;
    const state = type.stateSchema === undefined
      ? this.#state
      : this.#run(() => type.stateSchema!.checkState(this.#state));
    if (type.kind === "class") {
      const instance = this.#instance as Partial<Copyable>;
      this.#run(() => {
        if (typeof instance.setCopyableState === "function") instance.setCopyableState(state);
        else assignState(instance, state);
      });
      return instance;
    }
    const made = this.#run(() => type.make(state));
    this.#pending?.resolve(made);
    return made;
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
