/**
 * What the program is asked for when nothing has a name.
 *
 * Source: Foolscap `pb.py`, `Tub.registerNameLookupHandler`.
 *
 * @module
 */

import { Callable, type Publishable } from "../broker/callable.ts";
import { Referenceable } from "../broker/referenceable.ts";
import { PermissionDenied, toError } from "../errors.ts";
import type { Trace } from "../util/trace.ts";
import type { NameTable } from "./name_table.ts";

/**
 * Finds objects that have not been registered, for names that a peer asks for.
 *
 * @param name What stands behind the hints of the FURL: text of a stranger, and perhaps a secret.
 * @returns The object, or nothing if the name is none of its own; or a promise of that, for which only peers can wait.
 */
export type NameLookupHandler = (
  name: string,
) => Publishable | null | undefined | Promise<Publishable | null | undefined>;

/** The lookup handlers of one registry. */
export class NameLookups {
  readonly #handlers = new Set<NameLookupHandler>();
  readonly #table: NameTable<Publishable>;
  readonly #trace: Trace;

  /** @param table Gets what handlers give. */
  constructor(table: NameTable<Publishable>, trace: Trace) {
    this.#table = table;
    this.#trace = trace;
  }

  /** One more, asked after those that are there. */
  add(handler: NameLookupHandler): Disposable {
    if (typeof handler !== "function") {
      throw new TypeError("Cannot add a lookup handler: it is not a function");
    }
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }

  /** Takes one back. */
  remove(handler: NameLookupHandler): void {
    this.#handlers.delete(handler);
  }

  /** Takes all back. */
  clear(): void {
    this.#handlers.clear();
  }

  /** Asks one after the other, and waits for those that answer with a promise. Never rejects. */
  async ask(name: string): Promise<Publishable | undefined> {
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

  /** Asks one after the other. What would have to be waited for is nothing. */
  askAtOnce(name: string): Publishable | undefined {
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
    // As in Foolscap, whatever is falsy says "not mine".
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

/** Whether something can have a name. */
export function isPublishable(value: unknown): value is Publishable {
  return value instanceof Referenceable || value instanceof Callable;
}

/** Why a peer does not get what it asks for by a name that was taken back. */
export function refusedAsGone(why: string): PermissionDenied {
  const words = why === "revoked" ? "was revoked" : "has expired";
  return new PermissionDenied(`Cannot get a reference: this capability ${words}`, { limit: why });
}
