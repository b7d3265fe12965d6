/**
 * What may be written where a constraint is expected, and what it means for the types.
 *
 * @module
 */

import type { Decimal } from "../../values/decimal.ts";
import type { Float } from "../../values/float.ts";
import type { TupleOf } from "../../values/tuple.ts";
import type { Typed } from "./constraint.ts";
import type { CopyableClass } from "./reference_rules.ts";
import type { AnyFunction, AnyReference, anyReference } from "./provided.ts";
import type { StandardSchema } from "./standard_schema.ts";

/** A class that stands for any reference: `Referenceable`, or for any function: `Callable`. */
export interface ReferenceClass<Kind extends "object" | "function" = "object" | "function"> {
  /** What it stands for. */
  readonly [anyReference]: Kind;
}

/**
 * What may be written where a constraint is expected:
 *
 * | written | means |
 * | --- | --- |
 * | a constraint, a RemoteInterface | itself, a reference to an object that provides it |
 * | `String` | any text |
 * | `Uint8Array` | any byte string |
 * | `BigInt` | an integer of up to 1,024 bytes |
 * | `Number` | a number of any type, which arrives as a `number` |
 * | `Boolean` | a boolean |
 * | `null` | `null`, Python's `None` |
 * | `Decimal` | any `Decimal` |
 * | an array of these | a tuple |
 * | `Referenceable`, `Callable` | a reference to any object, to any function |
 * | a class with a copytype | an instance of it |
 * | a Standard Schema (zod, valibot, arktype, ...) | what it takes |
 */
export type Shortcut =
  | Typed
  | StringConstructor
  | Uint8ArrayConstructor
  | BigIntConstructor
  | NumberConstructor
  | BooleanConstructor
  | typeof Decimal
  | null
  | readonly Shortcut[]
  | ReferenceClass
  | CopyableClass
  | StandardSchema;

/** What may be sent where this is written. */
export type SentAs<S> = S extends null ? null | undefined
  : S extends Typed<infer In, unknown> ? In
  : S extends StringConstructor ? string
  : S extends Uint8ArrayConstructor ? ArrayBufferView
  : S extends BigIntConstructor ? number | bigint
  : S extends NumberConstructor ? number | bigint | Float
  : S extends BooleanConstructor ? boolean
  : S extends typeof Decimal ? Decimal
  : S extends StandardSchema<infer In, unknown> ? In
  : S extends readonly unknown[] ? readonly Shortcut[] extends S ? readonly unknown[] : SentTuple<S>
  : S extends ReferenceClass<infer Kind> ? Kind extends "object" ? AnyReference : AnyFunction
  : S extends CopyableClass<infer T> ? T
  : never;

/** What arrives where this is written. */
export type ReceivedAs<S> = S extends null ? null
  : S extends Typed<unknown, infer Out> ? Out
  : S extends StringConstructor ? string
  : S extends Uint8ArrayConstructor ? Uint8Array
  : S extends BigIntConstructor ? number | bigint
  : S extends NumberConstructor ? number
  : S extends BooleanConstructor ? boolean
  : S extends typeof Decimal ? Decimal
  : S extends StandardSchema<unknown, infer Out> ? Out
  : S extends readonly unknown[]
    ? readonly Shortcut[] extends S ? TupleOf<unknown[]> : TupleOf<ReceivedTuple<S>>
  : S extends ReferenceClass<infer Kind> ? Kind extends "object" ? AnyReference : AnyFunction
  : S extends CopyableClass<infer T> ? T
  : never;

/** A tuple as it may be sent: a plain Array will do. */
export type SentTuple<S extends readonly unknown[]> = { readonly [I in keyof S]: SentAs<S[I]> };

/** The elements of a tuple as they arrive. */
export type ReceivedTuple<S extends readonly unknown[]> = { -readonly [I in keyof S]: ReceivedAs<S[I]> };
