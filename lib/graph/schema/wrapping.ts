/**
 * Constraints around one other.
 *
 * Source: Foolscap `constraint.py`, `Optional` and `Shared`. Recursive constraints are made there by changing an
 * existing one.
 *
 * @module
 */

import type { Checking, Refused } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { NOTHING } from "./tasters.ts";

/** A constraint that asks another one. */
export abstract class WrappingRule extends Constraint {
  protected override readonly taster = NOTHING; // never asked: the other one's is

  /** The constraint that is asked. */
  abstract readonly inner: Constraint;

  override accepts(type: number, size: number): boolean {
    return this.inner.accepts(type, size);
  }
  override checkToken(type: number, size: number): void {
    this.inner.checkToken(type, size);
  }
  override within(word: string, detail: string | undefined): Contents | undefined | Refused {
    return this.inner.within(word, detail);
  }
  override fits(value: unknown): boolean {
    return this.inner.fits(value);
  }
  override check(value: unknown, checking: Checking): unknown {
    return this.inner.check(value, checking);
  }
}

/** What is put where an optional value was left out. */
export interface Default {
  readonly value: unknown;
}

/** A value that may be left out. */
export class OptionalRule extends WrappingRule {
  override readonly name = "Optional";

  /** A rule for the value where it is given. */
  constructor(readonly inner: Constraint, readonly otherwise?: Default | undefined) {
    super();
  }
}

/** A value that may occur several times. */
export class SharedRule extends WrappingRule {
  override readonly name = "Shared";

  /** The rule for the value. */
  constructor(readonly inner: Constraint) {
    super();
  }
}

/** A constraint that is made when it is first needed. */
export class LazyRule extends WrappingRule {
  readonly #make: () => Constraint;
  #inner: Constraint | undefined;

  /** What makes it. */
  constructor(make: () => Constraint) {
    super();
    this.#make = make;
  }

  override get name(): string {
    return this.inner.name;
  }

  /** @throws {TypeError} If it is itself. */
  override get inner(): Constraint {
    if (this.#inner !== undefined) return this.#inner;
    const seen = new Set<Constraint>([this]);
    let inner = this.#make();
    while (inner instanceof LazyRule) {
      if (seen.has(inner)) throw new TypeError("Cannot make a constraint: a lazy one is nothing but itself");
      seen.add(inner);
      inner = inner.#inner ?? inner.#make();
    }
    return this.#inner = inner;
  }
}
