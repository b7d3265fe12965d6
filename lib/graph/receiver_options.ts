/**
 * What one connection's receiver is told when it is made.
 *
 * @module
 */

import type { Limits } from "../limits.ts";
import type { BodyTable } from "../wire/tokens.ts";
import type { UnslicerTable } from "./unslicer.ts";

/** What a `Receiver` needs. */
export interface ReceiverOptions {
  readonly limits: Limits;
  readonly tokens: BodyTable;
  /** The words that the peer may send by number. */
  readonly vocabulary: readonly string[];
  /** Types of sequences inside others. */
  readonly unslicers: UnslicerTable;
  /** Whether a double that is integral becomes a {@linkcode Float}, so that it can be told from an int. */
  readonly wrapFloats?: boolean;
  /** Whether a value that is no sequence may stand at the top: in the storage, not on a connection. */
  readonly bareTopLevel?: boolean;
  /**
   * Tokens that a negotiated feature adds: what to do with one. A token without a body comes with its header, one
   * with a body with a copy of that. They must be in `tokens` too, and may come anywhere.
   */
  readonly extraTokens?: ReadonlyMap<number, (value: number | bigint | Uint8Array) => void>;
  /** Types of sequences that may stand in the place of any value, whatever the constraint on it: a negotiated feature. */
  readonly standing?: ReadonlySet<string> | undefined;
  /** A PING came, which wants a PONG at once. */
  onPing?(value: number | bigint): void;
  /** The peer's last word before it closes. */
  onError?(text: string): void;
}
