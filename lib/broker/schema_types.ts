/**
 * From the declaration of a RemoteInterface to the types of both of its sides: the methods of the object, and what a
 * caller passes and gets.
 *
 * @module
 */

import type { MayBeMissing } from "../graph/schema/containers.ts";
import type { PromisedValue, Typed } from "../graph/schema/constraint.ts";
import type { MethodTypes, Unconstrained } from "../graph/schema/method.ts";
import type { InterfaceRules, MethodRules } from "../graph/schema/method_schema.ts";
import type { AnyFunction, AnyReference } from "../graph/schema/provided.ts";
import type { ReceivedAs, SentAs } from "../graph/schema/shortcuts.ts";
import type { AnyKwargs, Kwargs } from "../values/kwargs.ts";

/** Only the types need it: the methods that an interface declares. */
export declare const declared: unique symbol;

/** What knows the declaration of its methods. */
export interface Declared<M> {
  /** Only the types need it. */
  readonly [declared]?: M;
}

/** What arrives where a constraint is declared. `R` and `F` are references of unknown objects and functions. */
export type Arriving<S, R, F> = AsReference<ReceivedAs<S>, R, F>;

/** References to anything by their class; and so in arrays. */
export type AsReference<T, R, F> = T extends AnyReference ? [AnyReference] extends [T] ? R : T
  : T extends AnyFunction ? [AnyFunction] extends [T] ? F : T
  : T extends readonly AnyReference[] ? [AnyReference[]] extends [T] ? R[] : T
  : T;

// Arguments are taken apart by `infer` without a constraint: for each of them the compiler would otherwise compare what is
// declared with all that can stand for a constraint, which made up most of the time that a large interface took.

/** The arguments as the method gets them. */
export type MethodArguments<A, R, F> = A extends readonly [readonly [string, infer S], ...infer Rest]
  ? [S] extends [MayBeMissing<false>]
    ? [argument?: Arriving<S, R, F> | undefined, ...MethodArguments<Rest, R, F>]
  : [argument: Arriving<S, R, F>, ...MethodArguments<Rest, R, F>]
  : [];

/** What a caller passes where a constraint is declared: a value, or the promise of one. */
export type Passed<S> = SentAs<S> | PromisedValue<SentAs<S>>;

/** The arguments as a caller passes them by position. */
export type PositionalArguments<A> = A extends readonly [readonly [string, infer S], ...infer Rest]
  ? [S] extends [MayBeMissing] ? [argument?: Passed<S> | undefined, ...PositionalArguments<Rest>]
  : [argument: Passed<S>, ...PositionalArguments<Rest>]
  : [];

/** Arguments by name. */
export type NamedArguments<A extends readonly unknown[]> =
  & { readonly [P in A[number] as P extends readonly [string, MayBeMissing] ? never : NameOf<P>]: ValueOf<P> }
  & {
    readonly [P in A[number] as P extends readonly [string, MayBeMissing] ? NameOf<P> : never]?:
      | ValueOf<P>
      | undefined;
  };

/** The name of a declared argument. */
export type NameOf<P> = P extends readonly [infer N extends string, unknown] ? N : never;

/** What may be sent for a declared argument. */
export type ValueOf<P> = P extends readonly [string, infer S] ? Passed<S> : never;

/** Some arguments by position and the others by name. */
export type MixedArguments<A, Before extends readonly unknown[] = []> =
  | (A extends readonly unknown[] ? readonly [...Before, Kwargs<NamedArguments<A>>] : never)
  | (A extends readonly [readonly [string, infer S], ...infer Rest]
    ? MixedArguments<Rest, [...Before, Passed<S>]>
    : never);

/** The arguments of a declared method as a caller passes them. */
export type DeclaredArguments<T> = T extends MethodTypes<infer A, unknown, infer O>
  ? O extends { readonly acceptUnknown: true } | { readonly ignoreUnknown: true }
    ? readonly [...PositionalArguments<A>] | readonly [...unknown[], AnyKwargs]
  : readonly [...PositionalArguments<A>] | MixedArguments<A>
  : unknown[];

/** The result of a declared method as a caller gets it. `R` and `F` are references of unknown objects and functions. */
export type DeclaredResult<T, R, F> = T extends MethodTypes<unknown, infer S, unknown>
  ? S extends undefined ? unknown : Arriving<S, R, F>
  : unknown;

/** A result as the method gives it: what is declared as `null` need not be returned. */
export type MethodResult<S> = S extends undefined ? unknown
  : S extends null ? null | undefined | void
  : SentAs<S>;

/** A method of the object. */
export type DeclaredMethod<T, R, F> = T extends MethodTypes<infer A, infer S, infer O> ? (
    ...args: O extends { readonly acceptUnknown: true }
      ? [...MethodArguments<A, R, F>, unknown?: Kwargs | undefined]
      : MethodArguments<A, R, F>
  ) => MethodResult<S> | PromiseLike<MethodResult<S>>
  : (...args: never[]) => unknown;

/** The methods of the object. */
export type DeclaredMethods<M, R, F> = {
  [Name in keyof M & string as `remote_${Name}`]: DeclaredMethod<M[Name], R, F>;
};

/** Rules of methods by name. */
export type Declarations = Readonly<Record<string, MethodRules | Unconstrained>>;

/** What is declared by all of several interfaces together. */
export type DeclaredByAll<B extends readonly unknown[]> = B extends readonly [infer First, ...infer Rest]
  ? (First extends Declared<infer M> ? NonNullable<M> : unknown) & DeclaredByAll<Rest>
  : unknown;

/** What an interface declares, with what it has from those that it extends and does not declare anew. */
export type Inherited<M, B extends readonly unknown[]> = B extends readonly [] ? M
  : M & Omit<DeclaredByAll<B>, keyof M>;

/** An interface as a constraint: what may be passed, and what arrives. */
export interface InterfaceTypes<M, In, Out> extends InterfaceRules, Typed<In, Out>, Declared<M> {}
