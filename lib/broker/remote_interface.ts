/**
 * RemoteInterfaces: what an object's methods take and give, declared once for both sides.
 *
 * Source: Foolscap `remoteinterface.py`.
 *
 * @module
 */

import { addRemoteInterface, findRemoteInterface } from "../graph/schema/provided.ts";
import { isRemoteInterface, UnknownSchemaType } from "../graph/schema/make_constraint.ts";
import type { InterfaceRules } from "../graph/schema/method_schema.ts";
import { RemoteInterfaceRules } from "../graph/schema/remote_interface.ts";
import type { Referenceable } from "./referenceable.ts";
import type { RemoteFunction, RemoteReference } from "./remote_reference.ts";
import type { Declarations, Declared, DeclaredMethods, Inherited, InterfaceTypes } from "./schema_types.ts";

/** An object that provides an interface with these methods. */
export type Implementation<M> =
  & Referenceable
  & DeclaredMethods<M, RemoteReference, RemoteFunction>
  & Declared<M>;

/**
 * A named set of methods with their rules. Made by {@linkcode RemoteInterface}.
 *
 * Where a constraint is expected, it stands for a reference to an object that provides it.
 *
 * @typeParam M The methods.
 */
export interface RemoteInterface<M = Declarations> extends
  InterfaceTypes<
    M,
    Implementation<M> | RemoteReference<Implementation<M>>,
    RemoteReference<Implementation<M>>
  > {
  /** The names of its methods, with those that it has from interfaces it extends. */
  names(): readonly string[];
}

/**
 * The type of an object that provides an interface: for `implements`, for `getReference`, and for references.
 *
 * @typeParam I The type of the interface: `typeof RICalculator`.
 */
export type InterfaceOf<I> = I extends Declared<infer M> ? Implementation<NonNullable<M>> : never;

/** Options of {@linkcode RemoteInterface}. */
export interface RemoteInterfaceOptions<B extends readonly InterfaceRules[] = readonly InterfaceRules[]> {
  /** Interfaces whose methods it has too: an object that provides it provides them. */
  readonly extends?: B;
}

/**
 * Declares a RemoteInterface, and makes it known in this process by its name. A caller finds the rules of an object by the
 * name that comes with a reference to it; the object's side has them from `static remoteInterface` of its class.
 *
 * @param name Its name on the wire, the same on both sides: by custom with a domain of yours in it.
 * @param methods Their rules by name, without `remote_`, made by `schema.method` and `schema.UnconstrainedMethod`.
 * @param options The interfaces that it extends.
 * @throws {InvalidRemoteInterface} If a name cannot be called by a peer, or something is no method or interface.
 * @throws {DuplicateRemoteInterfaceError} If another one of this name is known.
 *
 * @example
 * ```ts
 * import { Referenceable, RemoteInterface, schema } from "../../mod.ts";
 *
 * const RICounter = RemoteInterface("RICounter.example.com", {
 *   add: schema.method([["by", schema.IntegerConstraint()], ["note", schema.Optional(String)]], Number),
 * });
 * type RICounter = schema.InterfaceOf<typeof RICounter>;
 *
 * class Counter extends Referenceable implements RICounter {
 *   static override remoteInterface = RICounter;
 *   #count = 0;
 *   remote_add(by: number, _note?: string): number {
 *     return this.#count += by;
 *   }
 * }
 * new Counter();
 * ```
 */
export function RemoteInterface<
  const M extends Declarations,
  const B extends readonly InterfaceRules[] = readonly [],
>(name: string, methods: M, options: RemoteInterfaceOptions<B> = {}): RemoteInterface<Inherited<M, B>> {
  const rules: InterfaceRules = new RemoteInterfaceRules(name, methods, options.extends ?? []);
  return rules as RemoteInterface<Inherited<M, B>>;
}

/** The RemoteInterface that is known by a name; `undefined` if there is none. Foolscap: the same. */
export function getRemoteInterfaceByName(name: string): InterfaceRules | undefined {
  return findRemoteInterface(name);
}

/**
 * Makes a RemoteInterface known by another name as well. Foolscap: the same.
 *
 * @throws {DuplicateRemoteInterfaceError} If another one has the name.
 * @throws {UnknownSchemaType} If it is no RemoteInterface.
 */
export function registerRemoteInterface(iface: InterfaceRules, name: string = iface.name): void {
  if (!isRemoteInterface(iface)) throw new UnknownSchemaType("Cannot register a RemoteInterface: it is none");
  addRemoteInterface(iface, name);
}
