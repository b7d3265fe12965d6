/**
 * What caveats in a name allow, and the object that holds to it.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import type { Caveat } from "../names/caveat.ts";
import { allowanceOf } from "../names/describe_furl.ts";
import type { Clock } from "../util/clock.ts";
import { redact } from "../util/redact.ts";
import type { LimitKind } from "./capability_event.ts";
import type { EventLog, Subject } from "./capability_events.ts";
import type { CapabilityInfo } from "./capability_info.ts";
import type { CaveatMark, CaveatState } from "./caveat_state.ts";
import { facetOf, Gate, type GateEnd, type GateWatcher } from "./gate.ts";
import type { Limit, LimitedCall } from "./limit.ts";
import { cannotCall, MethodLimit, PermissionLimit } from "./limits.ts";
import { MembraneCore, type MembraneParts } from "./membranes/core.ts";
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
interface Refusal {
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
function limitsOf(chain: VerifiedChain, world: CaveatWorld): readonly Limit[] {
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
interface ChainStatus {
  readonly end: GateEnd | undefined;
  /** `undefined` if they are not counted. */
  readonly callsLeft: number | undefined;
}

/** How it stands with a chain now. */
function statusOf(chain: VerifiedChain, world: CaveatWorld): ChainStatus {
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

/** What a {@linkcode CaveatFacet} is made of. */
interface CaveatFacetParts {
  readonly id: number;
  readonly target: Publishable;
  /** The number of what the FURL was derived from, where it has one. */
  readonly parent: number | undefined;
  /** The number of the grant, or of the facet, that this one ends with. */
  readonly owner: number | undefined;
  readonly chain: VerifiedChain;
  readonly world: CaveatWorld;
  readonly log: EventLog;
  /** What else is asked before a call passes. */
  readonly limits: readonly Limit[];
  /** What its membrane needs, if what is reached through the target is limited as that is. */
  readonly membrane: Pick<MembraneParts, "trace" | "sturdy"> | undefined;
  /** Is told what somebody has got through it, if it is deep. */
  onWrapped(standIn: Publishable, object: object): void;
}

/** One attenuated FURL that somebody uses. */
export class CaveatFacet implements Subject {
  readonly id: number;
  readonly label: string | undefined;
  readonly chain: VerifiedChain;
  /** What calls go to. */
  readonly target: Publishable;
  /** What holders hold. */
  readonly facet: Publishable;
  /** The number of the grant, or of the facet, that this one ends with. */
  readonly owner: number | undefined;
  readonly #gate: Gate;
  readonly #world: CaveatWorld;
  readonly #parent: number | undefined;
  readonly #createdAt: number;
  readonly #membrane: MembraneCore | undefined;
  #callsUsed = 0;
  #lastUsedAt: number | undefined;
  #isShut = false;

  /** A facet for a chain that was verified. */
  constructor(parts: CaveatFacetParts) {
    const { id, target, parent, chain, world, log, membrane, onWrapped } = parts;
    this.id = id;
    this.chain = chain;
    this.target = target;
    this.owner = parts.owner;
    for (const caveat of chain.caveats) {
      // A holder has chosen it, and it stands in events and in the audit file: no FURL shall.
      if (caveat.type === "label") this.label = redact(caveat.label);
    }
    this.#parent = parent;
    this.#world = world;
    this.#createdAt = world.clock.now();
    const limits = [...limitsOf(chain, world), ...parts.limits];
    const watcher: GateWatcher = {
      used: (method, caller) => {
        log.used(this, caller, method);
        this.#callsUsed++;
        this.#lastUsedAt = world.clock.now();
      },
      denied: (method, caller, limit) => log.denied(this, caller, method, limit),
    };
    if (membrane !== undefined) {
      this.#membrane = new MembraneCore({
        ...membrane,
        label: this.label,
        // The target's membrane asks its own.
        policies: [],
        // What it gives out has other methods.
        limits: pastMethods(limits),
        watcher,
        onWrapped,
      });
    }
    this.#gate = new Gate(this.#membrane?.enclose(target) ?? target, limits, watcher);
    this.facet = facetOf(this.#gate);
    this.#membrane?.standFor(this.facet, target);
  }

  /** Whether what is reached through it is limited as it is. */
  get isDeep(): boolean {
    return this.#membrane !== undefined;
  }

  /** What is asked about calls of it. */
  get limits(): readonly Limit[] {
    return this.#gate.limits;
  }

  /** Why nothing passes any more. */
  whyOver(): GateEnd | undefined {
    return this.#isShut ? "revoked" : endOf(this.chain, this.#world);
  }

  /** Whether it lets no call pass any more, for good. */
  get isShut(): boolean {
    return this.#isShut;
  }

  /** Calls that have begun and not ended. */
  get running(): number {
    return this.#gate.running + (this.#membrane?.running ?? 0);
  }

  /** Lets no call pass any more. Those that run go on until {@linkcode CaveatFacet.endCalls}. */
  shut(): void {
    if (this.#isShut) return;
    this.#isShut = true;
    this.#gate.shut("revoked");
    this.#membrane?.shut("revoked");
  }

  /** Fails all calls that have begun, of one that was shut. */
  endCalls(): void {
    this.#gate.endCalls();
    this.#membrane?.endCalls();
  }

  /** What it allows. */
  info(): CapabilityInfo {
    const { methods, until, forTub } = allowanceOf(this.chain.caveats);
    const { callsLeft, end } = statusOf(this.chain, this.#world);
    return Object.freeze({
      id: this.id,
      label: this.label,
      methods,
      expiresAt: until,
      callsUsed: this.#callsUsed,
      callsLeft,
      callsRunning: this.#membrane?.running ?? this.#gate.running,
      rates: Object.freeze([]),
      holders: forTub.length === 0 ? undefined : forTub.length === 1 ? forTub : Object.freeze([]),
      requires: Object.freeze([]),
      isDeep: this.isDeep,
      isRevoked: this.#isShut || end === "revoked",
      isExpired: end === "expires",
      parent: this.#parent,
      children: 0,
      createdAt: this.#createdAt,
      lastUsedAt: this.#lastUsedAt,
    });
  }
}
