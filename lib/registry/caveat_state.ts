/**
 * What a Tub remembers of attenuated FURLs: how often they were used, and which were revoked. Nothing is remembered of one
 * before it was verified, and nothing that a FURL could be made of.
 *
 * @module
 */

import { toError } from "../errors.ts";
import { MAX_CAVEAT_COUNTS, MAX_CAVEAT_COUNTS_OF_NAME, MAX_CAVEAT_REVOCATIONS } from "../limits.ts";
import type { Trace } from "../util/trace.ts";

/** One link of a chain of caveats, of which something is remembered: a count, or that the FURLs with this beginning were revoked. */
export interface CaveatMark {
  /** Stands for the chain up to a link: see `markOf` of `lib/names/caveat.ts`. */
  readonly mark: string;
  /** Stands for the name that the chain begins with. */
  readonly id: string;
  /** After this time, in milliseconds since 1970, no FURL with this beginning is good: it can be forgotten then. */
  readonly until: number | undefined;
}

/** Keeps counts and revocations. {@linkcode MemoryCaveatState} does, and tells a journal what is to outlive a restart. */
export interface CaveatState {
  /**
   * FURLs that end at this time or before, in milliseconds since 1970, are over whatever the clock says: what was known
   * of some has been forgotten.
   */
  readonly endedUntil: number;
  /** How many calls were counted. */
  used(mark: CaveatMark): number;
  /**
   * Whether a call can be counted for each: changes nothing but that it forgets what is over at `now`.
   *
   * @param marks Of one name, and no two the same.
   */
  hasRoom(marks: readonly CaveatMark[], now: number): boolean;
  /** Counts a call for each; there is room. What it throws keeps the call from passing. */
  count(marks: readonly CaveatMark[]): void;
  /** Whether FURLs with this beginning were revoked. */
  isRevoked(mark: CaveatMark): boolean;
  /**
   * Revokes the FURLs with this beginning.
   *
   * @throws {RangeError} If no more can be kept. Nothing is forgotten for it: that would renew what was revoked.
   */
  revoke(mark: CaveatMark, now: number): void;
  /** Nobody will ever have this name again: forgets what was kept of FURLs that derive from it. */
  forget(id: string): void;
  /** The Tub stops. What is kept in memory is forgotten, and what a store keeps stays there. */
  clear(): void;
}

/** How much is kept. */
export interface CaveatStateLimits {
  /** Counts in all. */
  readonly counts: number;
  /** Counts of FURLs that derive from one name. */
  readonly countsOfName: number;
  readonly revocations: number;
}

interface Kept {
  used: number;
  readonly until: number | undefined;
}

/** What is kept of FURLs that derive from one name, by mark. */
interface OfName {
  readonly counts: Map<string, Kept>;
  readonly revoked: Map<string, Kept>;
}

/** Writes down what is remembered, before it is: what it throws keeps it from being remembered. */
export interface CaveatJournal {
  /** Counts of one name have new values. */
  setCounts(counts: readonly (CaveatMark & { readonly used: number })[]): void;
  /** Is told after it is remembered: what is revoked is over, whatever this throws. */
  addRevoked(mark: CaveatMark): void;
  forgetId(id: string): void;
  forgetOver(now: number, endedUntil: number): void;
}

/** What was remembered in an earlier life. */
export interface RememberedCaveats {
  readonly counts: Iterable<CaveatMark & { readonly used: number }>;
  readonly revoked: Iterable<CaveatMark>;
  readonly endedUntil: number;
}

/** Looking through everything for what is over costs milliseconds, and a peer can ask for it. */
const SWEEP_MS = 1_000;

/** Keeps counts and revocations in memory, and with a journal also where they outlive the Tub. */
export class MemoryCaveatState implements CaveatState {
  readonly #limits: CaveatStateLimits;
  readonly #journal: CaveatJournal | undefined;
  readonly #names = new Map<string, OfName>();
  #counts = 0;
  #revocations = 0;
  #endedUntil = 0;
  #sweptAt = -Infinity;

  /**
   * Knows nothing, or what was remembered.
   *
   * @param journal Is told of every change.
   */
  constructor(
    limits?: Partial<CaveatStateLimits>,
    journal?: CaveatJournal,
    remembered?: RememberedCaveats,
  ) {
    this.#journal = journal;
    this.#limits = {
      counts: MAX_CAVEAT_COUNTS,
      countsOfName: MAX_CAVEAT_COUNTS_OF_NAME,
      revocations: MAX_CAVEAT_REVOCATIONS,
      ...limits,
    };
    if (remembered === undefined) return;
    for (const { id, mark, used, until } of remembered.counts) {
      this.#ofName(id).counts.set(mark, { used, until });
      this.#counts++;
    }
    for (const { id, mark, until } of remembered.revoked) {
      this.#ofName(id).revoked.set(mark, { used: 0, until });
      this.#revocations++;
    }
    this.#endedUntil = remembered.endedUntil;
  }

  /** How much is kept, for those who look for leaks. */
  get size(): number {
    return this.#counts + this.#revocations;
  }

  get endedUntil(): number {
    return this.#endedUntil;
  }

  used({ id, mark }: CaveatMark): number {
    return this.#names.get(id)?.counts.get(mark)?.used ?? 0;
  }

  hasRoom(marks: readonly CaveatMark[], now: number): boolean {
    const id = marks[0]?.id;
    if (id === undefined) return true;
    const isRoom = () => {
      const known = this.#names.get(id)?.counts;
      const added = known === undefined ? marks.length : marks.filter(({ mark }) => !known.has(mark)).length;
      return added === 0 ||
        this.#counts + added <= this.#limits.counts &&
          (known?.size ?? 0) + added <= this.#limits.countsOfName;
    };
    return isRoom() || this.#sweep(now) && isRoom();
  }

  count(marks: readonly CaveatMark[]): void {
    this.#journal?.setCounts(marks.map((mark) => ({ ...mark, used: this.used(mark) + 1 })));
    for (const { mark, id, until } of marks) {
      const { counts } = this.#ofName(id);
      const kept = counts.get(mark);
      if (kept === undefined) {
        counts.set(mark, { used: 1, until });
        this.#counts++;
      } else kept.used++;
    }
  }

  isRevoked({ id, mark }: CaveatMark): boolean {
    return this.#revocations > 0 && this.#names.get(id)?.revoked.has(mark) === true;
  }

  revoke(mark: CaveatMark, now: number): void {
    if (this.isRevoked(mark)) return;
    const isFull = () => this.#revocations >= this.#limits.revocations;
    if (isFull()) this.#sweep(now);
    if (isFull()) {
      throw new RangeError(
        `Cannot revoke FURL: ${this.#revocations} revocations are kept already; unregister its object instead`,
      );
    }
    this.#ofName(mark.id).revoked.set(mark.mark, { used: 0, until: mark.until });
    this.#revocations++;
    // It is over here whatever the disk does.
    this.#journal?.addRevoked(mark);
  }

  forget(id: string): void {
    const known = this.#names.get(id);
    if (known === undefined) return;
    this.#journal?.forgetId(id);
    this.#names.delete(id);
    this.#counts -= known.counts.size;
    this.#revocations -= known.revoked.size;
  }

  clear(): void {
    this.#names.clear();
    this.#counts = this.#revocations = 0;
  }

  #ofName(id: string): OfName {
    let known = this.#names.get(id);
    if (known === undefined) this.#names.set(id, known = { counts: new Map(), revoked: new Map() });
    return known;
  }

  /** Forgets what is over, if that was not just done. */
  #sweep(now: number): boolean {
    if (now >= this.#sweptAt && now - this.#sweptAt < SWEEP_MS) return false;
    this.#sweptAt = now;
    this.#journal?.forgetOver(now, Math.max(this.#endedUntil, now));
    for (const [id, { counts, revoked }] of this.#names) {
      this.#counts -= this.#dropOver(counts, now);
      this.#revocations -= this.#dropOver(revoked, now);
      if (counts.size + revoked.size === 0) this.#names.delete(id);
    }
    return true;
  }

  /** @returns How many there were. */
  #dropOver(kept: Map<string, Kept>, now: number): number {
    const before = kept.size;
    for (const [mark, { until }] of kept) {
      if (until === undefined || until > now) continue;
      kept.delete(mark);
      // Should the clock be set back, these stay over: what they had used is not known any more.
      this.#endedUntil = Math.max(this.#endedUntil, until);
    }
    return before - kept.size;
  }
}

/** What forgets the id of a name whose object was collected. A store that fails is told to the trace: there is nobody to throw to. */
export function forgetQuietly(state: CaveatState, trace: Trace): (id: string) => void {
  return (id) => {
    try {
      state.forget(id);
    } catch (thrown) {
      trace({ type: "callback-failed", where: "store", error: toError(thrown) });
    }
  };
}
