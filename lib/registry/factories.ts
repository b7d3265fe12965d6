/**
 * What makes the objects of grants again that a store has kept.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";

/** What a {@linkcode Factory} can know of the grant that it makes an object for. */
export interface FactoryContext {
  /** The number of the grant. */
  readonly id: number;
  /** What the program called it. */
  readonly label: string | undefined;
}

/**
 * Makes the object of a grant anew, when a Tub starts with a store.
 *
 * @param args What `durable.args` of the grant was. It comes from the file.
 * @returns The object, or a promise of it; `undefined` or `null` if there is no such thing any more: the grant, and all that
 *   comes of it, is revoked then.
 */
export type Factory = (
  args: unknown,
  context: FactoryContext,
) => Publishable | null | undefined | Promise<Publishable | null | undefined>;

/** What a grant says so that it outlives a restart. */
export interface DurableOptions {
  /** The name of one of the Tub's `factories`. It makes the object at the next start; this time it is not called. */
  readonly factory: string;
  /**
   * What the factory is given: whatever {@linkcode serialize} takes, no references.
   *
   * @default undefined
   */
  readonly args?: unknown;
}
