/**
 * How the type of a reference follows from that of its object.
 *
 * @module
 */

import type { AnyKwargs } from "../../values/kwargs.ts";
import type { ByReference } from "./marks.ts";
import type { RemoteReference } from "./remote_reference.ts";

/** An object of which nothing is known: any method, `unknown` arguments and results. */
export interface Untyped {
  /** Any method. */
  [method: `remote_${string}`]: (...args: unknown[]) => unknown;
}

type Prefix = "remote_" | "perspective_" | "view_";

/** The names under which peers reach the methods of `T`: `remote_add`, `perspective_add` and `view_add` are `add`. */
export type RemoteMethodName<T> = keyof T extends infer K ? K extends `${Prefix}${infer Name}` ? Name : never
  : never;

/** The method of `T` that peers call so. */
export type MethodOf<T, Name extends string> = T extends { [K in `remote_${Name}`]: infer M } ? M
  : T extends { [K in `perspective_${Name}`]: infer M } ? M
  : T extends { [K in `view_${Name}`]: (viewer: never, ...args: infer A) => infer R } ? (...args: A) => R
  : never;

/** What the callee's type is for the caller: its objects are references here, and `undefined` arrives as `null`. */
export type Received<T> = T extends void | undefined ? null
  : T extends string | number | bigint | boolean | null | symbol | ArrayBufferView ? T
  : T extends ByReference ? RemoteReference<T>
  : T extends RemoteReference<infer U> ? U | RemoteReference<U>
  : T extends readonly unknown[] ? { [I in keyof T]: Received<T[I]> }
  : T extends Set<infer M> ? Set<Received<M>>
  : T;

/** What the caller may pass where the callee's parameter has the type `T`. */
export type Sendable<T> = T extends
  string | number | bigint | boolean | null | undefined | symbol | ArrayBufferView ? T
  : T extends RemoteReference<infer U> ? U | RemoteReference<U>
  : T extends ByReference ? T | RemoteReference<T>
  : T extends readonly unknown[] ? { [I in keyof T]: Sendable<T[I]> }
  : T;

/** Arguments of a method as the caller passes them; or any beginning of them and then keyword arguments. */
export type RemoteArguments<T, Name extends string> =
  | (MethodOf<T, Name> extends (...args: infer A) => unknown ? { [I in keyof A]: Sendable<A[I]> } : never)
  | readonly [...unknown[], AnyKwargs];

/** The result of a method as the caller gets it. */
export type RemoteResult<T, Name extends string> = MethodOf<T, Name> extends (...args: never[]) => infer R
  ? Received<Awaited<R>>
  : never;

/** An object's methods as a proxy offers them. */
export type RemoteMethods<T> = {
  readonly [Name in RemoteMethodName<T>]: (
    ...args: RemoteArguments<T, Name>
  ) => Promise<RemoteResult<T, Name>>;
};
