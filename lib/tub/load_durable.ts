/**
 * The files of a Tub's grants, and what reads and writes them, for the Tubs that have such files.
 *
 * @module
 */

import type { Durable } from "./durable.ts";
import type { Identity } from "./identity.ts";
import type { TubOptions } from "./options.ts";

/**
 * Opens the files that the options name. The options have been checked.
 *
 * @throws {StoreError} If the store cannot be used.
 * @throws {FileError} If the audit file cannot be used.
 */
export async function loadDurable(identity: Identity, options: TubOptions): Promise<Durable> {
  if (options.store === undefined && options.auditFile === undefined) {
    return { store: undefined, audit: undefined };
  }
  const { openDurable } = await import("./durable.ts");
  return await openDurable(identity, options);
}

/** What can be made whole, or stopped. */
interface Restorable {
  readonly registry: { restore(): Promise<void> };
  stop(): Promise<void>;
}

/** A Tub with all that its store has kept; one that fails at it is stopped. */
export async function restored<T extends Restorable>(tub: T): Promise<T> {
  try {
    await tub.registry.restore();
    return tub;
  } catch (error) {
    await tub.stop();
    throw error;
  }
}
