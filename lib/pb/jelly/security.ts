/**
 * What may be unjellied: forms, modules and classes that this side has declared.
 *
 * Source: Twisted `jelly.py`, `SecurityOptions`.
 *
 * @module
 */

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
