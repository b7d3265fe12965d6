/**
 * The caveats of an attenuated FURL as limits of a facet.
 *
 * @module
 */

import type { Caveat } from "../names/caveat.ts";
import { allowanceOf } from "../names/describe_furl.ts";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import type { LimitKind } from "./capability_event.ts";
import type { CaveatMark, CaveatState } from "./caveat_state.ts";
import type { Limit, LimitedCall } from "./limit.ts";

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

const METHODS_SHOWN = 20;

/**
 * The limits of a chain, in the order in which they are asked: whose time is over or whose caller is the wrong one learns
 * nothing else.
 */
export function limitsOf(chain: VerifiedChain, world: CaveatWorld): readonly Limit[] {
  const { methods, until, forTub } = allowanceOf(chain.caveats);
  const limits: Limit[] = [{
    kind: "revoked",
    refuses: () => isRevoked(chain, world) ? "it was revoked" : undefined,
  }];
  if (until !== undefined) {
    limits.push({ kind: "expires", refuses: () => isOver(until, world) ? "it expired" : undefined });
  }
  if (forTub.length > 0) {
    limits.push({
      kind: "holders",
      refuses: ({ context: { caller } }) =>
        forTub.every((tubId) => tubId === caller) ? undefined : "it is for other holders",
    });
  }
  if (methods !== undefined) limits.push(methodLimit(methods));
  const counted = chain.caveats.flatMap((caveat, i) =>
    caveat.type === "uses" ? [{ uses: caveat.uses, mark: chain.marks[i]! }] : []
  );
  if (counted.length > 0) limits.push(usesLimit(counted, world));
  return limits;
}

function methodLimit(methods: readonly string[]): Limit {
  const allowed = new Set(methods);
  const shown = methods.slice(0, METHODS_SHOWN).map((name) =>
    /^\w+$/.test(name) ? name : quoteForeign(name, 100)
  );
  if (methods.length > METHODS_SHOWN) shown.push("…");
  const why = `this capability allows only ${methods.length === 0 ? "nothing" : shown.join(", ")}`;
  return { kind: "method", refuses: ({ method }: LimitedCall) => allowed.has(method) ? undefined : why };
}

function usesLimit(
  counted: readonly { readonly uses: number; readonly mark: CaveatMark }[],
  { state, clock }: CaveatWorld,
): Limit {
  const marks = counted.map(({ mark }) => mark);
  return {
    kind: "maxCalls",
    refuses() {
      const spent = counted.find(({ uses, mark }) => state.used(mark) >= uses);
      if (spent !== undefined) return `all of its ${spent.uses} calls are used`;
      return state.hasRoom(marks, clock.now())
        ? undefined
        : "its Tub counts the calls of too many FURLs already; try again later";
    },
    count: () => state.count(marks),
  };
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
  if (isRevoked(chain, world)) return { kind: "revoked", why: "it was revoked" };
  if (until !== undefined && isOver(until, world)) return { kind: "expires", why: "it expired" };
  if (asker === undefined || forTub.every((tubId) => tubId === asker.tubId)) return undefined;
  return { kind: "holders", why: "it is for other holders" };
}
