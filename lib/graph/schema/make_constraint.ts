/**
 * From what a program writes to constraints. Source: Foolscap `schema.py`, `adapt_obj_to_iconstraint`.
 *
 * @module
 */

import { Decimal } from "../../values/decimal.ts";
import { BytesRule, UnicodeConstraint } from "./text.ts";
import {
  BooleanConstraint,
  DecimalConstraint,
  IntegerRule,
  Nothing,
  PlainNumberRule,
  SHORTCUT_BYTES,
} from "./scalars.ts";
import { Constraint } from "./constraint.ts";
import {
  CopyableRule,
  functionRule,
  isCopyableClass,
  ReferenceRule,
  referenceRule,
} from "./reference_rules.ts";
import { kindOf } from "./checking.ts";
import type { InterfaceRules } from "./method_schema.ts";
import { anyReference, isInterface } from "./provided.ts";
import type { ReceivedAs, SentAs, Shortcut } from "./shortcuts.ts";
import { isStandardSchema, StandardRule } from "./standard_schema.ts";
import { TupleRule } from "./collections.ts";

/** Something is no constraint, and nothing that stands for one. Foolscap: `UnknownSchemaType`. */
export class UnknownSchemaType extends TypeError {
  /** The name of the class, also where minifying took it. */
  override name = "UnknownSchemaType";
  /** Foolscap's name for it. */
  static readonly wireType = "foolscap.tokens.UnknownSchemaType";
}

/** What stands for one constraint each time. */
const KNOWN: ReadonlyMap<unknown, Constraint> = new Map<unknown, Constraint>([
  [String, UnicodeConstraint()],
  [Uint8Array, new BytesRule()],
  [BigInt, new IntegerRule(SHORTCUT_BYTES)],
  [Number, new PlainNumberRule()],
  [Boolean, BooleanConstraint()],
  [Decimal, DecimalConstraint()],
  [null, Nothing()],
]);

/**
 * The constraint that something stands for. See {@linkcode Shortcut} for what that may be.
 *
 * @throws {UnknownSchemaType} If it stands for none.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * const point = schema.makeConstraint([Number, Number]);
 * void point;
 * ```
 */
export function makeConstraint<const S extends Shortcut>(shortcut: S): Constraint<SentAs<S>, ReceivedAs<S>> {
  return constraintOf(shortcut) as Constraint<SentAs<S>, ReceivedAs<S>>;
}

/** The same without types. */
export function constraintOf(shortcut: unknown): Constraint {
  if (shortcut instanceof Constraint) return shortcut;
  const known = KNOWN.get(shortcut);
  if (known !== undefined) return known;
  if (isRemoteInterface(shortcut)) return new ReferenceRule("object", shortcut);
  if (isStandardSchema(shortcut)) return new StandardRule(shortcut);
  if (Array.isArray(shortcut)) return new TupleRule(shortcut.map(constraintOf));
  if (typeof shortcut === "function" && Object.hasOwn(shortcut, anyReference)) {
    return (shortcut as unknown as { [anyReference]: unknown })[anyReference] === "function"
      ? functionRule()
      : referenceRule();
  }
  if (isCopyableClass(shortcut)) return new CopyableRule(shortcut);
  throw new UnknownSchemaType(`can't make constraint from ${shown(shortcut)}`);
}

/** Whether something is a RemoteInterface. */
export function isRemoteInterface(value: unknown): value is InterfaceRules {
  return typeof value === "object" && value !== null && isInterface in value;
}

function shown(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value === "function") return `the function ${value.name}`;
  return kindOf(value);
}
