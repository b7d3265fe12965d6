/**
 * Python's `set`: a set that compares its members as Python does.
 *
 * @module
 */

import { inspectedEntries } from "./inspect.ts";
import type { ValueKey } from "../util/keyed.ts";
import { valueKey } from "./value_key.ts";

/**
 * A `Set` that compares its members as a `Dict` compares its keys: bytes, tuples and frozen sets by value, all
 * numbers by their number. Of two equal members the first one stays.
 *
 * `union` and its like compare in the same way, whatever set they are given, and return a new ValueSet.
 * Crosses as `set`. Foolscap: `slicers/set.py`.
 */
export class ValueSet<T = unknown> extends Set<T> {
  readonly #members = new Map<ValueKey, T>();

  /**
   * A set, empty or with the members given.
   *
   * @throws {Violation} If a member is made of tuples too deep to compare; so do all methods that take a member.
   */
  constructor(members?: Iterable<T> | null) {
    super();
    for (const member of members ?? []) this.#insert(member);
  }

  #insert(member: T): void {
    const key = valueKey(member);
    if (!this.#members.has(key)) this.#members.set(key, member);
  }

  /** How many members there are. */
  override get size(): number {
    return this.#members.size;
  }

  /** Adds a member, unless an equal one is there. */
  override add(member: T): this {
    this.#insert(member);
    return this;
  }

  /** Whether an equal member is there. */
  override has(member: T): boolean {
    return this.#members.has(valueKey(member));
  }

  /** Removes a member; whether it was there. */
  override delete(member: T): boolean {
    return this.#members.delete(valueKey(member));
  }

  /** Removes all members. */
  override clear(): void {
    this.#members.clear();
  }

  /** The members, oldest first. */
  override *values(): Generator<T, undefined> {
    yield* this.#members.values();
  }

  /** The same as {@link ValueSet.values}. */
  override keys(): Generator<T, undefined> {
    return this.values();
  }

  /** Each member twice, as a `Set` gives them. */
  override *entries(): Generator<[T, T], undefined> {
    for (const member of this.#members.values()) yield [member, member];
  }

  /** The same as {@link ValueSet.values}. */
  override [Symbol.iterator](): Generator<T, undefined> {
    return this.values();
  }

  /** Calls `visit` for each member, oldest first. */
  override forEach(visit: (member: T, again: T, set: Set<T>) => void, thisArg?: unknown): void {
    for (const member of this.#members.values()) visit.call(thisArg, member, member, this);
  }

  /** A new set of the members of either. */
  override union<U>(other: ReadonlySetLike<U>): ValueSet<T | U> {
    const all = new ValueSet<T | U>(this);
    for (const member of membersOf(other)) all.add(member);
    return all;
  }

  /** A new set of this one's members that are in both. */
  override intersection<U>(other: ReadonlySetLike<U>): ValueSet<T & U> {
    const theirs = asValueSet<unknown>(other);
    return new ValueSet(this.values().filter((member) => theirs.has(member))) as ValueSet<T & U>;
  }

  /** A new set of the members that the other has not. */
  override difference<U>(other: ReadonlySetLike<U>): ValueSet<T> {
    const theirs = asValueSet<unknown>(other);
    return new ValueSet(this.values().filter((member) => !theirs.has(member)));
  }

  /** A new set of the members that only one of them has. */
  override symmetricDifference<U>(other: ReadonlySetLike<U>): ValueSet<T | U> {
    const theirs = asValueSet(other);
    const only = new ValueSet<T | U>(this.difference(theirs));
    for (const member of theirs.difference(this)) only.add(member);
    return only;
  }

  /** Whether the other has all members of this. */
  override isSubsetOf(other: ReadonlySetLike<unknown>): boolean {
    const theirs = asValueSet(other);
    return this.size <= theirs.size && this.values().every((member) => theirs.has(member));
  }

  /** Whether this has all members of the other. */
  override isSupersetOf(other: ReadonlySetLike<unknown>): boolean {
    return asValueSet(other).isSubsetOf(this);
  }

  /** Whether the two have no member in common. */
  override isDisjointFrom(other: ReadonlySetLike<unknown>): boolean {
    const theirs = asValueSet(other);
    return !this.values().some((member) => theirs.has(member));
  }

  /** How `Deno.inspect` and `console.log` show it. */
  [Symbol.for("Deno.customInspect")](
    inspect: (value: unknown, options?: unknown) => string,
    options: unknown,
  ): string {
    return inspectedEntries(
      this.constructor.name,
      this.size,
      new Set(this.values().take(100)),
      inspect,
      options,
    );
  }
}

function membersOf<T>(set: ReadonlySetLike<T>): Iterable<T> {
  // A set-like promises an iterator from keys(), not an iterable.
  return { [Symbol.iterator]: () => set.keys() };
}

function asValueSet<T>(set: ReadonlySetLike<T>): ValueSet<T> {
  return set instanceof ValueSet ? set as ValueSet<T> : new ValueSet(membersOf(set));
}
