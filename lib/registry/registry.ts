/**
 * The one way to an object by its name: everything that a FURL leads to stands here.
 *
 * @module
 */

import { toError } from "../errors.ts";
import { MAX_FURL_BYTES } from "../limits.ts";
import { checkName } from "../names/furl.ts";
import { createSwissnum, type RandomBytes } from "../names/swissnum.ts";
import { Referenceable } from "../broker/referenceable.ts";
import type { Trace } from "../util/trace.ts";
import { NameTable } from "./name_table.ts";

/**
 * Finds objects that have not been registered, for names that a peer asks for.
 *
 * @param name What stands behind the hints of the FURL: text of a stranger, and perhaps a secret.
 * @returns The object, or nothing if the name is none of its own.
 */
export type NameLookupHandler = (name: string) => Referenceable | null | undefined;

/** An object that can be reached by a FURL, as {@linkcode CapabilityRegistry.list} shows it. */
export interface RegistryEntry {
  /** The object itself. */
  readonly object: Referenceable;
  /**
   * Whether nobody registered it: it got its FURL when it was passed to a peer, and loses it when nobody holds it any
   * more.
   */
  readonly isImplicit: boolean;
}

/** What a {@linkcode CapabilityRegistry} needs of its Tub. */
export interface CapabilityRegistryOptions {
  /** Gives names and keys. */
  readonly randomBytes: RandomBytes;
  /** Is told when a lookup handler throws. */
  readonly trace: Trace;
}

/**
 * The names of a Tub's objects. Every Tub has one, `tub.registry`.
 *
 * A name is a secret, 160 random bits unless the program chose one. The registry finds it by a hash under a key of its
 * own and keeps it sealed, so that neither printing nor dumping it shows a name.
 *
 * @example
 * ```ts
 * import { Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * await using tub = await Tub.create();
 * tub.setLocation("tcp:localhost:4501");
 * tub.registerReference(new Referenceable());
 * assert.deepEqual(tub.registry.list().map(({ isImplicit }) => isImplicit), [false]);
 * ```
 */
export class CapabilityRegistry {
  readonly #table: NameTable<Referenceable>;
  readonly #handlers = new Set<NameLookupHandler>();
  readonly #randomBytes: RandomBytes;
  readonly #trace: Trace;

  /** An empty registry. A Tub makes its own. */
  constructor(options: CapabilityRegistryOptions) {
    this.#randomBytes = options.randomBytes;
    this.#trace = options.trace;
    this.#table = new NameTable(options.randomBytes);
  }

  /** How many objects have a name. */
  get size(): number {
    return this.#table.size;
  }

  /** What can be reached, in the order in which it got its name. */
  list(): RegistryEntry[] {
    return Array.from(this.#table.objects(), ({ object, isStrong }) => ({ object, isImplicit: !isStrong }));
  }

  /** Whether an object can be reached by a FURL. */
  has(object: Referenceable): boolean {
    return this.#table.has(object);
  }

  /**
   * The name of an object; gives it one of 160 random bits if it has none, and holds it weakly then.
   *
   * @returns The name in clear, for the FURL.
   */
  nameOf(object: Referenceable): string {
    const known = this.#table.nameOf(object);
    if (known !== undefined) return known;
    const name = createSwissnum(this.#randomBytes);
    this.#table.addUnique(object, name);
    return name;
  }

  /**
   * Gives an object a name and keeps the object alive. One that has a name keeps it.
   *
   * @param name A name of the program's choice. Whoever can guess it can use the object.
   * @returns The object's name in clear, for the FURL.
   * @throws {TypeError} If it is not a Referenceable, or the name no text.
   * @throws {FurlError} If the name cannot stand in a FURL.
   * @throws {RangeError} If another object has that name.
   */
  register(object: Referenceable, name?: string): string {
    if (!(object instanceof Referenceable)) {
      throw new TypeError("Cannot register an object: it is not a Referenceable; derive its class from it");
    }
    if (name !== undefined && typeof name !== "string") {
      throw new TypeError("Cannot register an object: the name is not a text");
    }
    if (name !== undefined && !this.#table.has(object)) {
      checkName(name);
      this.#table.add(object, name);
    }
    const given = this.nameOf(object);
    this.#table.keep(object);
    return given;
  }

  /**
   * Takes the name of an object away. Those who hold a reference to it keep it; its FURL leads nowhere.
   *
   * @returns Whether it had one.
   */
  unregister(object: Referenceable): boolean {
    return this.#table.remove(object);
  }

  /**
   * The object of a name: registered, passed to a peer, or found by a lookup handler, which gives it that name.
   *
   * @returns `undefined` if nothing has that name.
   */
  find(name: string): Referenceable | undefined {
    // A peer may ask for a text of any length; none so long stands in a FURL.
    if (name.length > MAX_FURL_BYTES) return undefined;
    return this.#table.find(name) ?? this.#askHandlers(name);
  }

  /**
   * Asks `handler` for names that nothing has. Handlers are asked in the order in which they came. What one throws goes
   * to the Tub's trace and counts as "not mine".
   *
   * Foolscap: `Tub.registerNameLookupHandler`.
   *
   * @returns Disposing it takes the handler back.
   */
  addLookup(handler: NameLookupHandler): Disposable {
    if (typeof handler !== "function") {
      throw new TypeError("Cannot add a lookup handler: it is not a function");
    }
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }

  /** Takes a lookup handler back. One that is not there is fine. */
  removeLookup(handler: NameLookupHandler): void {
    this.#handlers.delete(handler);
  }

  /** Takes every name away. The Tub does this when it stops. */
  clear(): void {
    this.#table.clear();
    this.#handlers.clear();
  }

  #askHandlers(name: string): Referenceable | undefined {
    for (const handler of this.#handlers) {
      try {
        const object = handler(name);
        if (!(object instanceof Referenceable)) continue;
        if (!this.#table.has(object)) this.#table.add(object, name);
        return object;
      } catch (thrown) {
        this.#trace({ type: "callback-failed", where: "name lookup handler", error: toError(thrown) });
      }
    }
    return undefined;
  }
}
