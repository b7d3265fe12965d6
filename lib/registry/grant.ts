/**
 * The inside of one capability: its terms, its place among the others, and the gate that its calls pass.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import type { LimitKind } from "./capability_event.ts";
import type { CapabilityInfo } from "./capability_info.ts";
import { pastMethods } from "./caveat_facet.ts";
import type { Expiring } from "./expiry.ts";
import { facetOf, Gate, type GateEnd, type GateWatcher } from "./gate.ts";
import type { Terms } from "./grant_options.ts";
import type { Limit } from "./limit.ts";
import { MembraneCore, type MembraneParts } from "./membranes/core.ts";
import { CallCountLimit } from "./limits.ts";

/** What a new {@linkcode Grant} is made of. */
export interface GrantParts {
  readonly id: number;
  readonly target: Publishable;
  readonly parent: Grant | undefined;
  readonly terms: Terms;
  /** Its own limits, in the order in which they are asked, after its parents'. */
  readonly limits: readonly Limit[];
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  readonly host: GrantHost;
  /** How often it was used in earlier lives. */
  readonly callsUsed?: number | undefined;
  /** When, in milliseconds since 1970. */
  readonly lastUsedAt?: number | undefined;
}

/** What a grant tells of its calls, and asks. There may be 100,000 of them: this is made once for all. */
export interface GrantHost {
  /** A call passes. What it throws keeps it from passing: it could not be written down. */
  used(grant: Grant, method: string, caller: string | undefined): void;
  /** A call was refused. Must not throw. */
  denied(grant: Grant, method: string, caller: string | undefined, limit: LimitKind): void;
  /** Whether calls go on through FURLs that derive from a grant's own, or from those of what was reached through it. */
  isBusyByFurl(grant: Grant): boolean;
  /** What the membrane of one that is deep needs. */
  membraneOf(grant: Grant): Pick<MembraneParts, "trace" | "sturdy" | "limitsOf" | "onWrapped">;
}

const NONE: ReadonlySet<Grant> = new Set();

/** One grant. */
export class Grant implements Expiring, GateWatcher {
  readonly id: number;
  readonly label: string | undefined;
  readonly parent: Grant | undefined;
  /** What holders hold. */
  readonly facet: Publishable;
  readonly gate: Gate;
  /** What surrounds all that is reached through it, if it is deep. */
  readonly membrane: MembraneCore | undefined;
  /** With its parents' limits; Infinity: without end. */
  readonly expiresAt: number;
  /** With its parents' limits. */
  readonly methods: ReadonlySet<string> | undefined;
  /** With its parents' limits. */
  readonly holders: ReadonlySet<string> | undefined;
  /** How many it comes of. */
  readonly depth: number;
  /** What it was granted with, without its parents' terms. */
  readonly terms: Terms;
  /** Without its parents'. */
  readonly ownLimits: readonly Limit[];
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  readonly #host: GrantHost;
  /** Most have none, and a Set is a tenth of what a grant takes. */
  #children: Set<Grant> | undefined;
  #callsUsed: number;
  #lastUsedAt: number | undefined;
  #end: GateEnd | undefined;
  #object: Publishable | undefined;
  /** Children whose time is over, with calls that go on: what ends this one has to end those. */
  #lapsed: Set<Grant> | undefined;
  /** How many lapsed children there may be before it is asked which of them still matter. */
  #maxLapsed = 16;

  /** A grant that its parent knows. */
  constructor(parts: GrantParts) {
    const { id, target, parent, terms, limits, createdAt, host } = parts;
    this.#host = host;
    this.id = id;
    this.label = terms.label;
    this.parent = parent;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.expiresAt = Math.min(terms.expiresAt ?? Infinity, parent?.expiresAt ?? Infinity);
    this.methods = terms.methods ?? parent?.methods;
    this.holders = terms.holders ?? parent?.holders;
    this.terms = terms;
    this.ownLimits = limits;
    this.createdAt = createdAt;
    this.#callsUsed = parts.callsUsed ?? 0;
    this.#lastUsedAt = parts.lastUsedAt;
    this.#object = target;
    const all = parent === undefined ? limits : [...parent.gate.limits, ...limits];
    if (terms.deep !== undefined || parent?.isDeep === true) {
      this.membrane = new MembraneCore({
        ...host.membraneOf(this),
        label: terms.label,
        policies: this.#chain().flatMap(({ deep }) => deep ?? []),
        // `methods` names those of the target; what the target gives out has others.
        limits: pastMethods(all),
        watcher: this,
      });
    }
    this.gate = new Gate(this.membrane?.enclose(target) ?? target, all, this, this.membrane?.policy);
    this.facet = facetOf(this.gate);
    this.membrane?.standFor(this.facet, target);
    if (parent !== undefined) (parent.#children ??= new Set()).add(this);
  }

  /** Those that come of it and are not over. */
  get children(): ReadonlySet<Grant> {
    return this.#children ?? NONE;
  }

  /** What it leads to; `undefined` when it is over. */
  get object(): Publishable | undefined {
    return this.#object;
  }

  /** Whether all that is reached through it is limited as it is. */
  get isDeep(): boolean {
    return this.membrane !== undefined;
  }

  /** Whether it was revoked or has expired. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Why it allows nothing any more. */
  get end(): GateEnd | undefined {
    return this.#end;
  }

  /** Calls that were let through, by it and by its children. */
  get callsUsed(): number {
    return this.#callsUsed;
  }

  /** When a call was last let through, in milliseconds since 1970. */
  get lastUsedAt(): number | undefined {
    return this.#lastUsedAt;
  }

  /** Lets nothing pass any more. What runs goes on, until the gate ends its calls. */
  shut(end: GateEnd): void {
    this.#end = end;
    this.#object = undefined;
    this.gate.shut(end);
    this.membrane?.shut(end);
    const { parent } = this;
    if (parent === undefined) return;
    parent.#children?.delete(this);
    parent.#lapsed?.delete(this);
  }

  /** Whether calls go on that began before its time, or that of some that come of it, was over. */
  isBusy(): boolean {
    for (const grant of this.family()) {
      if (grant.gate.running + (grant.membrane?.running ?? 0) > 0 || this.#host.isBusyByFurl(grant)) {
        return true;
      }
    }
    return false;
  }

  /** Its time is over, and that of all that come of it: calls that go on can still be ended by what it comes of. */
  lapse(): void {
    const { parent } = this;
    if (parent === undefined || !this.isBusy()) return;
    const lapsed = parent.#lapsed ??= new Set();
    if (lapsed.size >= parent.#maxLapsed) {
      for (const grant of lapsed) if (!grant.isBusy()) lapsed.delete(grant);
      parent.#maxLapsed = Math.max(16, 2 * lapsed.size);
    }
    lapsed.add(this);
  }

  /** Fails all calls that have begun, of one that was revoked. */
  endCalls(): void {
    this.gate.endCalls();
    this.membrane?.endCalls();
  }

  used(method: string, caller: string | undefined): void {
    this.#host.used(this, method, caller);
  }

  denied(method: string, caller: string | undefined, limit: LimitKind): void {
    this.#host.denied(this, method, caller, limit);
  }

  /** Counts a call that was let through, here and for all that it comes of. */
  count(now: number): void {
    // deno-lint-ignore no-this-alias
    for (let grant: Grant | undefined = this; grant !== undefined; grant = grant.parent) {
      grant.#callsUsed++;
      grant.#lastUsedAt = now;
    }
  }

  /** It and all that comes of it, parents first; of what has expired, only what may have calls that go on. */
  *family(): Generator<Grant> {
    const waiting: Grant[] = [this];
    for (let grant = waiting.pop(); grant !== undefined; grant = waiting.pop()) {
      yield grant;
      for (const child of grant.children) waiting.push(child);
      for (const child of grant.#lapsed ?? []) waiting.push(child);
    }
  }

  /** What it allows, and what became of it. */
  info(now: number): CapabilityInfo {
    const left = this.gate.limits.filter((limit) => limit instanceof CallCountLimit).map(({ left }) => left);
    const chain = this.#chain();
    return Object.freeze({
      id: this.id,
      label: this.label,
      methods: frozenList(this.methods),
      expiresAt: this.expiresAt === Infinity ? undefined : this.expiresAt,
      callsUsed: this.#callsUsed,
      callsLeft: left.length === 0 ? undefined : Math.min(...left),
      callsRunning: this.membrane?.running ?? this.gate.running,
      rates: Object.freeze(chain.flatMap(({ rate }) => rate ?? [])),
      holders: frozenList(this.holders),
      requires: Object.freeze(chain.flatMap(({ requires }) => requires)),
      isDeep: this.isDeep,
      isRevoked: this.#end === "revoked",
      isExpired: this.#end === "expires" || (this.#end === undefined && now >= this.expiresAt),
      parent: this.parent?.id,
      children: this.children.size,
      createdAt: this.createdAt,
      lastUsedAt: this.#lastUsedAt,
    });
  }

  /** The terms of all that it comes of, the first one first, and its own. */
  #chain(): Terms[] {
    const chain: Terms[] = [];
    // deno-lint-ignore no-this-alias
    for (let grant: Grant | undefined = this; grant !== undefined; grant = grant.parent) {
      chain.push(grant.terms);
    }
    return chain.reverse();
  }
}

function frozenList(set: ReadonlySet<string> | undefined): readonly string[] | undefined {
  return set === undefined ? undefined : Object.freeze([...set]);
}
