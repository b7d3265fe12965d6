/**
 * Constraints and method schemas, as the public namespace `schema`: the one file of the library that only gathers names,
 * because a namespace has to be a module. It stands in this layer, since an interface's types name references.
 *
 * @module
 */

export { Any } from "../graph/schema/scalars.ts";
export { ByteStringConstraint, StringConstraint } from "../graph/schema/text.ts";
export type { LengthOptions } from "../graph/schema/text.ts";
export { BooleanConstraint, Nothing } from "../graph/schema/scalars.ts";
export { checkValue, Constraint } from "../graph/schema/constraint.ts";
export type { Contents, Taster, Typed } from "../graph/schema/constraint.ts";
export { Checking, REFUSED } from "../graph/schema/checking.ts";
export type { Refused } from "../graph/schema/checking.ts";
export {
  AnyStringConstraint,
  AttributeDictConstraint,
  ChoiceOf,
  DictOf,
  lazy,
  ListOf,
  Optional,
  RemoteInterfaceConstraint,
  SetOf,
  Shared,
  TupleOf,
} from "../graph/schema/containers.ts";
export type {
  AttributeDeclaration,
  AttributeDictOptions,
  AttributeRules,
  MayBeMissing,
  ReceivedAttributes,
  ReceivedDict,
  SentAttributes,
  SentDict,
} from "../graph/schema/containers.ts";
export type { UnknownOptions } from "../graph/schema/attribute_dict.ts";
export type { CopyableClass } from "../graph/schema/reference_rules.ts";
export { DecimalConstraint as Decimal } from "../graph/schema/scalars.ts";
export type { DecimalOptions } from "../graph/schema/scalars.ts";
export type { DictOptions } from "../graph/schema/collections.ts";
export { FailureConstraint } from "../graph/schema/attribute_dict.ts";
export { makeConstraint } from "../graph/schema/make_constraint.ts";
export { method, RemoteMethodSchema } from "../graph/schema/method.ts";
export type { ArgumentDeclaration, MethodOptions } from "../graph/schema/method.ts";
export type { InterfaceRules, Keywords, MethodRules } from "../graph/schema/method_schema.ts";
export { FloatConstraint as Float, IntegerConstraint, NumberConstraint } from "../graph/schema/scalars.ts";
export type { IntegerOptions, NumberOptions } from "../graph/schema/scalars.ts";
export type { AnyFunction, AnyReference } from "../graph/schema/provided.ts";
export { LocalInterfaceConstraint } from "../graph/schema/reference_rules.ts";
export type { SetOptions } from "../graph/schema/collections.ts";
export type {
  ReceivedAs,
  ReceivedTuple,
  ReferenceClass,
  SentAs,
  SentTuple,
  Shortcut,
} from "../graph/schema/shortcuts.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "../graph/schema/standard_schema.ts";
export { UnicodeConstraint } from "../graph/schema/text.ts";
export type { TextOptions } from "../graph/schema/text.ts";
export { UnconstrainedMethod } from "../graph/schema/method.ts";
export type { InterfaceOf } from "./remote_interface.ts";
