/**
 * How one hint fared, in Foolscap's own words: programs match on them.
 *
 * Source: Foolscap `connection.py`, `TubConnector._connectionFailed`, `connectorNegotiationFailed`.
 *
 * @module
 */

import { FurlError, NegotiationError, UnreachableError } from "../errors.ts";
import { redact } from "../names/redact.ts";

/** Characters of one hint's error, in a status and in the message about all hints. */
const MAX_REASON = 200;

/** A reason as it may be shown: without a FURL's secret, and not longer than needed. */
export function shownReason(message: string): string {
  const text = redact(message);
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text;
}

/** The status of a hint that cannot be followed. */
export function badHintStatus(hint: string, error: Error): string {
  if (!(error instanceof FurlError)) return "bad hint: no handler registered";
  return hint.includes(":") ? "bad hint: unrecognized TCP hint" : "bad hint: no colon";
}

/** The status of a hint that was followed in vain. */
export function failedStatus(error: Error): string {
  if (error instanceof NegotiationError) {
    // The cause has the reason alone; what is around it says where the peer is, which the hint does too.
    const { message } = error.cause instanceof NegotiationError ? error.cause : error;
    return `negotiation failed: ${shownReason(message)}`;
  }
  if (isRefused(error)) return "connection refused";
  return `failed to connect: ${shownReason(error.message)}`;
}

function isRefused(error: Error): boolean {
  if (!(error instanceof UnreachableError)) return false;
  const { code, name } = (error.cause ?? {}) as { code?: unknown; name?: unknown };
  return code === "ECONNREFUSED" || name === "ConnectionRefused";
}
