/**
 * What a connection begins with: the server offers dialects of Banana, and the client chooses one.
 *
 * Source: Twisted `banana.py`, `Banana.connectionMade` and `_selectDialect`.
 *
 * @module
 */

import { NegotiationError, ProtocolError } from "../../errors.ts";
import { decodeLossy, quoteForeign } from "../../util/text.ts";
import type { Expression } from "../banana/expression.ts";
import type { Dialect } from "./options.ts";

/**
 * What a client answers to an offer: the first of the server's dialects that it has.
 *
 * @throws {NegotiationError} If it is no offer, or has none of ours.
 */
export function chooseDialect(offer: Expression, ours: readonly Dialect[]): Dialect {
  if (!Array.isArray(offer)) {
    throw new NegotiationError(
      "Cannot speak with the peer: it began with something that is no offer of dialects",
    );
  }
  for (const entry of offer) {
    const name = entry instanceof Uint8Array ? decodeLossy(entry) : undefined;
    const dialect = ours.find((known) => known === name);
    if (dialect !== undefined) return dialect;
  }
  throw new NegotiationError(`Cannot speak with the peer: it offers none of the dialects ${ours.join(", ")}`);
}

/**
 * What a client has chosen.
 *
 * @throws {NegotiationError} If we did not offer that.
 */
export function chosenDialect(choice: Expression, ours: readonly Dialect[]): Dialect {
  const name = choice instanceof Uint8Array ? decodeLossy(choice) : undefined;
  const dialect = ours.find((known) => known === name);
  if (dialect !== undefined) return dialect;
  const what = name === undefined ? "something that is no name" : quoteForeign(name, 40);
  throw new NegotiationError(
    `Cannot speak with the peer: it chose ${what} and not one of ${ours.join(", ")}`,
  );
}

/** Other protocols that may answer on a port that was taken for ours, and how their peers begin to speak. */
const OTHERS: readonly (readonly [name: string, begin: RegExp])[] = [
  ["SSH", /^SSH-/],
  ["HTTP", /^(?:HTTP\/|(?:GET|HEAD|POST|PUT|OPTIONS|PATCH|DELETE|CONNECT|PRI) )/],
  ["SMTP or FTP", /^220[ -]/],
];
/**
 * Banana's first bytes are the digits of a number, below 0x80, and then a type byte, 0x80 or above. An offer or choice of
 * dialects has no number of so many digits, so four bytes below 0x80 at the beginning are text.
 */
const DIGITS = 4;

/**
 * Looks at the first bytes of a peer. Without this, text would be taken for the digits of a number, and its end waited for.
 *
 * @throws {NegotiationError} If it speaks something else.
 */
export function checkGreeting(first: Uint8Array): void {
  if (first.length < DIGITS || first.subarray(0, DIGITS).some((byte) => byte >= 0x80)) return;
  const begin = decodeLossy(first.subarray(0, 64));
  // A record of TLS begins with its kind and the version.
  const isTls = first[0]! >= 0x14 && first[0]! <= 0x17 && first[1] === 3;
  const name = isTls ? "TLS" : OTHERS.find(([, pattern]) => pattern.test(begin))?.[0];
  throw new NegotiationError(
    `Cannot speak with the peer: it speaks ${name ?? "something else"}, and no Perspective Broker`,
  );
}

/** The error of a connection that failed before a dialect was agreed on. */
export function notAgreed(error: Error): Error {
  if (!(error instanceof ProtocolError)) return error;
  return new NegotiationError(`Cannot speak with the peer: ${error.message}`, { cause: error });
}
