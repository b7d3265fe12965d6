/**
 * References, by the RemoteInterface of the object behind them.
 *
 * Source: Foolscap `remoteinterface.py`, `RemoteInterfaceConstraint` and `LocalInterfaceConstraint`. Unlike there, an
 * object that comes home is taken, and one whose interface extends the one that is asked for.
 *
 * @module
 */

import { Violation } from "../../errors.ts";
import type { Checking } from "./checking.ts";
import { Constraint, type Contents } from "./constraint.ts";
import { findRemoteInterface } from "./interface_table.ts";
import { kindOf } from "./kind_of.ts";
import type { InterfaceRules } from "./method_schema.ts";
import { type AnyFunction, type AnyReference, type Provided, providedBy } from "./provided.ts";
import { NOTHING, OPENS } from "./tasters.ts";

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

  override inside(word: string, detail: string | undefined): Contents | undefined {
    return WORDS.has(word) ? undefined : super.inside(word, detail);
  }
  override fits(value: unknown): boolean {
    const provided = providedBy(value);
    return provided !== undefined && (provided.isFunction === true) === (this.#kind === "function");
  }
  override check(value: unknown, { direction }: Checking): unknown {
    const provided = providedBy(value);
    if (provided === undefined) {
      throw new Violation(
        direction === "outbound" ? `${kindOf(value)} is not a Referenceable` : this.#lacks(
          value,
          ", and doesn't even look like a RemoteReference",
        ),
      );
    }
    const isFunction = provided.isFunction === true;
    if (isFunction !== (this.#kind === "function")) {
      throw new Violation(`a ${isFunction ? "function" : "Referenceable"} is not a ${this.#kind}`);
    }
    if (this.#wanted !== undefined && !provides(provided, this.#wanted)) {
      throw new Violation(this.#lacks(value, ""));
    }
    return value;
  }

  #lacks(value: unknown, more: string): string {
    return `${kindOf(value)} does not provide RemoteInterface ${this.#wanted?.name ?? "of any kind"}${more}`;
  }
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
  override check(value: unknown): unknown {
    if (value instanceof this.#wanted) return value;
    throw new Violation(`${kindOf(value)} does not provide interface ${this.#wanted.name}`);
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
