/**
 * The caveats of an attenuated FURL as limits of a facet.
 *
 * @module
 */

import type { Caveat } from "../names/caveat.ts";
import { allowanceOf } from "../names/describe_furl.ts";
import type { Clock } from "../util/clock.ts";
import type { LimitKind } from "./capability_event.ts";
import type { CaveatMark, CaveatState } from "./caveat_state.ts";
import type { Limit, LimitedCall } from "./limit.ts";
import { cannotCall } from "./limits/cannot_call.ts";
import { MethodLimit } from "./limits/method_limit.ts";

/** A chain of caveats that was verified. */
export interface VerifiedChain {
  readonly caveats: readonly Caveat[];
  /** What is remembered of the chain up to each caveat. */
  readonly marks: readonly CaveatMark[];
  /** Whether the name that it begins with is still that of the object. */
  isNamed(): boolean;
}

/** Why something is refused. */
export interface Refusal {
  readonly kind: LimitKind;
  readonly why: string;
}

/** What the limits of a chain ask. */
export interface CaveatWorld {
  readonly state: CaveatState;
  readonly clock: Clock;
}

/** Whether a chain, or what it derives from, was revoked. */
export function isRevoked({ marks, isNamed }: VerifiedChain, { state }: CaveatWorld): boolean {
  return !isNamed() || marks.some((mark) => state.isRevoked(mark));
}

function isOver(until: number, { state, clock }: CaveatWorld): boolean {
  return until <= state.endedUntil || clock.now() >= until;
}

function isFor(forTub: readonly string[], caller: string | undefined): boolean {
  return forTub.every((tubId) => tubId === caller);
}

const REVOKED = "this capability was revoked";
const EXPIRED = "this capability has expired";
const NO_ROOM = "its Tub counts the calls of too many FURLs already; try again later";
const OTHERS = "this capability is for other holders";

function limit(kind: LimitKind, why: (call: LimitedCall) => string | undefined): Limit {
  return {
    kind,
    refuses(call) {
      const reason = why(call);
      return reason === undefined ? undefined : `${cannotCall(call.method)}: ${reason}`;
    },
  };
}

/**
 * The limits of a chain, in the order in which they are asked: whose time is over or whose caller is the wrong one learns
 * nothing else.
 */
export function limitsOf(chain: VerifiedChain, world: CaveatWorld): readonly Limit[] {
  const { methods, until, forTub } = allowanceOf(chain.caveats);
  const limits: Limit[] = [limit("revoked", () => isRevoked(chain, world) ? REVOKED : undefined)];
  if (until !== undefined) limits.push(limit("expires", () => isOver(until, world) ? EXPIRED : undefined));
  if (forTub.length > 0) {
    limits.push(limit("holders", ({ context: { caller } }) => isFor(forTub, caller) ? undefined : OTHERS));
  }
  if (methods !== undefined) limits.push(new MethodLimit(new Set(methods)));
  const counted = chain.caveats.flatMap((caveat, i) =>
    caveat.type === "uses" ? [{ uses: caveat.uses, mark: chain.marks[i]! }] : []
  );
  if (counted.length > 0) limits.push(usesLimit(counted, world));
  return limits;
}

function usesLimit(
  counted: readonly { readonly uses: number; readonly mark: CaveatMark }[],
  { state, clock }: CaveatWorld,
): Limit {
  const marks = counted.map(({ mark }) => mark);
  const why = () => {
    const spent = counted.find(({ uses, mark }) => state.used(mark) >= uses);
    if (spent !== undefined) return `all of this capability's ${spent.uses} calls are used`;
    return state.hasRoom(marks, clock.now()) ? undefined : NO_ROOM;
  };
  return { ...limit("maxCalls", why), count: () => state.count(marks) };
}

/**
 * Why a peer does not get the object of a genuine FURL.
 *
 * @param asker The TubID of the peer, `undefined` if it has proved none; left out if it is the program itself.
 */
export function refusesLookup(
  chain: VerifiedChain,
  world: CaveatWorld,
  asker?: { readonly tubId: string | undefined },
): Refusal | undefined {
  const { until, forTub } = allowanceOf(chain.caveats);
  if (isRevoked(chain, world)) return { kind: "revoked", why: REVOKED };
  if (until !== undefined && isOver(until, world)) return { kind: "expires", why: EXPIRED };
  if (asker === undefined || isFor(forTub, asker.tubId)) return undefined;
  return { kind: "holders", why: OTHERS };
}
