/**
 * The one way to an object by its name: everything that a FURL leads to stands here.
 *
 * @module
 */

import { toError } from "../errors.ts";
import { MAX_FURL_BYTES } from "../limits.ts";
import { checkName } from "../names/furl.ts";
import { createSwissnum } from "../names/swissnum.ts";
import type { RandomBytes } from "../util/random_bytes.ts";
import { Callable, type Publishable } from "../broker/callable.ts";
import { Referenceable } from "../broker/referenceable.ts";
import type { Trace } from "../util/trace.ts";
import { NameTable } from "./name_table.ts";

/**
 * Finds objects that have not been registered, for names that a peer asks for.
 *
 * @param name What stands behind the hints of the FURL: text of a stranger, and perhaps a secret.
 * @returns The object, or nothing if the name is none of its own; or a promise of that, for which only peers can wait.
 */
export type NameLookupHandler = (
  name: string,
) => Publishable | null | undefined | Promise<Publishable | null | undefined>;

/** An object that can be reached by a FURL, as {@linkcode CapabilityRegistry.list} shows it. */
export interface RegistryEntry {
  /** The object, or function, itself. */
  readonly object: Publishable;
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
  readonly #table: NameTable<Publishable>;
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
  has(object: Publishable): boolean {
    return this.#table.has(object);
  }

  /**
   * The name of an object; gives it one of 160 random bits if it has none, and holds it weakly then.
   *
   * @returns The name in clear, for the FURL.
   */
  nameOf(object: Publishable): string {
    const known = this.#table.nameOf(object);
    if (known !== undefined) return known;
    const name = createSwissnum(this.#randomBytes);
    this.#table.addUnique(object, name);
    return name;
  }

  /**
   * Gives an object, or a function, a name and keeps the object alive. One that has a name keeps it.
   *
   * @param name A name of the program's choice. Whoever can guess it can use the object.
   * @returns The object's name in clear, for the FURL.
   * @throws {TypeError} If it is neither a Referenceable nor a Callable, or the name no text.
   * @throws {FurlError} If the name cannot stand in a FURL.
   * @throws {RangeError} If another object has that name.
   */
  register(object: Publishable, name?: string): string {
    if (!isPublishable(object)) {
      throw new TypeError(
        typeof object === "function"
          ? "Cannot register a function: give callable(f)"
          : "Cannot register an object: it is not a Referenceable; derive its class from it",
      );
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
  unregister(object: Publishable): boolean {
    return this.#table.remove(object);
  }

  /**
   * The object of a name: registered, passed to a peer, or found by a lookup handler, which gives it that name. A handler
   * that answers with a promise has nothing to say here: see {@linkcode CapabilityRegistry.lookup}.
   *
   * @returns `undefined` if nothing has that name.
   */
  find(name: string): Publishable | undefined {
    // A peer may ask for a text of any length; none so long stands in a FURL.
    if (name.length > MAX_FURL_BYTES) return undefined;
    return this.#table.find(name) ?? this.#askHandlers(name);
  }

  /**
   * The object of a name, as {@linkcode CapabilityRegistry.find} finds it, for a peer that asks: handlers that answer
   * with a promise are waited for, one after the other.
   *
   * @returns `undefined` if nothing has that name. Never rejects.
   */
  async lookup(name: string): Promise<Publishable | undefined> {
    if (name.length > MAX_FURL_BYTES) return undefined;
    const known = this.#table.find(name);
    if (known !== undefined) return known;
    for (const handler of [...this.#handlers]) {
      try {
        const found = await handler(name);
        // While it thought, another peer may have asked too, or the program may have registered one; and it may have been
        // taken back itself, by the program or with the Tub.
        const other = this.#table.find(name);
        if (other !== undefined) return other;
        if (!this.#handlers.has(handler)) continue;
        const object = this.#take(name, found);
        if (object !== undefined) return object;
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
    return undefined;
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

  #askHandlers(name: string): Publishable | undefined {
    for (const handler of this.#handlers) {
      try {
        const found = handler(name);
        if (!(found instanceof Promise)) {
          const object = this.#take(name, found);
          if (object !== undefined) return object;
          continue;
        }
        // Who asks here cannot wait. What it comes to is nobody's: a failure must not end the process.
        found.catch((thrown) => this.#failed(thrown));
      } catch (thrown) {
        this.#failed(thrown);
      }
    }
    return undefined;
  }

  /** What a handler gave, under that name from here on; nothing if it gave nothing. */
  #take(name: string, found: unknown): Publishable | undefined {
    // As in Foolscap, whatever is not true is "not mine".
    if (!found) return undefined;
    if (!isPublishable(found)) {
      throw new TypeError(
        "Cannot use what a lookup handler gave: it is neither a Referenceable nor a Callable",
      );
    }
    if (!this.#table.has(found)) this.#table.add(found, name);
    return found;
  }

  #failed(thrown: unknown): void {
    this.#trace({ type: "callback-failed", where: "name lookup handler", error: toError(thrown) });
  }
}

function isPublishable(value: unknown): value is Publishable {
  return value instanceof Referenceable || value instanceof Callable;
}
