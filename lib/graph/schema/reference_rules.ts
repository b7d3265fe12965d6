/**
 * Constraints for references, by the RemoteInterface of the object behind them, and for copies, by their class.
 *
 * Source: Foolscap `remoteinterface.py`, `RemoteInterfaceConstraint` and `LocalInterfaceConstraint`. Unlike there, an
 * object that comes home is taken, and one whose interface extends the one that is asked for.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import { standInFor } from "../adapters.ts";
import { findCopyType } from "../copy_types.ts";
import { type Checking, kindOf, REFUSED, type Refused } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import type { InterfaceRules } from "./method_schema.ts";
import {
  type AnyFunction,
  type AnyReference,
  findRemoteInterface,
  type Provided,
  providedBy,
} from "./provided.ts";
import { NOTHING, OPENS } from "./tasters.ts";

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

const WORDS: ReadonlySet<string> = new Set(["my-reference", "their-reference", "your-reference"]);

/** References to objects, or to functions. */
export class ReferenceRule extends Constraint {
  override readonly name = "RemoteInterfaceConstraint";
  protected override readonly taster = OPENS;
  readonly #kind: "object" | "function";
  readonly #wanted: InterfaceRules | undefined;

  /** What they refer to, and the RemoteInterface that it must provide. */
  constructor(kind: "object" | "function", wanted?: InterfaceRules) {
    super();
    this.#kind = kind;
    this.#wanted = wanted;
  }

  override within(word: string): Contents | undefined | Refused {
    return WORDS.has(word) ? undefined : REFUSED;
  }
  override fits(value: unknown): boolean {
    try {
      const provided = providedByAny(value);
      return provided !== undefined && (provided.isFunction === true) === (this.#kind === "function");
    } catch {
      return true; // code of the program's failed: the check says so
    }
  }
  override check(value: unknown, checking: Checking): unknown {
    let provided: Provided | undefined;
    let isFit = false;
    try {
      provided = providedByAny(value);
      isFit = provided !== undefined && (this.#wanted === undefined || provides(provided, this.#wanted));
    } catch (cause) {
      // Code of the program's: what the object says of itself.
      throw new Violation(`${kindOf(value)} cannot say which RemoteInterface it provides`, { cause });
    }
    if (provided === undefined) {
      return checking.refuse(() =>
        checking.direction === "outbound" ? `${kindOf(value)} is not a Referenceable` : this.#lacks(
          value,
          ", and doesn't even look like a RemoteReference",
        )
      );
    }
    const isFunction = provided.isFunction === true;
    if (isFunction !== (this.#kind === "function")) {
      return checking.refuse(`a ${isFunction ? "function" : "Referenceable"} is not a ${this.#kind}`);
    }
    return isFit ? value : checking.refuse(() => this.#lacks(value, ""));
  }

  #lacks(value: unknown, more: string): string {
    return `${kindOf(value)} does not provide RemoteInterface ${this.#wanted?.name ?? "of any kind"}${more}`;
  }
}

/** What a value provides, or what travels in its place: see `registerRemotelyCallable`. */
function providedByAny(value: unknown): Provided | undefined {
  return providedBy(value) ??
    (typeof value === "object" && value !== null ? providedBy(standInFor(value)) : undefined);
}

function provides({ rules, interfaceName }: Provided, wanted: InterfaceRules): boolean {
  const name = rules?.name ?? interfaceName;
  if (name === undefined || name === "") return false;
  if (name === wanted.name) return true;
  const known = rules ?? findRemoteInterface(name);
  return known !== undefined && extendsOther(known, wanted);
}

function extendsOther(rules: InterfaceRules, wanted: InterfaceRules): boolean {
  return rules.name === wanted.name || (rules.bases ?? []).some((base) => extendsOther(base, wanted));
}

class LocalInterfaceRule extends Constraint {
  override readonly name = "LocalInterfaceConstraint";
  protected override readonly taster = NOTHING;
  readonly #wanted: abstract new (...args: never[]) => object;

  constructor(wanted: abstract new (...args: never[]) => object) {
    super();
    this.#wanted = wanted;
  }

  override fits(value: unknown): boolean {
    return value instanceof this.#wanted;
  }
  override check(value: unknown, checking: Checking): unknown {
    if (value instanceof this.#wanted) return value;
    return checking.refuse(() => `${kindOf(value)} does not provide interface ${this.#wanted.name}`);
  }
}

/** What {@linkcode RemoteInterfaceConstraint} takes for any object. */
export function referenceRule(): Constraint<AnyReference, AnyReference> {
  return new ReferenceRule("object") as Constraint as Constraint<AnyReference, AnyReference>;
}

/** Takes functions that travel by reference. */
export function functionRule(): Constraint<AnyFunction, AnyFunction> {
  return new ReferenceRule("function") as Constraint as Constraint<AnyFunction, AnyFunction>;
}

/**
 * Takes instances of a class of this process, before they are sent. Nothing that comes from a peer can be one: a value
 * of this constraint in an inbound message is always refused. Foolscap: an interface of zope; here a class.
 *
 * @param wanted The class.
 */
export function LocalInterfaceConstraint<T extends object>(
  wanted: abstract new (...args: never[]) => T,
): Constraint<T, never> {
  return new LocalInterfaceRule(wanted) as Constraint as Constraint<T, never>;
}
