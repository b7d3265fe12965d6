/**
 * Sets whose members are compared by value, and those that do not change.
 *
 * @module
 */

import { type Keyed, type ValueKey, valueKeyOf } from "../util/keyed.ts";
import { containerKey, delimited, isDigest, valueKey } from "./value_key.ts";

/**
 * The text of a collection, such as `Dict(2) { 1 => "a", true => "b" }`.
 *
 * @param name The class.
 * @param size How many elements it has.
 * @param shown Its first elements in a native collection, which the runtime knows how to show.
 * @param inspect The runtime's `inspect`, as it gives it to a custom inspector.
 * @param options Its options, to be passed on.
 */
export function inspectedEntries(
  name: string,
  size: number,
  shown: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>,
  inspect: (value: unknown, options?: unknown) => string,
  options: unknown,
): string {
  const text = inspect(shown, options).replace(/^(Map|Set)\(\d+\)/, `${name}(${size})`);
  return size > shown.size ? `${text} and ${size - shown.size} more` : text;
}

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

let freeze: (set: FrozenSet) => void;

/**
 * A {@link ValueSet} that does not change any more, and so may be a key or a member itself, compared by value.
 *
 * `new FrozenSet(members)` and {@link frozenSet} are frozen at once. `new FrozenSet()` is empty and not frozen:
 * for code that learns the members one by one and calls {@link freezeSet}. Crosses as `immutable-set`.
 */
export class FrozenSet<T = unknown> extends ValueSet<T> implements Keyed {
  static {
    freeze = (set) => {
      set.#isFrozen = true;
    };
  }

  /** A frozen set of what an iterable holds. */
  static from<T>(members: Iterable<T>): FrozenSet<T> {
    return new FrozenSet(members);
  }

  #isFrozen = false;
  #key: string | undefined;

  /** A set with the members given, frozen; or an empty one that is not frozen yet. */
  constructor(members?: Iterable<T> | null) {
    super(members);
    this.#isFrozen = members !== undefined && members !== null;
  }

  /** Whether the members are final. */
  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Adds a member while the set is not frozen. @throws {TypeError} Afterwards. */
  override add(member: T): this {
    this.#refuseWhenFrozen("add to");
    return super.add(member);
  }

  /** Removes a member while the set is not frozen. @throws {TypeError} Afterwards. */
  override delete(member: T): boolean {
    this.#refuseWhenFrozen("delete from");
    return super.delete(member);
  }

  /** Removes all members while the set is not frozen. @throws {TypeError} Afterwards. */
  override clear(): void {
    this.#refuseWhenFrozen("clear");
    super.clear();
  }

  /** The key that equal frozen sets share, whatever their identity and order. */
  [valueKeyOf](depth: number): ValueKey {
    if (this.#key !== undefined) return this.#key;
    const key = containerKey("f", sortedMemberKeys(this, depth));
    if (isDigest(key) && this.#isFrozen) this.#key = key;
    return key;
  }

  #refuseWhenFrozen(action: string): void {
    if (!this.#isFrozen) return;
    throw new TypeError(`Cannot ${action} a FrozenSet: it is frozen, so make a ValueSet of it first`);
  }
}

/**
 * Makes a frozen set of its arguments, which crosses as Python's `frozenset`. For many members, or those of an
 * iterable, see `FrozenSet.from`.
 *
 * @param members The members; of equal ones the first stays.
 */
export function frozenSet<T extends readonly unknown[]>(...members: T): FrozenSet<T[number]> {
  return new FrozenSet(members);
}

/**
 * Makes the members of a set final.
 *
 * @param set A set made by `new FrozenSet()` and filled since.
 * @returns The same set.
 */
export function freezeSet<T>(set: FrozenSet<T>): FrozenSet<T> {
  freeze(set);
  return set;
}

/** The members' keys, in an order that depends on nothing but them. */
function sortedMemberKeys(set: FrozenSet, depth: number): ValueKey[] {
  const keyed = Array.from(set, (member) => {
    const key = valueKey(member, depth + 1);
    return { key, text: delimited(key) };
  });
  keyed.sort((a, b) => a.text < b.text ? -1 : a.text > b.text ? 1 : 0);
  return keyed.map(({ key }) => key);
}
