/**
 * Values on their way from one protocol to the other: containers are made anew, in the same shape, and what is in them
 * and has no counterpart by itself is replaced.
 *
 * @module
 */

import { Violation } from "../errors.ts";
import { keySegment, violationAt } from "../graph/path.ts";
import { Decimal } from "../values/decimal.ts";
import { Dict } from "../values/dict.ts";
import { Float } from "../values/float.ts";
import { freezeSet, FrozenSet, ValueSet } from "../values/value_set.ts";
import { Kwargs } from "../values/kwargs.ts";
import { Tuple } from "../values/tuple.ts";

/** Gives what stands for an object that is no container. Parts of it are passed to `crossing.part`. */
export type Replace = (object: object, crossing: Crossing) => unknown;

/** Values are gone through by a function that calls itself: both protocols have this limit for what arrives. */
const MAX_DEPTH = 1_000;

/** One run: what is shared or cyclic in it is so on the other side. */
export class Crossing {
  readonly #replace: Replace;
  readonly #made = new Map<object, unknown>();
  #depth = 0;

  /** @param replace What it throws, if it is a Violation, is told with its place. */
  constructor(replace: Replace) {
    this.#replace = replace;
  }

  /**
   * The arguments of a call; keyword arguments stay the last one.
   *
   * @throws {Violation} If a part of one cannot cross.
   */
  arguments(args: readonly unknown[]): unknown[] {
    return args.map((arg, i) => {
      if (!(arg instanceof Kwargs) || i < args.length - 1) return this.value(arg, `arguments[${i}]`);
      const values: Record<string, unknown> = Object.create(null);
      for (const [name, value] of Object.entries(arg.values)) {
        values[name] = this.value(value, `arguments${keySegment(name)}`);
      }
      return new Kwargs(values);
    });
  }

  /**
   * A whole value.
   *
   * @param where What to call it in errors.
   * @throws {Violation} If a part of it cannot cross.
   */
  value(value: unknown, where: string): unknown {
    try {
      return this.part(value);
    } catch (error) {
      throw error instanceof Violation ? violationAt(error, where) : error;
    }
  }

  /** A part of a value, for those who replace what it is a part of. */
  part(value: unknown): unknown {
    if (typeof value !== "object" || value === null) {
      if (typeof value === "function" || typeof value === "symbol") {
        throw new Violation(`Cannot pass a ${typeof value} on: a function travels as callable(f)`);
      }
      return value;
    }
    if (ArrayBuffer.isView(value) || value instanceof Float || value instanceof Decimal) return value;
    const known = this.#made.get(value);
    if (known !== undefined) return known;
    if (this.#depth >= MAX_DEPTH) {
      throw new Violation(`Cannot pass on values more than ${MAX_DEPTH} deep inside each other`);
    }
    this.#depth++;
    try {
      return this.#object(value);
    } finally {
      this.#depth--;
    }
  }

  /** Says what stands for an object before its parts are passed on, so that they can refer to it. */
  bind<T>(object: object, standIn: T): T {
    this.#made.set(object, standIn);
    return standIn;
  }

  /** The entries of a record; every name is only a name. */
  record(values: Readonly<Record<string, unknown>>, into: Record<string, unknown>): Record<string, unknown> {
    let place: unknown;
    try {
      for (place of Object.keys(values)) into[place as string] = this.part(values[place as string]);
    } catch (error) {
      throw placed(error, place);
    }
    return into;
  }

  #object(value: object): unknown {
    if (Array.isArray(value)) {
      if (!(value instanceof Tuple)) return this.#fill(value, this.bind(value, []));
      const made = new Tuple();
      // Frozen when it is full: parts of it may refer to it before.
      return Object.freeze(this.#fill(value, this.bind(value, made)));
    }
    if (value instanceof Map) return this.#map(value, this.bind(value, new Dict()));
    if (value instanceof Set) return this.#set(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) return this.#replace(value, this);
    return this.record(value as Record<string, unknown>, this.bind(value, Object.create(null)));
  }

  #fill(from: readonly unknown[], to: unknown[]): unknown[] {
    let i = 0;
    try {
      for (; i < from.length; i++) to.push(this.part(from[i]));
    } catch (error) {
      throw placed(error, i);
    }
    return to;
  }

  #map(from: ReadonlyMap<unknown, unknown>, to: Dict): Dict {
    let place: unknown;
    try {
      for (const [key, value] of from) {
        place = key;
        to.set(this.part(key), this.part(value));
      }
    } catch (error) {
      throw placed(error, place);
    }
    return to;
  }

  #set(from: ReadonlySet<unknown>): ValueSet {
    const isFrozen = from instanceof FrozenSet;
    const to = this.bind(from, isFrozen ? new FrozenSet() : new ValueSet());
    for (const member of from) to.add(this.part(member));
    return isFrozen ? freezeSet(to as FrozenSet) : to;
  }
}

function placed(error: unknown, key: unknown): unknown {
  return error instanceof Violation ? violationAt(error, keySegment(key)) : error;
}
