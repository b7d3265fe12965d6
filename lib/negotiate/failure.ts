/**
 * How a peer is told that the negotiation has failed, and how much of the reason.
 *
 * Source: Foolscap `negotiate.py`, the end of `dataReceived()`.
 *
 * @module
 */

import { DuplicateConnectionError, RemoteNegotiationError } from "../errors.ts";
import { MAX_ERROR_BYTES } from "../limits.ts";
import { encodeText, truncateUtf8 } from "../util/text.ts";
import { ERROR } from "../wire/tokens.ts";
import { encodeBlock } from "./blocks.ts";
import { DUPLICATE_TEXT, INTERNAL_ERROR_TEXT, Refusal } from "./refusal.ts";

/** What the peer expects next, and so the form in which it can be told of an error. */
export type ErrorForm = "http" | "block" | "token" | "nothing";

/**
 * The bytes that tell the peer of an error.
 *
 * - `http`: `HTTP/1.1 500 Internal Server Error: <text>`, before TLS;
 * - `block`: a decision block of version 1 with `error`, before the decision;
 * - `token`: a Banana ERROR token, towards a peer that has begun to read tokens.
 *
 * @returns `undefined` if nothing is to be said: the peer has already given up, or cannot read it.
 */
export function encodeFailure(form: ErrorForm, error: unknown): Uint8Array | undefined {
  const text = peerTextOf(error)?.replace(/[\r\n]/g, " ");
  if (form === "nothing" || text === undefined) return undefined;
  if (form === "http") return encodeText(`HTTP/1.1 500 Internal Server Error: ${text}\r\n\r\n`);
  if (form === "block") return encodeBlock([["banana-decision-version", "1"], ["error", text]]);
  return encodeErrorToken(text);
}

function peerTextOf(error: unknown): string | undefined {
  if (error instanceof RemoteNegotiationError) return undefined;
  if (error instanceof DuplicateConnectionError) return DUPLICATE_TEXT;
  return error instanceof Refusal ? error.peerText : INTERNAL_ERROR_TEXT;
}

function encodeErrorToken(text: string): Uint8Array {
  const body = encodeText(truncateUtf8(text, MAX_ERROR_BYTES));
  const header: number[] = [];
  for (let rest = body.length; rest > 0 || header.length === 0; rest >>= 7) header.push(rest & 0x7f);
  return new Uint8Array([...header, ERROR, ...body]);
}
