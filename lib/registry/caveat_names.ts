/**
 * From a name that was derived offline to a facet of the object: verified, limited, and the same one for as long as somebody
 * holds it.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { markOf } from "../names/caveat_chain.ts";
import { isReservedName, parseDerivedName, verifyName } from "../names/derived_name.ts";
import { inLaterTurn } from "../util/turn.ts";
import type { CaveatMark } from "./caveat_state.ts";
import {
  type CaveatWorld,
  isRevoked,
  limitsOf,
  type Refusal,
  refusesLookup,
  type VerifiedChain,
} from "./caveat_limits.ts";
import type { Limit } from "./limit.ts";
import { idText, type NameTable } from "./name_table.ts";

/** A facet, and what ends it. */
export interface EndableFacet {
  readonly facet: Publishable;
  /** It lets no call pass any more, and those that run are refused their answers. */
  end(): void;
}

/** What {@linkcode CaveatNames} need. */
export interface CaveatNamesOptions extends CaveatWorld {
  /** Where the objects, and the facets, have their names. */
  readonly table: NameTable<Publishable>;
  /** Makes a facet with limits. */
  makeFacet(target: Publishable, limits: readonly Limit[], chain: VerifiedChain): EndableFacet;
}

/** What a derived name leads to: an object, or a refusal to the holder of a genuine one. */
export type DerivedOutcome =
  | { readonly object: Publishable; readonly refusal?: undefined }
  | { readonly object?: undefined; readonly refusal: Refusal };

/** A genuine name. */
interface Genuine {
  readonly target: Publishable;
  readonly chain: VerifiedChain;
  readonly last: CaveatMark;
}

/** A facet that somebody may hold. */
interface Live {
  readonly chain: VerifiedChain;
  readonly last: CaveatMark;
  readonly end: () => void;
}

/** Ids that are made before the event loop gets its say: a millisecond's worth or a few. */
const IDS_A_TURN = 200;

/** The names that derive from those of a table. */
export class CaveatNames {
  readonly #options: CaveatNamesOptions;
  /** By id of the name, and mark of the whole chain. */
  readonly #live = new Map<string, Map<string, WeakRef<Publishable>>>();
  #ofFacet = new WeakMap<Publishable, Live>();
  readonly #collected = new FinalizationRegistry<CaveatMark>((last) => this.#forget(last));

  /** No derived name has been asked for. */
  constructor(options: CaveatNamesOptions) {
    this.#options = options;
  }

  /** Whether a name is one of these, and nobody else's: genuine or not. */
  isDerived(name: string): boolean {
    return isReservedName(name);
  }

  /** Makes what {@linkcode CaveatNames.find} needs, and lets others have their turns: many names take a second. */
  async prepare(name: string): Promise<void> {
    // Whatever cannot be genuine shall cost nothing.
    if (parseDerivedName(name) === undefined) return;
    while (!this.#options.table.makeIds(IDS_A_TURN)) await new Promise<void>(inLaterTurn);
  }

  /**
   * What a derived name leads to. Nothing is kept of one that is not genuine.
   *
   * @param asker The peer that asks; left out if it is the program itself.
   * @returns `undefined` if it is not genuine, or its object has lost its name.
   */
  find(name: string, asker?: { readonly tubId: string | undefined }): DerivedOutcome | undefined {
    const genuine = this.#verify(name);
    if (genuine === undefined) return undefined;
    const refusal = refusesLookup(genuine.chain, this.#options, asker);
    return refusal === undefined ? { object: this.#facetOf(genuine, name) } : { refusal };
  }

  /**
   * Revokes a derived name, and all that derive from it.
   *
   * @returns Whether it was good until now.
   * @throws {RangeError} If no more revocations can be kept.
   */
  revoke(name: string): boolean {
    const genuine = this.#verify(name);
    if (genuine === undefined || refusesLookup(genuine.chain, this.#options) !== undefined) return false;
    this.#revoke(genuine.last);
    return true;
  }

  /** The same, of the name of a facet; nothing if it is none of these. */
  revokeFacet(facet: Publishable): boolean | undefined {
    const live = this.#ofFacet.get(facet);
    if (live === undefined) return undefined;
    if (isRevoked(live.chain, this.#options)) return false;
    this.#revoke(live.last);
    return true;
  }

  /** An object has lost its name: ends the facets of all names that derive from it. */
  endAllOf(id: string): void {
    for (const [facet, { end }] of this.#liveOf(id)) {
      this.#options.table.remove(facet);
      end();
    }
    this.#live.delete(id);
  }

  /** Forgets all facets. */
  clear(): void {
    this.#live.clear();
    this.#ofFacet = new WeakMap();
  }

  #verify(name: string): Genuine | undefined {
    const derived = parseDerivedName(name);
    if (derived === undefined) return undefined;
    const id = idText(derived.id);
    const named = this.#options.table.findById(id);
    const links = named && verifyName(derived, named.root);
    if (links === undefined) return undefined;
    const caveats = derived.caveats.map(({ caveat }) => caveat);
    let until: number | undefined;
    const marks = caveats.map((caveat, i): CaveatMark => {
      if (caveat.type === "until") until = Math.min(until ?? Infinity, caveat.until);
      return { mark: markOf(links[i]!), id, until };
    });
    const isNamed = () => named!.isNamed();
    return { target: named!.object, chain: { caveats, marks, isNamed }, last: marks.at(-1)! };
  }

  #facetOf({ target, chain, last }: Genuine, name: string): Publishable {
    const { table } = this.#options;
    const known = this.#live.get(last.id)?.get(last.mark)?.deref();
    if (known !== undefined) {
      if (this.#ofFacet.get(known)!.chain.isNamed() && table.has(known)) return known;
      // The name was taken away and given again, perhaps to another object.
      table.remove(known);
      this.#ofFacet.get(known)!.end();
    }
    const { facet, end } = this.#options.makeFacet(target, limitsOf(chain, this.#options), chain);
    table.add(facet, name);
    let ofName = this.#live.get(last.id);
    if (ofName === undefined) this.#live.set(last.id, ofName = new Map());
    ofName.set(last.mark, new WeakRef(facet));
    this.#ofFacet.set(facet, { chain, last, end });
    this.#collected.register(facet, last);
    return facet;
  }

  #revoke(last: CaveatMark): void {
    const { state, clock, table } = this.#options;
    state.revoke(last, clock.now());
    for (const [facet, { chain, end }] of this.#liveOf(last.id)) {
      if (!chain.marks.some(({ mark }) => mark === last.mark)) continue;
      table.remove(facet);
      end();
    }
  }

  #liveOf(id: string): [facet: Publishable, live: Live][] {
    return [...this.#live.get(id)?.values() ?? []].flatMap((ref) => {
      const facet = ref.deref();
      const live = facet && this.#ofFacet.get(facet);
      return live === undefined ? [] : [[facet!, live] as const];
    }) as [Publishable, Live][];
  }

  #forget({ id, mark }: CaveatMark): void {
    const ofName = this.#live.get(id);
    // Another facet may have been made since.
    if (ofName?.get(mark)?.deref() !== undefined) return;
    ofName?.delete(mark);
    if (ofName?.size === 0) this.#live.delete(id);
  }
}
