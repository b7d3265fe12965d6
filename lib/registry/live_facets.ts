/**
 * The facets of attenuated FURLs that somebody still holds, by what would end them.
 *
 * @module
 */

import type { CaveatFacet } from "./caveat_facet.ts";
import type { CaveatMark } from "./caveat_state.ts";

/** Where a facet stands in a {@linkcode LiveFacets}. */
interface Place {
  readonly last: CaveatMark;
  readonly owner: number | undefined;
  readonly ref: WeakRef<CaveatFacet>;
}

/**
 * Facets, each held weakly: it lives for as long as a peer or the program holds it, or something that was reached through it.
 */
export class LiveFacets {
  /** By the id of the name that the FURL was derived from, and the mark of its whole chain. */
  readonly #byName = new Map<string, Map<string, WeakRef<CaveatFacet>>>();
  /** By the number of the grant, or of the facet, that ends them when it is revoked. */
  readonly #byOwner = new Map<number, Set<WeakRef<CaveatFacet>>>();
  readonly #collected = new FinalizationRegistry<Place>((place) => this.#forget(place));

  /** Takes a facet in, in the place of one with the same chain. */
  add(facet: CaveatFacet): void {
    const { owner, chain } = facet;
    const last = chain.marks.at(-1)!;
    const ref = new WeakRef(facet);
    let ofName = this.#byName.get(last.id);
    if (ofName === undefined) this.#byName.set(last.id, ofName = new Map());
    ofName.set(last.mark, ref);
    if (owner !== undefined) {
      let owned = this.#byOwner.get(owner);
      if (owned === undefined) this.#byOwner.set(owner, owned = new Set());
      owned.add(ref);
    }
    this.#collected.register(facet, { last, owner, ref });
  }

  /** The facet of a chain that ends with this mark. */
  find({ id, mark }: CaveatMark): CaveatFacet | undefined {
    return this.#byName.get(id)?.get(mark)?.deref();
  }

  /** Those whose FURLs derive from the name with this id. */
  ofName(id: string): CaveatFacet[] {
    return held(this.#byName.get(id)?.values());
  }

  /** Those that a grant or a facet ends, given its number. */
  ownedBy(owner: number): CaveatFacet[] {
    return this.#byOwner.size === 0 ? [] : held(this.#byOwner.get(owner));
  }

  /** All of them. */
  all(): CaveatFacet[] {
    return [...this.#byName.keys()].flatMap((id) => this.ofName(id));
  }

  /** Forgets all of them. */
  clear(): void {
    this.#byName.clear();
    this.#byOwner.clear();
  }

  #forget({ last: { id, mark }, owner, ref }: Place): void {
    const ofName = this.#byName.get(id);
    // Another facet may have been made since.
    if (ofName?.get(mark) === ref) ofName.delete(mark);
    if (ofName?.size === 0) this.#byName.delete(id);
    if (owner === undefined) return;
    const owned = this.#byOwner.get(owner);
    owned?.delete(ref);
    if (owned?.size === 0) this.#byOwner.delete(owner);
  }
}

function held(refs: Iterable<WeakRef<CaveatFacet>> | undefined): CaveatFacet[] {
  return refs === undefined ? [] : [...refs].flatMap((ref) => ref.deref() ?? []);
}
