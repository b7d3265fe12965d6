/**
 * Reasons to end a negotiation, each with what the peer may know of it.
 *
 * @module
 */

import { NegotiationError } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";

/** What a peer is told about everything that is not its business. */
export const INTERNAL_ERROR_TEXT = "internal server error, see logs";

/** What a peer is told when its connection is one too many. Peers match on it. */
export const DUPLICATE_TEXT = "Duplicate connection";

/** A reason to end the negotiation. Public code sees a NegotiationError made from it. */
export class Refusal extends NegotiationError {
  /** What the peer is told. */
  readonly peerText: string;

  /**
   * @param message What this side is told.
   * @param peerText What the peer is told; without it, that there was an internal error.
   */
  constructor(message: string, peerText: string = INTERNAL_ERROR_TEXT) {
    super(message);
    this.peerText = peerText;
  }
}

/** A refusal whose words Foolscap tells the peer as they are. */
export function openRefusal(words: string): Refusal {
  return new Refusal(words, words);
}

/** The refusal of what a peer may not send, with a cut and escaped piece of it. */
export function refusalOf(what: string, foreign: string): Refusal {
  return new Refusal(`${what}: ${quoteForeign(foreign)}`);
}
