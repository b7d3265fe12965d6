/**
 * Objects that travel by value, by their class. Foolscap has no such constraint.
 *
 * @module
 */

import { findCopyType } from "../copy_types.ts";
import { type Checking, REFUSED, type Refused } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { kindOf } from "./kind_of.ts";
import { OPENS } from "./tasters.ts";

/** A class whose instances travel by value under a name of their own. */
export interface CopyableClass<T extends object = object> {
  /** Only the type of its instances is needed. */
  new (...args: never[]): T;
  /** The name of the type on the wire. */
  readonly copytype: string;
}

/** Whether something is a class with a copytype. */
export function isCopyableClass(value: unknown): value is CopyableClass {
  return typeof value === "function" && "copytype" in value && typeof value.copytype === "string" &&
    value.copytype !== "";
}

/** Instances of a class and of what derives from it. */
export class CopyableRule extends Constraint {
  override readonly name: string;
  protected override readonly taster = OPENS;
  readonly #wanted: CopyableClass;

  /** The class. */
  constructor(wanted: CopyableClass) {
    super();
    this.#wanted = wanted;
    this.name = wanted.name;
  }

  override within(word: string, detail: string | undefined): Contents | undefined | Refused {
    return word === "copyable" && detail !== undefined && this.#takes(detail) ? undefined : REFUSED;
  }
  override fits(value: unknown): boolean {
    return value instanceof this.#wanted;
  }
  override check(value: unknown, checking: Checking): unknown {
    if (value instanceof this.#wanted) return value;
    return checking.refuse(() => `${kindOf(value)} is not an instance of ${this.name}`);
  }

  #takes(copytype: string): boolean {
    if (copytype === this.#wanted.copytype) return true;
    const type = findCopyType(copytype);
    return type?.kind === "class" &&
      (type.construct === this.#wanted || type.construct.prototype instanceof this.#wanted);
  }
}
