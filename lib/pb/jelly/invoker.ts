/**
 * What jelly asks of the connection that it works for.
 *
 * @module
 */

import type { Expression } from "../banana/expression.ts";
import type { Unjellier } from "./unjellier.ts";

/** The forms that mean something on one connection only. */
export type ReferenceTag = "remote" | "local" | "cached" | "lcache";

/**
 * The connection for which values are jellied and unjellied; Twisted calls it so. The broker is one. Objects that
 * write themselves (`jellyFor`) know its class, and ask it for their numbers.
 */
export interface Invoker {
  /**
   * What `(remote n)`, `(local n)`, `(cached n)` or `(lcache n)` stands for.
   *
   * @param tag Which of them.
   * @param id Its second element: a number that this side or the peer gave, or a name as bytes; what else the peer may
   *   have sent must be refused.
   * @param unjellier The run, with its perspective.
   * @throws {Violation} If there is no such thing: it costs the call.
   */
  unjellyReference(tag: ReferenceTag, id: Expression | undefined, unjellier: Unjellier): unknown;
}
