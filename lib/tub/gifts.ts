/**
 * What a peer may learn and spend when this Tub fetches an object that the peer says a third Tub has.
 *
 * The FURL is the peer's: it may point to any place that this machine can reach and the peer cannot. So the program can
 * say which places those may be, no more than a few of them are tried at once, and the peer is not told what was found
 * there, neither that a port is open nor what its server says.
 *
 * @module
 */

import type { GiftRequest } from "../broker/interface.ts";
import type { RemoteHandle } from "../broker/remote_handle.ts";
import { NegotiationError, NoLocationHintsError, toError, UnreachableError, Violation } from "../errors.ts";
import { MAX_HINTS } from "../limits.ts";
import { type FurlParts, parseFurl } from "../names/furl.ts";
import { type ConnectionHint, parseHint } from "../names/hints.ts";
import { shortTubId } from "../names/tub_id.ts";
import { quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";

/** A gift, as a {@linkcode GiftPolicy} sees it. The name of the object, which is its secret, is not shown. */
export interface GiftOffer {
  /**
   * The TubID of the peer that gives it; `undefined` if the peer has proved none, or if nobody gives it: its FURL was in
   * the bytes of `Tub.unserialize`.
   */
  readonly from: string | undefined;
  /** The TubID of the Tub that the peer says the object lives in. Text of a stranger: 1 to 32 characters. */
  readonly tubId: string;
  /** Where the peer says that Tub is: the hints that make sense, at most 16. */
  readonly hints: readonly ConnectionHint[];
  /** Whether nothing has to be dialled: there is a connection with that Tub, or it is this one. */
  readonly isConnected: boolean;
}

/**
 * Decides about a gift, before anything is dialled: whether it is taken, and where its Tub may be looked for.
 *
 * @returns `false` to refuse it; `true` to take it and dial any of its hints; or the hints to dial, as text: some of
 *   those that were offered, or others. If there is a connection with the Tub already, nothing is dialled in any case.
 */
export type GiftPolicy = (
  offer: GiftOffer,
) => boolean | readonly string[] | Promise<boolean | readonly string[]>;

/** What {@linkcode Gifts} need of their Tub. */
export interface GiftsOptions {
  readonly acceptGifts: boolean;
  readonly policy: GiftPolicy | undefined;
  /** Is told when the policy throws. Must not throw. */
  readonly trace: Trace;
  /** Whether nothing has to be dialled to reach a Tub. */
  isConnected(tubId: string): boolean;
  /** Whether a hint of a peer may be dialled where the program has no policy: see {@linkcode ConnectionHintHandler}. */
  followsPeers(hint: string): boolean;
  /** Gets the reference, for a peer. */
  get(parts: FurlParts, signal: AbortSignal): Promise<RemoteHandle>;
}

/** The gifts that a Tub is given. */
export class Gifts {
  readonly #options: GiftsOptions;

  /** For one Tub. */
  constructor(options: GiftsOptions) {
    this.#options = options;
  }

  /**
   * Fetches the object of a gift.
   *
   * @param furl Text of a peer.
   * @returns The reference. What getting it rejects with stays, but for the ways to the third Tub.
   * @throws {Violation} If the Tub takes no gifts, or not this one, or it is not a FURL.
   * @throws {NoLocationHintsError} If the object's Tub has no location.
   * @throws {UnreachableError} If the third Tub cannot be reached, for whatever reason. The peer sees the message; `cause`
   *   says more, to this program only.
   */
  async fetch(furl: string, { from, signal }: GiftRequest): Promise<RemoteHandle> {
    if (!this.#options.acceptGifts) throw new Violation("gifts are prohibited in this Tub");
    const parts = partsOf(furl);
    const hints = await this.#hintsOf(parts, from);
    signal.throwIfAborted();
    try {
      return await this.#options.get({ ...parts, hints }, signal);
    } catch (cause) {
      throw hidden(cause, parts);
    }
  }

  /** The hints that may be dialled. */
  async #hintsOf(parts: FurlParts, from: string | undefined): Promise<readonly string[]> {
    const { policy, trace, isConnected, followsPeers } = this.#options;
    if (policy === undefined) return parts.hints.filter(followsPeers);
    const offer = Object.freeze({
      from,
      tubId: parts.tubId,
      hints: Object.freeze(parsed(parts.hints)),
      isConnected: isConnected(parts.tubId),
    });
    let decision: unknown;
    try {
      decision = checkDecision(await policy(offer));
    } catch (thrown) {
      trace({ type: "callback-failed", where: "giftPolicy", error: toError(thrown) });
      decision = false;
    }
    if (decision === false) throw new Violation("this gift is prohibited in this Tub");
    return decision === true ? parts.hints : decision as readonly string[];
  }
}

function partsOf(furl: string): FurlParts {
  // What Python sends for an object whose Tub has no location.
  if (furl === "") {
    throw new NoLocationHintsError("Cannot fetch a gift: the Tub of its object has no location");
  }
  try {
    return parseFurl(furl);
  } catch (cause) {
    throw new Violation("Cannot fetch a gift: what came with it is not a FURL", { cause });
  }
}

/** The hints that make sense, as many of a stranger's list as are looked at. */
function parsed(hints: readonly string[]): ConnectionHint[] {
  return [...new Set(hints)].slice(0, MAX_HINTS).flatMap((text) => {
    try {
      return [parseHint(text)];
    } catch {
      return [];
    }
  });
}

function checkDecision(decision: unknown): boolean | readonly string[] {
  if (typeof decision === "boolean") return decision;
  if (Array.isArray(decision) && decision.every((hint) => typeof hint === "string")) return [...decision];
  throw new TypeError(
    "Cannot use the decision of giftPolicy: it is neither a boolean nor a list of hints as text",
  );
}

function hidden(cause: unknown, { tubId, hints }: FurlParts): unknown {
  if (!(cause instanceof UnreachableError || cause instanceof NegotiationError)) return cause;
  const shown = quoteForeign(shortTubId(tubId)).slice(1, -1);
  const error = hints.length === 0
    ? new NoLocationHintsError(`Cannot fetch a gift: its FURL does not say where the Tub [${shown}] is`)
    : new UnreachableError(
      `Cannot fetch a gift: no hint of its FURL leads to the Tub [${shown}]`,
      cause instanceof UnreachableError ? cause.errors : new Map(),
    );
  error.cause = cause;
  return error;
}
