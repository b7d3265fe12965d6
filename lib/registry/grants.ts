/**
 * The grants of one registry: made, attenuated, ended, and told about.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { Referenceable } from "../broker/referenceable.ts";
import { PermissionDenied } from "../errors.ts";
import type { Clock } from "../util/clock.ts";
import type { Trace } from "../util/trace.ts";
import { Capability, type CapabilityHost } from "./capability.ts";
import type { EventLog } from "./event_log.ts";
import { ExpiryQueue } from "./expiry_queue.ts";
import type { GateEnd } from "./gate.ts";
import { Grant } from "./grant.ts";
import { type AttenuateOptions, checkTerms, type Terms } from "./grant_options.ts";
import { checkMethods, checkNarrower, checkPermissions, requiredBy } from "./grant_rules.ts";
import { limitsOf } from "./limits_of.ts";
import { PermissionLimit } from "./limits/permission_limit.ts";
import type { SturdyHost } from "./membranes/sturdy_refs.ts";
import type { PermissionQuery } from "./permission_query.ts";

/** What {@linkcode Grants} need of the registry. */
export interface GrantsOptions {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly trace: Trace;
  readonly permissions: PermissionQuery | undefined;
  /** The next number. */
  nextId(): number;
  /** Takes a new facet in, under the name that it shall have. @throws If it cannot have that name. */
  enter(facet: Publishable, name: string | undefined): void;
  /** Takes the name of a facet back, and remembers why. */
  retire(facet: Publishable, why: GateEnd): void;
  /** The FURL of a facet. */
  furlOf(facet: Publishable): string;
  /** What lets FURLs cross membranes. */
  readonly sturdy: SturdyHost;
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
export class Grants implements CapabilityHost {
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

  /** Grants an object; of a facet, it attenuates the capability. The object has been checked. */
  grant(object: Publishable, options: AttenuateOptions): Capability {
    const known = this.#byFacet.get(object);
    if (known !== undefined) return this.attenuate(known.grant, options);
    const terms = this.#withRequired(checkTerms(options, this.now()), requiredBy(object));
    return this.#make(object, undefined, terms);
  }

  attenuate(parent: Grant, options: AttenuateOptions): Capability {
    const terms = checkTerms(options, this.now());
    checkOpen(parent, this.now(), "attenuate it");
    checkNarrower(terms, parent);
    return this.#make(parent.object!, parent, terms);
  }

  furlOf(grant: Grant): string {
    checkOpen(grant, this.now(), "give its FURL");
    return this.#options.furlOf(grant.facet);
  }

  revoke(grant: Grant): boolean {
    if (grant.isOver) return false;
    this.#end(grant, "revoked");
    return true;
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
    return required.length === 0 ? terms : { ...terms, requires: [...required, ...terms.requires] };
  }

  #make(target: Publishable, parent: Grant | undefined, terms: Terms): Capability {
    const { nextId, permissions, enter, log, clock, trace, sturdy } = this.#options;
    if (this.#isClosed) throw new TypeError("Cannot grant: this Tub has been stopped; create another one");
    checkMethods(target, terms.methods);
    checkPermissions(terms.requires, permissions, "grant");
    const grant: Grant = new Grant({
      id: nextId(),
      target,
      parent,
      terms,
      limits: limitsOf(terms, clock, permissions),
      membrane: {
        trace,
        sturdy,
        limitsOf: (object) => this.#limitsOfReached(object),
        onWrapped: (standIn, object) => void this.#reached.set(standIn, { grant, object }),
      },
      createdAt: this.now(),
      watcher: {
        used: (method, caller) => {
          grant.count(this.now());
          log.used(grant, caller, method);
        },
        denied: (method, caller, limit) => {
          log.denied(grant, caller, method, limit);
          if (limit === "expires") this.#noticeExpired(grant);
        },
      },
    });
    try {
      enter(grant.facet, terms.name);
    } catch (error) {
      grant.shut("revoked");
      throw error;
    }
    const capability = new Capability(this, grant);
    this.#byFacet.set(grant.facet, { grant, capability });
    if (parent === undefined) this.#roots.add(grant);
    if (grant.expiresAt !== Infinity) this.#expiring.add(grant);
    log.record(grant, {
      type: "granted",
      parent: parent?.id,
      how: parent !== undefined ? "attenuate" : grant.isDeep ? "membrane" : "grant",
    });
    return capability;
  }

  /** Of what is reached through a deep grant, the class may declare permissions as well. */
  #limitsOfReached(object: object): PermissionLimit[] {
    const { permissions } = this.#options;
    const requires = object instanceof Referenceable ? requiredBy(object) : [];
    if (requires.length === 0) return [];
    checkPermissions(requires, permissions, "pass on an object");
    return [new PermissionLimit(requires, permissions!)];
  }

  /** A call came before the timer. */
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
    const { log, retire } = this.#options;
    const family = [...first.family()].filter(({ isOver }) => !isOver);
    // All of them before any code of the program's runs.
    for (const grant of family) grant.shut(end);
    this.#roots.delete(first);
    for (const grant of family) {
      retire(grant.facet, end);
      this.#expiring.remove(grant);
      log.record(grant, end === "expires" ? { type: "expired" } : { type: "revoked", by: first.id });
    }
    if (end === "revoked") { for (const grant of family) grant.endCalls(); }
  }
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
