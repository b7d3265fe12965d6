/**
 * What the readers of jelly's own forms ask of a run.
 *
 * @module
 */

import type { Expression } from "../banana/expression.ts";
import type { Unjellying } from "./invoker.ts";
import type { SecurityOptions } from "./security.ts";

/** A run, as the forms see it. */
export interface FormReader extends Unjellying {
  /** What may be read. */
  readonly security: SecurityOptions;
  /** Gives the object that a `persistentStore` named so. */
  readonly persistentLoad: ((id: Expression, unjellier: Unjellying) => unknown) | undefined;
  /** Keys that were looked into and can be hashed. */
  readonly hashable: Set<unknown>;
  /** Reads `(reference number content)`. */
  reference(id: Expression | undefined, content: Expression | undefined): unknown;
  /** Reads `(dereference number)`. */
  dereference(id: Expression | undefined): unknown;
  /** Reads the `(instance class state)` of old. */
  instance(plain: unknown, state: Expression | undefined): unknown;
  /** Has something done when all is read. */
  atEnd(finish: () => void): void;
}

/** Reads one form; the expression has its tag in front. */
export type Form = (unjellier: FormReader, expression: readonly Expression[]) => unknown;
