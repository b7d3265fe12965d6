/**
 * What a peer may learn and spend when this Tub fetches an object that the peer says a third Tub has.
 *
 * The FURL is the peer's: it may point to any place that this machine can reach and the peer cannot. So no more than a few
 * such places are tried at once, and the peer is not told what was found there, neither that a port is open nor what
 * its server says.
 *
 * @module
 */

import type { RemoteReference } from "../broker/remote_reference.ts";
import { NegotiationError, UnreachableError, Violation } from "../errors.ts";
import { parseFurl } from "../names/furl.ts";
import { shortTubId } from "../names/tub_id.ts";
import { quoteForeign } from "../util/text.ts";

/**
 * Fetches the object of a gift.
 *
 * @param furl Text of a peer.
 * @param get Gets the reference.
 * @returns The reference. What `get` rejects with stays, but for the ways to the third Tub.
 * @throws {Violation} If it is not a FURL.
 * @throws {UnreachableError} If the third Tub cannot be reached, for whatever reason. The peer sees the message; `cause`
 *   says more, to this program only.
 */
export async function fetchGift(
  furl: string,
  get: (furl: string) => Promise<RemoteReference>,
): Promise<RemoteReference> {
  let tubId: string;
  try {
    tubId = parseFurl(furl).tubId;
  } catch (cause) {
    throw new Violation("Cannot fetch a gift: what came with it is not a FURL", { cause });
  }
  try {
    return await get(furl);
  } catch (cause) {
    if (!(cause instanceof UnreachableError || cause instanceof NegotiationError)) throw cause;
    const shown = quoteForeign(shortTubId(tubId)).slice(1, -1);
    const message = `Cannot fetch a gift: no hint of its FURL leads to the Tub [${shown}]`;
    const error = new UnreachableError(message, cause instanceof UnreachableError ? cause.errors : new Map());
    error.cause = cause;
    throw error;
  }
}
