/**
 * Python's `frozenset`: a set that does not change any more.
 *
 * @module
 */

import { type Keyed, type ValueKey, valueKeyOf } from "../util/keyed.ts";
import { containerKey, delimited, isDigest, valueKey } from "./value_key.ts";
import { ValueSet } from "./value_set.ts";

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
