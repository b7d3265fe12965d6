/**
 * From a name that was derived offline to a facet of the object: verified, limited, and the same one for as long as somebody
 * holds it.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { FurlError, PermissionDenied } from "../errors.ts";
import { partsOf } from "../names/attenuate_furl.ts";
import { markOf } from "../names/caveat.ts";
import { isReservedName, parseDerivedName, verifyName } from "../names/derived_name.ts";
import type { SturdyRef } from "../names/sturdy_ref.ts";
import {
  CaveatFacet,
  type CaveatWorld,
  pastMethods,
  refusesLookup,
  type VerifiedChain,
  withoutCounts,
} from "./caveat_facet.ts";
import type { CaveatMark } from "./caveat_state.ts";
import type { EventLog, Subject } from "./capability_events.ts";
import type { GateEnd } from "./gate.ts";
import type { Limit } from "./limit.ts";
import type { MembraneParts } from "./membranes/core.ts";
import { LiveFacets } from "./live_facets.ts";
import { idText, type NameTable } from "./name_table.ts";

/** What {@linkcode CaveatNames} need. */
export interface CaveatNamesOptions extends CaveatWorld {
  /** Where the objects, and the facets, have their names. */
  readonly table: NameTable<Publishable>;
  readonly log: EventLog;
  /** The next number. */
  nextId(): number;
  /** The number of an object, if it was granted or registered. */
  idOf(object: Publishable): number | undefined;
  /** The number of the grant that an object is the facet of, or was reached through. */
  grantOf(object: Publishable): number | undefined;
  /** Why an object that was granted can be reached no more. */
  endOf(object: Publishable): GateEnd | undefined;
  /** Whether what is reached through an object is limited as it is. */
  isDeep(object: Publishable): boolean;
  /** What else is asked before a call of an object passes. */
  limitsOf(object: Publishable): readonly Limit[];
  /** What the membranes of FURLs need that derive from a deep grant's. */
  readonly membrane: Pick<MembraneParts, "trace" | "sturdy">;
}

/** What somebody has got through a FURL that derives from a deep grant's. */
export interface ReachedByFurl {
  readonly facet: CaveatFacet;
  /** What it stands for. */
  readonly object: object;
}

/** A genuine name. */
interface Genuine {
  readonly target: Publishable;
  readonly chain: VerifiedChain;
  readonly last: CaveatMark;
}

/** The names that derive from those of a table. */
export class CaveatNames {
  readonly #options: CaveatNamesOptions;
  readonly #live = new LiveFacets();
  #ofFacet = new WeakMap<Publishable, CaveatFacet>();
  readonly #reached = new WeakMap<object, ReachedByFurl>();

  /** No derived name has been asked for. */
  constructor(options: CaveatNamesOptions) {
    this.#options = options;
  }

  /**
   * The facet of a derived name, for the program itself. Nothing is kept of a name that is not genuine.
   *
   * @returns `undefined` also if it was revoked or has expired.
   */
  find(name: string): Publishable | undefined {
    const genuine = this.#verify(name);
    if (genuine === undefined || refusesLookup(genuine.chain, this.#options) !== undefined) return undefined;
    return this.#facetOf(genuine, name);
  }

  /**
   * The same for a peer.
   *
   * @param from The TubID of the peer; `undefined` if it has proved none.
   * @throws {PermissionDenied} If the name is genuine, and was revoked, has expired or is for another Tub.
   */
  lookup(name: string, from: string | undefined): Publishable | undefined {
    const genuine = this.#verify(name);
    if (genuine === undefined) return undefined;
    const refusal = refusesLookup(genuine.chain, this.#options, { tubId: from });
    if (refusal === undefined) return this.#facetOf(genuine, name);
    throw new PermissionDenied(`Cannot get a reference: ${refusal.why}`, { limit: refusal.limit });
  }

  /** Revokes a derived FURL: see {@linkcode CapabilityRegistry.revokeFurl}. */
  revokeFurl(furl: string | SturdyRef): boolean {
    const { name } = partsOf(furl, "revoke");
    if (!isReservedName(name)) {
      throw new FurlError(
        "Cannot revoke FURL: it is an object's own; unregister the object, or revoke its grant",
      );
    }
    const genuine = this.#verify(name);
    if (genuine !== undefined) return this.#revokeChain(genuine.chain);
    this.#endOfGone(name);
    return false;
  }

  /** The same, of the FURL of a facet; nothing if it is none of these. */
  revokeFacet(facet: Publishable): boolean | undefined {
    const known = this.#ofFacet.get(facet);
    return known === undefined ? undefined : this.#revokeChain(known.chain);
  }

  /** An object has lost its name: ends the facets of all names that derive from it. */
  endAllOf(id: string): void {
    this.#end(this.#live.ofName(id));
  }

  /**
   * Grants are revoked, given by their numbers: lets no call pass the facets of names that derive from theirs, or from those
   * of what was reached through them. A call through such a facet need not go through the grant: its membrane also gives
   * back what came in another way.
   *
   * @returns What was shut; it is for the caller to tell of it and to end its calls.
   */
  shutDerived(grants: readonly number[]): readonly CaveatFacet[] {
    return this.#shut(grants.flatMap((grant) => this.#live.ownedBy(grant)));
  }

  /** Whether calls go on through facets that end with a grant. */
  isBusy(grant: number): boolean {
    return this.#withOwned(this.#live.ownedBy(grant)).some(({ running }) => running > 0);
  }

  /** What events say of a facet; `undefined` if it is none of these. */
  subjectOf(facet: Publishable): Subject | undefined {
    return this.#ofFacet.get(facet);
  }

  /** The facet of an attenuated FURL; `undefined` if it is none of these. */
  facetOf(object: Publishable): CaveatFacet | undefined {
    return this.#ofFacet.get(object);
  }

  /** Through which attenuated FURL somebody has got this. */
  reachedBy(object: object): ReachedByFurl | undefined {
    return this.#reached.get(object);
  }

  /** Ends all facets, without a word. */
  clear(): void {
    const all = this.#live.all();
    this.#live.clear();
    for (const facet of all) facet.shut();
    for (const facet of all) facet.endCalls();
    this.#ofFacet = new WeakMap();
    this.#options.state.clear();
  }

  #verify(name: string): Genuine | undefined {
    const derived = parseDerivedName(name);
    if (derived === undefined) return undefined;
    const id = idText(derived.id);
    const named = this.#options.table.findById(id);
    if (named === undefined) return undefined;
    const links = verifyName(derived, named.root);
    if (links === undefined) return undefined;
    const caveats = derived.caveats.map(({ caveat }) => caveat);
    let until: number | undefined;
    const marks = caveats.map((caveat, i): CaveatMark => {
      if (caveat.type === "until") until = Math.min(until ?? Infinity, caveat.until);
      return { mark: markOf(links[i]!), id, until };
    });
    const { object: target, isNamed } = named;
    // What was reached through a grant keeps its name when that ends, and leads nowhere all the same.
    const whyGone = () =>
      this.#options.endOf(target) ?? this.#endOfFurl(target) ?? (isNamed() ? undefined : "revoked");
    return { target, chain: { caveats, marks, whyGone }, last: marks.at(-1)! };
  }

  /** Why the FURL is over that this was reached through. */
  #endOfFurl(target: Publishable): GateEnd | undefined {
    return this.#reached.get(target)?.facet.whyOver();
  }

  #facetOf({ target, chain, last }: Genuine, name: string): Publishable {
    const { table, log, nextId, idOf, grantOf, isDeep, limitsOf, membrane } = this.#options;
    const before = this.#live.find(last);
    if (before !== undefined) {
      if (before.chain.whyGone() === undefined && table.has(before.facet)) return before.facet;
      // The name was taken away and given again, perhaps to another object.
      this.#end([before]);
    }
    const parent = idOf(target);
    const reached = this.#reached.get(target);
    const made: CaveatFacet = new CaveatFacet({
      id: nextId(),
      target,
      parent,
      owner: reached?.facet.id ?? grantOf(target),
      chain,
      world: this.#options,
      log,
      limits: reached === undefined ? limitsOf(target) : withoutCounts(pastMethods(reached.facet.limits)),
      membrane: reached !== undefined || isDeep(target) ? membrane : undefined,
      onWrapped: (standIn, object) => void this.#reached.set(standIn, { facet: made, object }),
    });
    const { facet } = made;
    table.add(facet, name);
    this.#live.add(made);
    this.#ofFacet.set(facet, made);
    log.record(made, { type: "granted", parent, how: "furl" });
    return facet;
  }

  /**
   * Ends the facets of a FURL whose object has lost its name, as that of a grant whose time is over: calls may still go on. It
   * is genuine if one of them has its link.
   */
  #endOfGone(name: string): void {
    const derived = parseDerivedName(name);
    if (derived === undefined) return;
    this.#end(this.#live.withMark({ id: idText(derived.id), mark: markOf(derived.link) }));
  }

  /** @returns Whether it was good until now. */
  #revokeChain(revoked: VerifiedChain): boolean {
    const { state, clock } = this.#options;
    const last = revoked.marks.at(-1)!;
    const isGood = refusesLookup(revoked, this.#options) === undefined;
    let failure: { readonly error: unknown } | undefined;
    try {
      if (isGood) state.revoke(last, clock.now());
    } catch (error) {
      if (!state.isRevoked(last)) throw error;
      // It is over here, and could not be written.
      failure = { error };
    }
    // Of one whose time is over, calls may still go on.
    this.#end(this.#live.withMark(last));
    if (failure !== undefined) throw failure.error;
    return isGood;
  }

  /** Ends facets, and all that ends with them. */
  #end(facets: readonly CaveatFacet[]): void {
    const { log } = this.#options;
    const ended = this.#shut(facets);
    const ids = new Set(ended.map(({ id }) => id));
    for (const facet of ended) {
      const { id, owner } = facet;
      log.record(facet, { type: "revoked", by: owner !== undefined && ids.has(owner) ? owner : id });
    }
    for (const facet of ended) facet.endCalls();
  }

  /** Shuts all of them before any code of the program's runs. */
  #shut(facets: readonly CaveatFacet[]): CaveatFacet[] {
    const open = this.#withOwned(facets).filter(({ isShut }) => !isShut);
    for (const facet of open) {
      facet.shut();
      this.#options.table.remove(facet.facet);
    }
    return open;
  }

  /** With those that end with them: of FURLs that derive from what was reached through them. */
  #withOwned(facets: readonly CaveatFacet[]): CaveatFacet[] {
    const all = new Set(facets);
    // What is added meanwhile is come to as well.
    for (const { id } of all) for (const owned of this.#live.ownedBy(id)) all.add(owned);
    return [...all];
  }
}
