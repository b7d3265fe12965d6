/**
 * Constraints made of others.
 *
 * Source: Foolscap `schema.py`, `copyable.py`, `constraint.py`.
 *
 * @module
 */

import type { Dict } from "../../values/dict.ts";
import type { FrozenSet, ValueSet } from "../../values/value_set.ts";
import { AttributeDictRule, type UnknownOptions } from "./attribute_dict.ts";
import { BytesRule, type LengthOptions, type TextOptions, UnicodeConstraint } from "./text.ts";
import { ChoiceRule } from "./choice.ts";
import type { Constraint } from "./constraint.ts";
import { type DictOptions, DictRule, ListRule, type SetOptions, SetRule, TupleRule } from "./collections.ts";
import { constraintOf } from "./make_constraint.ts";
import type { mayBeMissing } from "./marks.ts";
import type { InterfaceRules } from "./method_schema.ts";
import type { AnyReference } from "./provided.ts";
import { ReferenceRule, referenceRule } from "./reference_rules.ts";
import type { ReceivedAs, SentAs, Shortcut } from "./shortcuts.ts";
import { LazyRule, OptionalRule, SharedRule } from "./wrapping.ts";

/**
 * Takes lists: Arrays whose elements all keep one rule.
 *
 * @param element The rule for each element.
 * @param options How many elements. Default: any number.
 * @throws {UnknownSchemaType} If `element` is no constraint.
 * @throws {RangeError} If a length is not a whole number of 0 or more.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * schema.method([["tags", schema.ListOf(String, { maxLength: 10 })]], null);
 * ```
 */
export function ListOf<const S extends Shortcut>(
  element: S,
  options?: LengthOptions,
): Constraint<readonly SentAs<S>[], ReceivedAs<S>[]> {
  return new ListRule(constraintOf(element), options) as Constraint as Constraint<
    readonly SentAs<S>[],
    ReceivedAs<S>[]
  >;
}

/**
 * Takes tuples of as many elements as there are constraints. A plain Array is sent as a tuple too. Short: an array
 * literal, `[Number, String]`.
 *
 * @throws {UnknownSchemaType} If one is no constraint.
 */
export function TupleOf<const S extends readonly Shortcut[]>(
  ...elements: S
): Constraint<SentAs<S>, ReceivedAs<S>> {
  return new TupleRule(elements.map(constraintOf)) as Constraint as Constraint<SentAs<S>, ReceivedAs<S>>;
}

/** A dict with keys of one type, as it arrives: by text, a plain object. */
export type ReceivedDict<K, V> = [K] extends [string] ? Record<string, V>
  : string extends K ? Record<string, V> | Dict<K, V>
  : Dict<K, V>;

/** A dict with keys of one type, as it may be sent. */
export type SentDict<K, V> = string extends K ? Readonly<Record<string, V>> | ReadonlyMap<K, V>
  : ReadonlyMap<K, V>;

/**
 * Takes dicts: plain objects and Maps.
 *
 * @param key The rule for each key.
 * @param value The rule for each value.
 * @param options How many entries. Default: any number.
 * @throws {UnknownSchemaType} If one is no constraint.
 * @throws {RangeError} If `maxKeys` is not a whole number of 0 or more.
 */
export function DictOf<const K extends Shortcut, const V extends Shortcut>(
  key: K,
  value: V,
  options?: DictOptions,
): Constraint<SentDict<SentAs<K>, SentAs<V>>, ReceivedDict<ReceivedAs<K>, ReceivedAs<V>>> {
  return new DictRule(constraintOf(key), constraintOf(value), options) as Constraint as Constraint<
    SentDict<SentAs<K>, SentAs<V>>,
    ReceivedDict<ReceivedAs<K>, ReceivedAs<V>>
  >;
}

/**
 * Takes sets, frozen sets or both.
 *
 * @param member The rule for each member.
 * @param options How many members; which kind.
 * @throws {UnknownSchemaType} If `member` is no constraint.
 * @throws {RangeError} If the length is not a whole number of 0 or more.
 */
export function SetOf<const S extends Shortcut>(
  member: S,
  options?: SetOptions,
): Constraint<ReadonlySet<SentAs<S>>, ValueSet<ReceivedAs<S>> | FrozenSet<ReceivedAs<S>>> {
  return new SetRule(constraintOf(member), options) as Constraint as Constraint<
    ReadonlySet<SentAs<S>>,
    ValueSet<ReceivedAs<S>> | FrozenSet<ReceivedAs<S>>
  >;
}

/**
 * Takes what keeps at least one of several rules; the first one that fits counts, except that a value which one of them
 * sends as it is, is not converted by another. Containers and text may be among them, unlike in Foolscap.
 *
 * @throws {UnknownSchemaType} If one is no constraint.
 */
export function ChoiceOf<const S extends readonly Shortcut[]>(
  ...alternatives: S
): Constraint<SentAs<S[number]>, ReceivedAs<S[number]>> {
  return new ChoiceRule(alternatives.map(constraintOf)) as Constraint as Constraint<
    SentAs<S[number]>,
    ReceivedAs<S[number]>
  >;
}

/**
 * Takes byte strings and text.
 *
 * @param options Lengths, in bytes and in code points; an expression for text.
 * @throws {RangeError} If a length is not a whole number of 0 or more.
 */
export function AnyStringConstraint(
  options: TextOptions = {},
): Constraint<ArrayBufferView | string, Uint8Array | string> {
  return new ChoiceRule([new BytesRule(options), UnicodeConstraint(options)]) as Constraint as Constraint<
    ArrayBufferView | string,
    Uint8Array | string
  >;
}

/** Marks, for the types, what may be left out. */
export interface MayBeMissing<HasDefault extends boolean = boolean> {
  /** Only the types need it: whether something is put in its place. */
  readonly [mayBeMissing]: HasDefault;
}

/**
 * Takes what another constraint takes, in an argument or attribute that may be left out.
 *
 * @param shortcut The rule for the value where it is given.
 * @param otherwise What the receiver gets where it was left out: always this same object. Without it the method gets
 * `undefined`, so that JavaScript's own default applies. Python takes a default and does not use it.
 * @throws {UnknownSchemaType} If it is no constraint.
 */
export function Optional<const S extends Shortcut>(
  shortcut: S,
): Constraint<SentAs<S>, ReceivedAs<S>> & MayBeMissing<false>;
/** The same with a default. */
export function Optional<const S extends Shortcut>(
  shortcut: S,
  otherwise: ReceivedAs<S>,
): Constraint<SentAs<S>, ReceivedAs<S>> & MayBeMissing<true>;
export function Optional(shortcut: unknown, ...rest: readonly unknown[]): Constraint & MayBeMissing<never> {
  const otherwise = rest.length > 0 ? { value: rest[0] } : undefined;
  return new OptionalRule(constraintOf(shortcut), otherwise) as Constraint as
    & Constraint
    & MayBeMissing<never>;
}

/**
 * Takes what another constraint takes. As in Foolscap, it says that the object may occur several times in one message,
 * and has no effect: every object may.
 *
 * @param refLimit How many times; not looked at.
 * @throws {UnknownSchemaType} If it is no constraint.
 */
export function Shared<const S extends Shortcut>(
  shortcut: S,
  refLimit?: number,
): Constraint<SentAs<S>, ReceivedAs<S>> {
  void refLimit;
  return new SharedRule(constraintOf(shortcut)) as Constraint as Constraint<SentAs<S>, ReceivedAs<S>>;
}

/**
 * A constraint that is made when it is first needed, so that one can be a part of itself.
 *
 * @param make Gives the constraint, or what stands for one. Called once.
 * @returns Using it throws an UnknownSchemaType if `make` gives no constraint, and a TypeError if it is nothing but
 * itself.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * type Tree = readonly Tree[];
 * const tree: schema.Constraint<Tree, Tree> = schema.ListOf(schema.lazy(() => tree));
 * void tree;
 * ```
 */
export function lazy<In, Out>(make: () => Constraint<In, Out>): Constraint<In, Out> {
  return new LazyRule(() => constraintOf(make())) as Constraint as Constraint<In, Out>;
}

/** An attribute: its name and the rule for its value. */
export type AttributeDeclaration = readonly [name: string, constraint: Shortcut];

/** What an {@linkcode AttributeDictConstraint} is asked about attributes, besides what every constraint is. */
export interface AttributeRules {
  /**
   * The rule for an attribute whose name has come; `undefined` if any value will do.
   *
   * @throws {Violation} If there is no such attribute.
   */
  attribute(name: string): Constraint | undefined;
  /**
   * Checks all attributes of an object, by default those that have come.
   *
   * @returns The state that goes on: without what is ignored, with the defaults of what was left out.
   * @throws {Violation} If an attribute breaks its rule, is unknown, or is missing.
   */
  checkState(state: Record<string, unknown>, direction?: "inbound" | "outbound"): Record<string, unknown>;
}

/** What is known of an AttributeDictConstraint. */
export interface AttributeDictOptions extends UnknownOptions {
  /** More attributes, by name. */
  readonly attributes?: Readonly<Record<string, Shortcut>> | undefined;
}

/** The values of attributes, by name, as they may be sent. */
export type SentAttributes<A extends readonly AttributeDeclaration[]> =
  & { readonly [P in A[number] as P[1] extends MayBeMissing ? never : P[0]]: SentAs<P[1]> }
  & { readonly [P in A[number] as P[1] extends MayBeMissing ? P[0] : never]?: SentAs<P[1]> | undefined };

/** The values of attributes, by name, as they arrive. */
export type ReceivedAttributes<A extends readonly AttributeDeclaration[]> =
  & { [P in A[number] as P[1] extends MayBeMissing<false> ? never : P[0]]: ReceivedAs<P[1]> }
  & { [P in A[number] as P[1] extends MayBeMissing<false> ? P[0] : never]?: ReceivedAs<P[1]> };

/**
 * Takes values by name, each with a rule of its own: the `stateSchema` of a Copyable, or a dict with known keys.
 *
 * @param attributes Pairs of a name and a constraint, and options as the last argument: `ignoreUnknown` drops what is
 * not declared, `acceptUnknown` takes it, `attributes` are more of them by name.
 * @throws {UnknownSchemaType} If one is no constraint.
 * @throws {TypeError} If a name is empty or there twice.
 *
 * @example
 * ```ts
 * import { schema } from "../../../mod.ts";
 *
 * const point = schema.AttributeDictConstraint(["x", Number], ["y", Number], ["label", schema.Optional(String, "")]);
 * void point;
 * ```
 */
export function AttributeDictConstraint<const A extends readonly AttributeDeclaration[]>(
  ...attributes: A
): Constraint<SentAttributes<A>, ReceivedAttributes<A>> & AttributeRules;
/** The same with options. */
export function AttributeDictConstraint<const A extends readonly AttributeDeclaration[]>(
  ...attributes: readonly [...A, AttributeDictOptions]
):
  & Constraint<SentAttributes<A> & Record<string, unknown>, ReceivedAttributes<A> & Record<string, unknown>>
  & AttributeRules;
export function AttributeDictConstraint(
  ...given: readonly unknown[]
): Constraint<never, never> & AttributeRules {
  const last = given.at(-1);
  const hasOptions = typeof last === "object" && last !== null && !Array.isArray(last);
  const options: AttributeDictOptions = hasOptions ? last : {};
  const pairs = (hasOptions ? given.slice(0, -1) : given) as readonly AttributeDeclaration[];
  const all = [...pairs, ...Object.entries(options.attributes ?? {})];
  return new AttributeDictRule(
    all.map(([name, shortcut]) => [name, constraintOf(shortcut)] as const),
    UnicodeConstraint(),
    options,
  ) as AttributeDictRule<never, never>;
}

/**
 * Takes references to objects that provide a RemoteInterface or one that extends it: Referenceables and references to
 * those of others. Short: the RemoteInterface itself, or the class `Referenceable` for objects of any kind.
 *
 * @param wanted The RemoteInterface; `null` for any object.
 */
export function RemoteInterfaceConstraint(wanted: null): Constraint<AnyReference, AnyReference>;
/** The same for one RemoteInterface. */
export function RemoteInterfaceConstraint<I extends InterfaceRules & Shortcut>(
  wanted: I,
): Constraint<SentAs<I>, ReceivedAs<I>>;
export function RemoteInterfaceConstraint(wanted: InterfaceRules | null): Constraint<never, never> {
  return (wanted === null ? referenceRule() : new ReferenceRule("object", wanted)) as Constraint<
    never,
    never
  >;
}
