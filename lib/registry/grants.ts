/**
 * The grants of one registry: made, attenuated, ended, and told about.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { Referenceable } from "../broker/referenceable.ts";
import { PermissionDenied, toError } from "../errors.ts";
import { MAX_ATTENUATIONS } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import type { Trace } from "../util/trace.ts";
import { Capability, type CapabilityHost } from "./capability.ts";
import type { LimitKind } from "./capability_event.ts";
import { type CaveatFacet, pastMethods, permissionLimits, withoutCounts } from "./caveat_facet.ts";
import type { DurableGrants, Recipe } from "./durable_grants.ts";
import type { EventLog } from "./capability_events.ts";
import { ExpiryQueue } from "./expiry.ts";
import type { DurableOptions } from "./factories.ts";
import type { GateEnd } from "./gate.ts";
import { Grant, type GrantHost } from "./grant.ts";
import {
  type AttenuateOptions,
  checkTerms,
  type GrantOptions,
  splitOptions,
  type Terms,
} from "./grant_options.ts";
import { checkMethods, checkNarrower, checkStorable } from "./grant_rules.ts";
import type { Limit } from "./limit.ts";
import { limitsOf } from "./limits_of.ts";
import { PermissionLimit } from "./limits.ts";
import type { SturdyHost } from "./membranes/sturdy_refs.ts";
import type { NameTable } from "./name_table.ts";
import type { PermissionQuery } from "./permission_query.ts";
import { checkPermissions, requiredBy, requiredForCalls } from "./requirements.ts";
import type { StoredGrant } from "./store.ts";

/** What {@linkcode Grants} need of the registry. */
export interface GrantsOptions {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly trace: Trace;
  readonly permissions: PermissionQuery | undefined;
  /** The next number. */
  nextId(): number;
  /** Has the names of the facets. */
  readonly table: NameTable<Publishable>;
  /** The FURL of a facet. */
  furlOf(facet: Publishable): string;
  /** Keeps grants for the next start. */
  readonly durable: DurableGrants | undefined;
  /** What lets FURLs cross membranes. */
  readonly sturdy: SturdyHost;
  /** Facets of attenuated FURLs that end with grants. */
  readonly derived: DerivedFacets;
}

/** The facets of FURLs that derive from grants', or from those of what was reached through them. */
export interface DerivedFacets {
  /** Lets no call pass those of some grants, given by their numbers. @returns What was shut, with calls that still run. */
  shutDerived(grants: readonly number[]): readonly CaveatFacet[];
  /** Whether calls go on through those of a grant. */
  isBusy(grant: number): boolean;
}

/** What else is to be known of a grant that is made. */
interface Making {
  /** It is kept, and gets its object back so. */
  readonly recipe?: Recipe | undefined;
  /** It is there already. */
  readonly stored?: StoredGrant | undefined;
}

interface Granted {
  readonly grant: Grant;
  readonly capability: Capability;
}

/** What somebody has got through a deep grant. */
export interface Reached {
  readonly grant: Grant;
  /** What it stands for. */
  readonly object: object;
}

/** All grants of a registry that are not over. */
export class Grants implements CapabilityHost, GrantHost {
  readonly #options: GrantsOptions;
  readonly #byFacet = new WeakMap<Publishable, Granted>();
  readonly #roots = new Set<Grant>();
  readonly #expiring: ExpiryQueue<Grant>;
  /** What peers have got through deep grants. */
  readonly #reached = new WeakMap<object, Reached>();
  #isClosed = false;

  /** None yet. */
  constructor(options: GrantsOptions) {
    this.#options = options;
    this.#expiring = new ExpiryQueue(options.clock, (grant) => this.#end(grant, "expires"));
  }

  /** Those that were attenuated from nothing and are not over, in the order in which they were granted. */
  get roots(): ReadonlySet<Grant> {
    return this.#roots;
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** The grant of a facet; `undefined` if it is none of this registry. */
  find(facet: Publishable): Granted | undefined {
    return this.#byFacet.get(facet);
  }

  /** Through which deep grant somebody has got this. */
  reachedBy(object: Publishable): Reached | undefined {
    return this.#reached.get(object);
  }

  /** What is asked about calls of an object, whether it was granted or not, to be asked without counting. */
  limitsOf(object: Publishable): readonly Limit[] {
    const { permissions, trace } = this.#options;
    const facet = this.#byFacet.get(object);
    if (facet !== undefined) return withoutCounts(facet.grant.gate.limits);
    const reached = this.#reached.get(object);
    if (reached !== undefined) return withoutCounts(pastMethods(reached.grant.gate.limits));
    return permissions === undefined ? [] : permissionLimits(requiredForCalls(object, trace), permissions);
  }

  /** Whether what is reached through this is limited as it is. */
  isDeep(object: Publishable): boolean {
    return this.#byFacet.get(object)?.grant.isDeep ?? this.#reached.has(object);
  }

  /** Grants an object; of a facet, it attenuates the capability. The object has been checked. */
  grant(object: Publishable, options: GrantOptions): Capability {
    const { durable, others } = splitOptions(options);
    const known = this.#byFacet.get(object);
    if (known !== undefined) {
      if (durable === undefined) return this.attenuate(known.grant, others);
      throw new TypeError(
        "Cannot grant: durable is for objects; what comes of a durable capability is durable",
      );
    }
    const terms = this.#withRequired(checkTerms(others, this.now()), requiredBy(object));
    return this.#make(object, undefined, terms, { recipe: this.#recipeOf(durable) }).capability;
  }

  attenuate(parent: Grant, options: AttenuateOptions): Capability {
    const terms = checkTerms(options, this.now());
    checkOpen(parent, this.now(), "attenuate it");
    if (parent.depth >= MAX_ATTENUATIONS) {
      throw new RangeError(
        `Cannot attenuate it: it comes of ${parent.depth} others already; attenuate one of those`,
      );
    }
    checkNarrower(terms, parent);
    return this.#make(parent.object!, parent, terms).capability;
  }

  /** Makes the grants again that a store has kept. */
  async restore(stored: Iterable<StoredGrant>): Promise<void> {
    await this.#options.durable?.restore(stored, (stored, target, terms, parent) => {
      // What the class requires may have changed since the grant was kept.
      const all = parent === undefined ? this.#withRequired(terms, requiredBy(target)) : terms;
      return this.#make(target, parent, all, { stored }).grant;
    });
  }

  /** Runs something whose durable grants and revocations are written in one go. */
  batch(run: () => void): void {
    const { durable } = this.#options;
    if (durable === undefined) {
      throw new TypeError("Cannot batch: this Tub has no store; Tub.create takes one");
    }
    durable.batch(run, (grant) => this.revoke(grant));
  }

  furlOf(grant: Grant): string {
    checkOpen(grant, this.now(), "give its FURL");
    return this.#options.furlOf(grant.facet);
  }

  revoke(grant: Grant): boolean {
    if (grant.end === "revoked" || (grant.isOver && !grant.isBusy())) return false;
    this.#end(grant, "revoked");
    return true;
  }

  used(grant: Grant, method: string, caller: string | undefined): void {
    const { log, durable } = this.#options;
    log.used(grant, caller, method);
    grant.count(this.now());
    durable?.used(grant);
  }

  isBusyByFurl({ id }: Grant): boolean {
    return this.#options.derived.isBusy(id);
  }

  denied(grant: Grant, method: string, caller: string | undefined, limit: LimitKind): void {
    this.#options.log.denied(grant, caller, method, limit);
    if (limit === "expires") this.#noticeExpired(grant);
  }

  membraneOf(grant: Grant): ReturnType<GrantHost["membraneOf"]> {
    const { trace, sturdy } = this.#options;
    return {
      trace,
      sturdy,
      limitsOf: (object) => this.#limitsOfReached(object),
      onWrapped: (standIn, object) => void this.#reached.set(standIn, { grant, object }),
    };
  }

  /** Ends all of them, without a word. */
  clear(): void {
    this.#isClosed = true;
    this.#expiring.clear();
    const all = [...this.#roots].flatMap((root) => [...root.family()]);
    this.#roots.clear();
    for (const grant of all) grant.shut("revoked");
    for (const grant of all) grant.endCalls();
  }

  #withRequired(terms: Terms, required: readonly Deno.PermissionDescriptor[]): Terms {
    if (required.length === 0) return terms;
    const known = new Set(terms.requires.map((descriptor) => JSON.stringify(descriptor)));
    const added = required.filter((descriptor) => !known.has(JSON.stringify(descriptor)));
    return added.length === 0 ? terms : { ...terms, requires: [...added, ...terms.requires] };
  }

  #recipeOf(options: DurableOptions | undefined): Recipe | undefined {
    if (options === undefined) return undefined;
    const { durable } = this.#options;
    if (durable !== undefined) return durable.recipeOf(options);
    throw new TypeError("Cannot grant: this Tub has no store to keep it in; Tub.create takes one");
  }

  #make(
    target: Publishable,
    parent: Grant | undefined,
    terms: Terms,
    { recipe, stored }: Making = {},
  ): Granted {
    const { nextId, permissions, table, log, durable, clock } = this.#options;
    if (this.#isClosed) throw new TypeError("Cannot grant: this Tub has been stopped; create another one");
    if (stored === undefined) {
      checkMethods(target, terms.methods);
      checkPermissions(terms.requires, permissions, "grant");
    }
    const isDurable = recipe !== undefined || stored !== undefined ||
      (parent !== undefined && durable?.has(parent) === true);
    if (isDurable) checkStorable(terms);
    const id = stored?.id ?? nextId();
    const grant = new Grant({
      id,
      target,
      parent,
      // A secret, which lies sealed in the table of names and nowhere else.
      terms: terms.name === undefined ? terms : { ...terms, name: undefined },
      limits: limitsOf(terms, clock, permissions, {
        journal: isDurable ? durable?.journal(id, clock) : undefined,
        callsUsed: stored?.used,
      }),
      host: this,
      createdAt: stored?.createdAt ?? this.now(),
      callsUsed: stored?.used,
      lastUsedAt: stored?.lastUsedAt,
    });
    const capability = new Capability(this, grant);
    const granted: Granted = { grant, capability };
    let isTold = false;
    try {
      if (stored === undefined) giveName(table, grant.facet, terms.name);
      // The log comes first: if it cannot write, nothing has been kept yet that would have to be taken back.
      log.record(grant, {
        type: "granted",
        parent: parent?.id,
        how: howOf(grant, stored),
      });
      isTold = true;
      if (isDurable && stored === undefined) durable!.add(grant, recipe, terms.name);
    } catch (error) {
      grant.shut("revoked");
      table.remove(grant.facet);
      if (isTold) log.record(grant, { type: "revoked", by: id });
      throw error;
    }
    this.#byFacet.set(grant.facet, granted);
    if (parent === undefined) this.#roots.add(grant);
    if (grant.expiresAt !== Infinity) this.#expiring.add(grant);
    return granted;
  }

  /** Of what is reached through a deep grant, the class may declare permissions as well. */
  #limitsOfReached(object: object): PermissionLimit[] {
    const { permissions, trace } = this.#options;
    const requires = object instanceof Referenceable ? requiredForCalls(object, trace) : [];
    if (requires.length === 0 || permissions === undefined) return [];
    // Refused when it is called, as what is passed to a peer without a grant: the text for a grant names paths and hosts.
    return [new PermissionLimit(requires, permissions)];
  }

  /** A call was refused because the time is over, before the timer has noticed. */
  #noticeExpired(grant: Grant): void {
    const now = this.now();
    // The limit that refused may be a parent's.
    let first = grant;
    for (let parent = grant.parent; parent !== undefined && parent.expiresAt <= now; parent = parent.parent) {
      first = parent;
    }
    if (!first.isOver) this.#end(first, "expires");
  }

  #end(first: Grant, end: GateEnd): void {
    const { log, table, durable, trace, derived } = this.#options;
    const family: Grant[] = [], busy: Grant[] = [];
    for (const grant of first.family()) {
      if (!grant.isOver) family.push(grant);
      // It has expired, but calls that had begun by then go on: a revocation ends those too.
      else if (end === "revoked" && grant.end === "expires" && grant.isBusy()) busy.push(grant);
    }
    // All are shut before code of the program runs, which could call one of them.
    for (const grant of [...family, ...busy]) grant.shut(end);
    const facets = end === "revoked" ? derived.shutDerived([...family, ...busy].map(({ id }) => id)) : [];
    if (end === "expires") { for (const grant of family.toReversed()) grant.lapse(); }
    this.#roots.delete(first);
    for (const grant of family) {
      table.retire(grant.facet, end);
      this.#expiring.remove(grant);
      log.record(grant, end === "expires" ? { type: "expired" } : { type: "revoked", by: first.id });
    }
    for (const subject of [...busy, ...facets]) log.record(subject, { type: "revoked", by: first.id });
    let failure: unknown;
    try {
      durable?.end(family, end);
    } catch (error) {
      // It is over in this process, whatever the disk does; the caller is told at the end.
      failure = error;
    }
    if (end === "revoked") { for (const ended of [...family, ...busy, ...facets]) ended.endCalls(); }
    if (failure === undefined) return;
    // An expiry that could not be written is noticed again at the next start.
    if (end === "expires") trace({ type: "callback-failed", where: "store", error: toError(failure) });
    else throw failure;
  }
}

/** What gives the FURLs of objects that have a name in `table`. */
export function furlGiver(
  table: NameTable<Publishable>,
  furlOf: ((object: Publishable) => string) | undefined,
): (object: Publishable) => string {
  return (object) => {
    // Throws, and says why the name cannot be told.
    if (!table.isKnown(object)) table.nameOf(object);
    if (furlOf === undefined) throw new TypeError("Cannot give a FURL: this registry has no Tub");
    return furlOf(object);
  };
}

/** @throws {RangeError} If another object has the name. */
function giveName(table: NameTable<Publishable>, facet: Publishable, name: string | undefined): void {
  if (name === undefined) table.addUnnamed(facet, true);
  else table.add(facet, name);
  table.keep(facet);
}

function howOf({ parent, isDeep }: Grant, stored: StoredGrant | undefined) {
  if (stored !== undefined) return "restored";
  if (parent !== undefined) return "attenuate";
  return isDeep ? "membrane" : "grant";
}

function checkOpen(grant: Grant, now: number, action: string): void {
  const end = grant.end ?? (now >= grant.expiresAt ? "expires" : undefined);
  if (end === undefined) return;
  throw new PermissionDenied(
    end === "revoked"
      ? `Cannot ${action}: this capability was revoked; grant another one`
      : `Cannot ${action}: this capability has expired; grant another one`,
    { limit: end },
  );
}
