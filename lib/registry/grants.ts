/**
 * The grants of one registry: made, attenuated, ended, and told about.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { PermissionDenied } from "../errors.ts";
import type { Clock } from "../util/clock.ts";
import { Capability, type CapabilityHost } from "./capability.ts";
import type { EventLog } from "./event_log.ts";
import { ExpiryQueue } from "./expiry_queue.ts";
import type { GateEnd } from "./gate.ts";
import { Grant } from "./grant.ts";
import { type AttenuateOptions, checkTerms, type Terms } from "./grant_options.ts";
import { checkMethods, checkNarrower, checkPermissions, requiredBy } from "./grant_rules.ts";
import type { Limit } from "./limit.ts";
import { CallCountLimit } from "./limits/call_count_limit.ts";
import { ExpiryLimit } from "./limits/expiry_limit.ts";
import { HolderLimit } from "./limits/holder_limit.ts";
import { MethodLimit } from "./limits/method_limit.ts";
import { PermissionLimit } from "./limits/permission_limit.ts";
import { RateLimit } from "./limits/rate_limit.ts";
import type { PermissionQuery } from "./permission_query.ts";

/** What {@linkcode Grants} need of the registry. */
export interface GrantsOptions {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly permissions: PermissionQuery | undefined;
  /** The next number. */
  nextId(): number;
  /** Takes a new facet in, under the name that it shall have. @throws If it cannot have that name. */
  enter(facet: Publishable, name: string | undefined): void;
  /** Takes the name of a facet back, and remembers why. */
  retire(facet: Publishable, why: GateEnd): void;
  /** The FURL of a facet. */
  furlOf(facet: Publishable): string;
}

interface Granted {
  readonly grant: Grant;
  readonly capability: Capability;
}

/** All grants of a registry that are not over. */
export class Grants implements CapabilityHost {
  readonly #options: GrantsOptions;
  readonly #byFacet = new WeakMap<Publishable, Granted>();
  readonly #roots = new Set<Grant>();
  readonly #expiring: ExpiryQueue<Grant>;
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
    return this.#make(parent.gate.target!, parent, terms);
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
    for (const grant of all) grant.gate.endCalls();
  }

  #withRequired(terms: Terms, required: readonly Deno.PermissionDescriptor[]): Terms {
    return required.length === 0 ? terms : { ...terms, requires: [...required, ...terms.requires] };
  }

  #make(target: Publishable, parent: Grant | undefined, terms: Terms): Capability {
    const { nextId, permissions, enter, log } = this.#options;
    if (this.#isClosed) throw new TypeError("Cannot grant: this Tub has been stopped; create another one");
    checkMethods(target, terms.methods);
    checkPermissions(terms.requires, permissions, "grant");
    const grant: Grant = new Grant({
      id: nextId(),
      target,
      parent,
      terms,
      limits: this.#limitsOf(terms),
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
      how: parent === undefined ? "grant" : "attenuate",
    });
    return capability;
  }

  #limitsOf({ methods, expiresAt, maxCalls, rate, holders, requires }: Terms): Limit[] {
    const { clock, permissions } = this.#options;
    const limits: Limit[] = [];
    if (expiresAt !== undefined) limits.push(new ExpiryLimit(expiresAt, clock));
    if (holders !== undefined) limits.push(new HolderLimit(holders));
    if (methods !== undefined) limits.push(new MethodLimit(methods));
    if (requires.length > 0) limits.push(new PermissionLimit(requires, permissions!));
    if (maxCalls !== undefined) limits.push(new CallCountLimit(maxCalls));
    if (rate !== undefined) limits.push(new RateLimit(rate, clock));
    return limits;
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
    if (end === "revoked") { for (const grant of family) grant.gate.endCalls(); }
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
