/**
 * How one hint fared, in Foolscap's own words: programs match on them.
 *
 * Source: Foolscap `connection.py`, `TubConnector._connectionFailed`, `connectorNegotiationFailed`.
 *
 * @module
 */

import { InvalidHintError, NegotiationError, UnreachableError } from "../errors.ts";
import { redact } from "../util/redact.ts";
import { suffixOf } from "./hint_handler.ts";
import { cutStatus } from "./hint_handlers.ts";

/** Characters of one hint's error, in a status and in the message about all hints. */
const MAX_REASON = 200;

/** A reason as it may be shown: without a FURL's secret, and not longer than needed. */
export function shownReason(message: string): string {
  const text = redact(message);
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text;
}

/** What is said of a hint that failed, with what its handler adds. */
export function failedStatus(error: Error, isNegotiating = false): string {
  return wordsFor(error, isNegotiating) + cutStatus(suffixOf(error));
}

function wordsFor(error: Error, isNegotiating: boolean): string {
  if (isNegotiating || error instanceof NegotiationError) {
    // The cause has the reason alone; what is around it says where the peer is, which the hint does too.
    const { message } = error.cause instanceof NegotiationError ? error.cause : error;
    return `negotiation failed: ${shownReason(message)}`;
  }
  if (error instanceof InvalidHintError) return `bad hint: ${shownReason(error.reason)}`;
  if (isRefusal(error)) return "connection refused";
  return `failed to connect: ${shownReason(error.message) || error.name}`;
}

/** Whether nobody listens over there, by whatever the platform calls it. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof Deno.errors.ConnectionRefused || ("code" in error && error.code === "ECONNREFUSED")) {
    return true;
  }
  // What the transports throw has it as its cause.
  return error instanceof UnreachableError && !(error.cause instanceof UnreachableError) &&
    isRefusal(error.cause);
}
