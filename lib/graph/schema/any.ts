/**
 * The constraint that takes everything. Source: Foolscap `constraint.py`, `Any`.
 *
 * @module
 */

import { Constraint, type Contents } from "./constraint.ts";
import { EVERYTHING } from "./tasters.ts";

class AnyRule extends Constraint {
  override readonly name = "Any";
  protected override readonly taster = EVERYTHING;

  override within(): Contents | undefined {
    return undefined;
  }
  override check(value: unknown): unknown {
    return value;
  }
}

/** The one that there is: it has no state. */
const ANY = new AnyRule();

/**
 * Takes every value. Unlike in Foolscap, integers are limited by the Tub alone, not to 1,000 bytes.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * schema.method([["value", schema.Any()]], schema.Any());
 * ```
 */
export function Any(): Constraint {
  return ANY;
}
