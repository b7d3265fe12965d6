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
import type { GateEnd } from "./gate.ts";
import type { Limit, LimitedCall } from "./limit.ts";
import { cannotCall } from "./limits/cannot_call.ts";
import { MethodLimit } from "./limits/method_limit.ts";
import { PermissionLimit } from "./limits/permission_limit.ts";
import type { PermissionQuery } from "./permission_query.ts";

/** A chain of caveats that was verified. */
export interface VerifiedChain {
  readonly caveats: readonly Caveat[];
  /** What is remembered of the chain up to each caveat. */
  readonly marks: readonly CaveatMark[];
  /** Why the name that it begins with is not that of the object any more; `undefined` while it is. */
  whyGone(): GateEnd | undefined;
}

/** What the limits of a chain ask. */
export interface CaveatWorld {
  readonly state: CaveatState;
  readonly clock: Clock;
}

/** Why something is refused. */
export interface Refusal {
  readonly limit: LimitKind;
  readonly why: string;
}

const REVOKED: Refusal = { limit: "revoked", why: "this capability was revoked" };
const EXPIRED: Refusal = { limit: "expires", why: "this capability has expired" };
const OTHERS: Refusal = { limit: "holders", why: "this capability is for other holders" };
const NO_ROOM = "its Tub counts the calls of too many FURLs already; try again later";

/** Whether a chain, or what it derives from, is over, and why. */
function endOf(
  { caveats, marks, whyGone }: VerifiedChain,
  { state, clock }: CaveatWorld,
): GateEnd | undefined {
  const gone = whyGone();
  if (gone !== undefined) return gone;
  for (const mark of marks) if (state.isRevoked(mark)) return "revoked";
  for (const caveat of caveats) {
    if (caveat.type !== "until") continue;
    if (clock.now() >= caveat.until || caveat.until <= state.endedUntil) return "expires";
  }
  return undefined;
}

/** Refuses with the right kind: what is over was revoked or has expired. */
function endLimit(kind: GateEnd, chain: VerifiedChain, world: CaveatWorld): Limit {
  const { limit, why } = kind === "revoked" ? REVOKED : EXPIRED;
  return limitOf(limit, () => endOf(chain, world) === kind ? why : undefined);
}

function limitOf(kind: LimitKind, why: (call: LimitedCall) => string | undefined): Limit {
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
  const { methods, forTub } = allowanceOf(chain.caveats);
  const limits = [endLimit("revoked", chain, world), endLimit("expires", chain, world)];
  if (forTub.length > 0) {
    limits.push(
      limitOf("holders", ({ context: { caller } }) => isFor(forTub, caller) ? undefined : OTHERS.why),
    );
  }
  if (methods !== undefined) limits.push(new MethodLimit(new Set(methods)));
  const counted = countedOf(chain);
  if (counted.length > 0) limits.push(usesLimit(counted, world));
  return limits;
}

function isFor(forTub: readonly string[], caller: string | undefined): boolean {
  return forTub.every((tubId) => tubId === caller);
}

interface Counted {
  readonly uses: number;
  readonly mark: CaveatMark;
}

function countedOf({ caveats, marks }: VerifiedChain): readonly Counted[] {
  return caveats.flatMap((caveat, i) =>
    caveat.type === "uses" ? [{ uses: caveat.uses, mark: marks[i]! }] : []
  );
}

function usesLimit(counted: readonly Counted[], { state, clock }: CaveatWorld): Limit {
  const marks = counted.map(({ mark }) => mark);
  const limit = limitOf("maxCalls", () => {
    const spent = counted.find(({ uses, mark }) => state.used(mark) >= uses);
    if (spent !== undefined) return `all of this capability's ${spent.uses} calls are used`;
    return state.hasRoom(marks, clock.now()) ? undefined : NO_ROOM;
  });
  return { ...limit, count: () => state.count(marks) };
}

/** What became of a chain. */
export interface ChainStatus {
  readonly end: GateEnd | undefined;
  /** `undefined` if they are not counted. */
  readonly callsLeft: number | undefined;
}

/** How it stands with a chain now. */
export function statusOf(chain: VerifiedChain, world: CaveatWorld): ChainStatus {
  const left = countedOf(chain).map(({ uses, mark }) => Math.max(0, uses - world.state.used(mark)));
  return { end: endOf(chain, world), callsLeft: left.length === 0 ? undefined : Math.min(...left) };
}

/**
 * Why a peer does not get the object of a genuine FURL.
 *
 * @param asker The peer; left out if it is the program itself.
 */
export function refusesLookup(
  chain: VerifiedChain,
  world: CaveatWorld,
  asker?: { readonly tubId: string | undefined },
): Refusal | undefined {
  const end = endOf(chain, world);
  if (end !== undefined) return end === "revoked" ? REVOKED : EXPIRED;
  const { forTub } = allowanceOf(chain.caveats);
  return asker === undefined || isFor(forTub, asker.tubId) ? undefined : OTHERS;
}

/**
 * The limits of a grant that a FURL was derived from, to be asked first: a call that they refuse shall not be counted. Who
 * counts it for them is the grant.
 */
export function withoutCounts(limits: readonly Limit[]): readonly Limit[] {
  return limits.map((limit) => ({ kind: limit.kind, refuses: (call) => limit.refuses(call) }));
}

/** The limits of what is reached through something deep: it has other methods. */
export function pastMethods(limits: readonly Limit[]): readonly Limit[] {
  return limits.filter(({ kind }) => kind !== "method");
}

/** The limit of an object whose class requires permissions. */
export function permissionLimits(
  requires: readonly Deno.PermissionDescriptor[],
  permissions: PermissionQuery,
): readonly Limit[] {
  return requires.length === 0 ? [] : [new PermissionLimit(requires, permissions)];
}
