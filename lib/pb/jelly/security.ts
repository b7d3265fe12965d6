/**
 * What may be read of what a peer sends: the forms, modules and classes that this side has declared, and which class, function
 * or factory reads what has a given tag.
 *
 * Source: Twisted `jelly.py`, `SecurityOptions`, `setUnjellyableForClass` and its kin; `flavors.py`.
 *
 * @module
 */

import type { Expression } from "../banana/expression.ts";
import type { Unjellying } from "./invoker.ts";

/** A class that can be made an object of. */
export type PlainClass = abstract new (...args: never[]) => object;

/** Forms that are allowed from the start. */
const ALWAYS =
  "None bool boolean string str int float datetime time date timedelta NoneType unicode decimal set frozenset"
    .split(" ");
/** Containers and what goes with them. */
const BASIC = "dictionary list tuple reference dereference unpersistable persistent long_int long dict".split(
  " ",
);

/**
 * What one connection, or many, may unjelly. Whatever is not declared here is an {@linkcode InsecureJelly}, which
 * fails one call; nothing is ever found by its name alone.
 *
 * A tag passes the first gate if it is allowed here, or has a dot in it; then a class must be registered for it
 * ({@linkcode setUnjellyableForClass}), or it must be the name of a class of {@linkcode SecurityOptions.allowInstancesOf}.
 * The forms of references (`remote`, `local`, `cached`, `lcache`) always pass on a connection; with Twisted they have to be
 * allowed one by one.
 *
 * A new one has the simplest forms only: see {@linkcode SecurityOptions.allowBasicTypes}.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Order {
 *   declare item: string;
 * }
 * const security = new pb.SecurityOptions();
 * security.allowInstancesOf({ "shop.Order": Order });
 *
 * const order = new Order();
 * order.item = "tea";
 * const read = pb.unjelly(pb.jelly(order, { security }), { security });
 * assert.ok(read instanceof Order);
 * assert.throws(() => pb.unjelly(pb.jelly(order, { security })), pb.InsecureJelly);
 * ```
 */
export class SecurityOptions {
  readonly #types = new Set<string>(ALWAYS);
  readonly #modules = new Set<string>();
  readonly #classes = new Map<string, PlainClass>();
  readonly #names = new Map<PlainClass, string>();

  /** Allows lists, tuples, dictionaries, references within a value, and what a peer could not send. */
  allowBasicTypes(): this {
    return this.allowTypes(...BASIC);
  }

  /** Allows forms by their tags. One with a dot needs no permission. */
  allowTypes(...tags: string[]): this {
    for (const tag of tags) this.#types.add(tag);
    return this;
  }

  /** Allows modules by their names: what comes before the last dot of a class's name. */
  allowModules(...modules: string[]): this {
    for (const module of modules) this.#modules.add(module);
    return this;
  }

  /**
   * Allows plain objects of classes, in both directions, by the names that they have on the wire; and the classes
   * themselves, as values; and the basic types.
   *
   * The state of one is what its `getStateToCopy()` returns, or its own enumerable properties. One that arrives is made by
   * the constructor without arguments, and given its state by `setCopyableState(state)`, or property by property.
   *
   * @param classes By name, such as `{ "shop.Order": Order }`.
   * @throws {TypeError} If a name has no module, or is given to two classes.
   */
  allowInstancesOf(classes: Readonly<Record<string, PlainClass>>): this {
    this.allowBasicTypes();
    this.allowTypes("instance", "class", "classobj", "module");
    for (const [name, allowed] of Object.entries(classes)) {
      const dot = name.lastIndexOf(".");
      if (dot <= 0) {
        throw new TypeError(
          `Cannot allow instances of "${name}": a name with its module is needed, such as "shop.Order"`,
        );
      }
      const other = this.#classes.get(name);
      if (other !== undefined && other !== allowed) {
        throw new TypeError(`Cannot allow instances of "${name}": another class has that name already`);
      }
      this.allowTypes(name);
      this.allowModules(name.slice(0, dot));
      this.#classes.set(name, allowed);
      this.#names.set(allowed, name);
    }
    return this;
  }

  /** Whether a form may be read: its tag is allowed, or has a dot. */
  isTypeAllowed(tag: string): boolean {
    return this.#types.has(tag) || tag.includes(".");
  }

  /** Whether a module is allowed. */
  isModuleAllowed(module: string): boolean {
    return this.#modules.has(module);
  }

  /** Whether objects of a class may cross. */
  isClassAllowed(plain: PlainClass): boolean {
    return this.#names.has(plain);
  }

  /** The allowed class of a name. */
  classNamed(name: string): PlainClass | undefined {
    return this.#classes.get(name);
  }

  /** The name on the wire of an allowed class. */
  nameOf(plain: PlainClass): string | undefined {
    return this.#names.get(plain);
  }
}

/**
 * The declarations that every connection shares which has none of its own: the basic types, and each tag for which a
 * class or factory is registered.
 */
export const globalSecurity: SecurityOptions = new SecurityOptions().allowBasicTypes();

/** A class whose objects are made without arguments, and read themselves by `unjellyFor`: a {@linkcode RemoteCopy}. */
export type UnjellyableClass = new () => object;
/** A function that reads the whole expression, its tag included. */
export type UnjellyFunction = (unjellier: Unjellying, expression: readonly Expression[]) => unknown;
/** A function that makes an object of the state that was read. */
export type CopyFactory = (state: unknown) => unknown;

/** What is done with an expression of a tag. */
export type CopyEntry =
  | { readonly kind: "class"; readonly construct: UnjellyableClass }
  | { readonly kind: "function"; readonly read: UnjellyFunction }
  | { readonly kind: "factory"; readonly make: CopyFactory };

/**
 * A table of what reads which tag. All connections share one ({@linkcode copyTags}); one may have its own, which is
 * asked first. Twisted has only the shared one.
 */
export class CopyRegistry {
  readonly #entries = new Map<string, CopyEntry>();
  readonly #factories = new Map<string, CopyEntry>();
  readonly #parent: CopyRegistry | undefined;
  readonly #security: SecurityOptions | undefined;

  /**
   * A table without entries.
   *
   * @param parent Is asked for what is not here.
   * @param security Where a tag is allowed when it is registered.
   */
  constructor(parent?: CopyRegistry, security?: SecurityOptions) {
    this.#parent = parent;
    this.#security = security;
  }

  /** {@linkcode setUnjellyableForClass} for this table. */
  setUnjellyableForClass(tag: string, unjellyable: UnjellyableClass | UnjellyFunction): void {
    checkTag(tag);
    if (typeof unjellyable !== "function") {
      throw new TypeError(
        `Cannot register "${tag}": got ${typeof unjellyable}, and a class or function is needed`,
      );
    }
    this.#entries.set(
      tag,
      isClass(unjellyable)
        ? { kind: "class", construct: unjellyable }
        : { kind: "function", read: unjellyable as UnjellyFunction },
    );
    this.#security?.allowTypes(tag);
  }

  /** {@linkcode setUnjellyableFactoryForClass} for this table. */
  setUnjellyableFactoryForClass(tag: string, factory: CopyFactory): void {
    checkTag(tag);
    if (typeof factory !== "function") {
      throw new TypeError(`Cannot register "${tag}": got ${typeof factory}, and a function is needed`);
    }
    this.#factories.set(tag, { kind: "factory", make: factory });
    this.#security?.allowTypes(tag);
  }

  /** {@linkcode setUnjellyableForClassTree} for this table. */
  setUnjellyableForClassTree(
    module: Readonly<Record<string, unknown>>,
    baseClass: UnjellyableClass,
    prefix: string,
  ): void {
    for (const [name, exported] of Object.entries(module)) {
      if (typeof exported !== "function") continue;
      if (exported !== baseClass && !(exported.prototype instanceof baseClass)) continue;
      this.setUnjellyableForClass(prefix === "" ? name : `${prefix}.${name}`, exported as UnjellyableClass);
    }
  }

  /** Forgets what is registered for a tag here. Whether there was anything. */
  delete(tag: string): boolean {
    return [this.#entries.delete(tag), this.#factories.delete(tag)].includes(true);
  }

  /** What reads a tag, or undefined. A class or function goes before a factory. */
  find(tag: string): CopyEntry | undefined {
    return this.#entries.get(tag) ?? this.#factories.get(tag) ?? this.#parent?.find(tag);
  }
}

/** What all connections share. Twisted: `copyTags`, `unjellyableRegistry`. */
export const copyTags: CopyRegistry = new CopyRegistry(undefined, globalSecurity);

/**
 * Says which class, or function, reads what arrives under a tag, on every connection. Twisted: also `setCopierForClass`.
 *
 * @param tag The name of the sender's class, such as `shop.Order`, or what its `getTypeToCopy` returns. One without a dot
 *   is understood by connections with the {@linkcode globalSecurity} only.
 * @param unjellyable A class with `unjellyFor`, such as a {@linkcode RemoteCopy}, whose objects are made without arguments;
 *   or a function of the run and the expression.
 * @throws {TypeError} If either is not what it should be.
 *
 * @example
 * ```ts
 * import { pb } from "../../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Pond extends pb.Copyable {
 *   static override copytype = "docs.Pond";
 *   frogs = 12;
 * }
 * class RemotePond extends pb.RemoteCopy {
 *   declare frogs: number;
 * }
 * pb.setUnjellyableForClass("docs.Pond", RemotePond);
 *
 * const pond = pb.unjelly(pb.jelly(new Pond()));
 * assert.ok(pond instanceof RemotePond);
 * assert.equal(pond.frogs, 12);
 * ```
 */
export function setUnjellyableForClass(tag: string, unjellyable: UnjellyableClass | UnjellyFunction): void {
  copyTags.setUnjellyableForClass(tag, unjellyable);
}

/**
 * Says which function makes an object of the state that arrives under a tag. Twisted: also `setFactoryForClass`.
 *
 * @throws {TypeError} If the tag is empty, or `factory` is no function.
 */
export function setUnjellyableFactoryForClass(tag: string, factory: CopyFactory): void {
  copyTags.setUnjellyableFactoryForClass(tag, factory);
}

/**
 * Registers every class of a module that derives from another, each under its name. Twisted: also
 * `setCopierForClassTree`.
 *
 * @param module What `import * as module` gives.
 * @param baseClass The class that they derive from; itself too, if the module exports it.
 * @param prefix What comes before the dot: the name of the sender's module. Empty for none, and no dot. A module of JavaScript
 *   has no name that could be the default.
 * @throws {TypeError} If a class's tag is empty.
 */
export function setUnjellyableForClassTree(
  module: Readonly<Record<string, unknown>>,
  baseClass: UnjellyableClass,
  prefix: string,
): void {
  copyTags.setUnjellyableForClassTree(module, baseClass, prefix);
}

/** The older name of {@linkcode setUnjellyableForClass}. */
export const setCopierForClass: typeof setUnjellyableForClass = setUnjellyableForClass;
/** The older name of {@linkcode setUnjellyableFactoryForClass}. */
export const setFactoryForClass: typeof setUnjellyableFactoryForClass = setUnjellyableFactoryForClass;
/** The older name of {@linkcode setUnjellyableForClassTree}. */
export const setCopierForClassTree: typeof setUnjellyableForClassTree = setUnjellyableForClassTree;

/** Whether a function is a class with `unjellyFor`: what `class` makes, and no arrow or plain function. */
function isClass(value: UnjellyableClass | UnjellyFunction): value is UnjellyableClass {
  const { prototype } = value as { prototype?: { unjellyFor?: unknown } };
  return typeof prototype?.unjellyFor === "function" ||
    /^class\b/.test(Function.prototype.toString.call(value));
}

function checkTag(tag: string): void {
  if (typeof tag !== "string" || tag === "" || !tag.isWellFormed()) {
    throw new TypeError("Cannot register a class: its tag is empty or not well-formed text");
  }
}
