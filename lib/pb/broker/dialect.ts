/**
 * The agreement on a dialect, with which a connection begins: the server offers, the client chooses.
 *
 * Source: Twisted `banana.py`, `Banana.connectionMade` and `_selectDialect`.
 *
 * @module
 */

import { NegotiationError, ProtocolError } from "../../errors.ts";
import { decodeLossy, quoteForeign } from "../../util/text.ts";
import type { Expression } from "../banana/expression.ts";

/** `pb` sends frequent words as numbers; `none` sends all as they are. */
export type Dialect = "pb" | "none";

/** All dialects, the preferred one first. */
export const DIALECTS: readonly Dialect[] = Object.freeze(["pb", "none"]);

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

/** With what others begin who are met on ports. */
const OTHERS: readonly (readonly [name: string, begin: RegExp])[] = [
  ["SSH", /^SSH-/],
  ["HTTP", /^(?:HTTP\/|(?:GET|HEAD|POST|PUT|OPTIONS|PATCH|DELETE|CONNECT|PRI) )/],
  ["SMTP or FTP", /^220[ -]/],
];
/** A prefix has so few digits at the beginning; text has more before a byte with the high bit. */
const DIGITS = 4;

/**
 * Looks at the first bytes of a peer: who begins with text would otherwise be waited for until a token came of it.
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

/** Why a connection has failed of which nothing was agreed on. */
export function notAgreed(error: Error): Error {
  if (!(error instanceof ProtocolError)) return error;
  return new NegotiationError(`Cannot speak with the peer: ${error.message}`, { cause: error });
}
