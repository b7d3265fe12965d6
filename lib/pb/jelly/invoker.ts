/**
 * What jelly, the objects that write and read themselves, and the connection are to one another.
 *
 * Source: Twisted `jelly.py`, `_Jellier`, `_Unjellier`.
 *
 * @module
 */

import type { Expression } from "../banana/expression.ts";

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
  unjellyReference(tag: ReferenceTag, id: Expression | undefined, unjellier: Unjellying): unknown;
}

/** A run of jelly, as objects see it that write themselves: what a {@linkcode Jellier} offers them. */
export interface Jellying {
  /** The connection for which this is done; undefined for storage. */
  readonly invoker: Invoker | undefined;
  /** On whose behalf. */
  readonly perspective: unknown;
  /** Writes a value. @throws {Violation} If a part of it cannot be sent. */
  jelly(value: unknown): void;
  /** Begins a list: as many elements as this must follow. */
  list(count: number): void;
  /** Writes a word, such as a tag, as a byte string of its UTF-8. */
  word(text: string): void;
  /** Writes a byte string. */
  bytes(value: Uint8Array): void;
  /** Writes an integer. @throws {Violation} If it is none. */
  integer(value: number | bigint): void;
  /** Writes an expression that is there already. */
  expression(expression: Expression): void;
  /**
   * Says that what is written next is this object, so that a second occurrence in this run refers to it. Called
   * before anything is written.
   */
  prepare(value: object): void;
  /** Has something given back if what is being written is not sent after all, such as a count of references. */
  onUndo(giveBack: () => void): void;
}

/** A run of unjelly, as objects see it that read themselves: what an {@linkcode Unjellier} offers them. */
export interface Unjellying {
  /** The connection for which this is done; undefined for storage. */
  readonly invoker: Invoker | undefined;
  /** On whose behalf. */
  readonly perspective: unknown;
  /**
   * Reads a part of the expression. In a cycle that goes through an object which is not there yet (one that a factory makes),
   * parts of what it returns may be filled in later.
   *
   * @throws {Violation} If it makes no sense, or is not allowed.
   */
  unjelly(expression: Expression): unknown;
  /**
   * Says what is being read, as soon as it is made and before its parts are read, so that they can refer to it.
   */
  bind(object: unknown): void;
}
