/**
 * Grants that outlive a restart: what is written of them, and how they come back.
 *
 * A grant is kept before anybody can have its FURL, a revocation before `revoke` returns, and a use of what has `maxCalls`
 * before the call is delivered. How often others were used is written once in a while.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { StoreError, toError } from "../errors.ts";
import { serialize, unserialize } from "../graph/storage.ts";
import { MAX_TIMER_MS, STORE_FLUSH_MS } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import type { Endings } from "./endings.ts";
import type { DurableOptions, Factory } from "./factories.ts";
import type { GateEnd } from "./gate.ts";
import type { Grant } from "./grant.ts";
import { checkTerms, type Terms } from "./grant_options.ts";
import { CallCountLimit, type CountJournal } from "./limits.ts";
import { isPublishable } from "./name_lookups.ts";
import type { NameTable, StoredName } from "./name_table.ts";
import type { Store, StoredGrant } from "./store.ts";

/** JSON, with the same keys as the options of a grant. The name is left out: it is a secret. */
function writeTerms(
  { methods, expiresAt, maxCalls, rate, holders, requires, deep, label }: Terms,
): string {
  return JSON.stringify({
    methods: methods && [...methods],
    expires: expiresAt,
    maxCalls,
    rate,
    holders: holders && [...holders],
    requires: requires.length === 0 ? undefined : requires.map(plain),
    // Those with a policy are never durable (`checkStorable`). Without the key: not deep, as all were in version 1.
    deep: deep === undefined ? undefined : true,
    label,
  });
}

/**
 * The limits of a text.
 *
 * @throws {StoreError} If it is none of {@linkcode writeTerms}.
 */
function readTerms(text: string): Terms {
  try {
    const parsed: unknown = JSON.parse(text);
    const { expires, ...others } = parsed as { expires?: unknown };
    const expiresAt = expires as number | undefined;
    if (expiresAt !== undefined && !Number.isFinite(expiresAt)) throw new TypeError("expires is no number");
    // The time may be over, which `checkTerms` would refuse: `restore` looks at that.
    return { ...checkTerms(others, -Infinity), expiresAt };
  } catch (cause) {
    throw new StoreError(
      "Cannot read the store: it has a grant that makes no sense; restore the file from a copy",
      { cause, problem: "damaged" },
    );
  }
}

/** A descriptor as JSON can have it: a path that is a URL becomes text. */
function plain(descriptor: Deno.PermissionDescriptor): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(descriptor).map(([key, value]) => [
      key,
      value instanceof URL && value.protocol === "file:" ? decodeURIComponent(value.pathname) : value,
    ]),
  );
}

/** What {@linkcode DurableGrants} need of the registry. */
interface DurableGrantsOptions {
  readonly store: Store;
  /** By which what ends is written. */
  readonly endings: Endings;
  readonly factories: Readonly<Record<string, Factory>>;
  readonly table: NameTable<Publishable>;
  readonly clock: Clock;
  readonly trace: Trace;
}

/** How a grant gets its object back; checked. */
export interface Recipe {
  readonly factory: string;
  readonly args: Uint8Array | undefined;
}

/** Makes a grant again. */
type RestoreGrant = (stored: StoredGrant, target: Publishable, terms: Terms, parent?: Grant) => Grant;

/** The grants of one registry that are kept. */
export class DurableGrants {
  readonly #options: DurableGrantsOptions;
  /** All that are kept, with the limit that counts their calls, for those with `maxCalls`. */
  readonly #kept = new Map<Grant, CallCountLimit | undefined>();
  /** Those whose number of uses has changed since it was written. */
  readonly #used = new Set<Grant>();
  /** What was made in a batch that is not written yet. */
  #made: Grant[] | undefined;
  #timer: Disposable | undefined;

  /** Nothing has been read. */
  constructor(options: DurableGrantsOptions) {
    this.#options = options;
  }

  /** Whether a grant is kept. */
  has(grant: Grant): boolean {
    return this.#kept.has(grant);
  }

  /**
   * Checks how a grant wants to get its object back.
   *
   * @throws {TypeError} If it is no such thing.
   * @throws {RangeError} If there is no such factory.
   * @throws {Violation} If the arguments cannot be serialized.
   */
  recipeOf(durable: DurableOptions): Recipe {
    if (typeof durable !== "object" || durable === null || typeof durable.factory !== "string") {
      throw new TypeError("Cannot grant: durable is not { factory, args }, with the name of a factory");
    }
    const { factory, args } = durable;
    if (!Object.hasOwn(this.#options.factories, factory)) {
      throw new RangeError(
        `Cannot grant: there is no factory ${quoteForeign(factory, 64)}; ${this.#known()}`,
      );
    }
    return { factory, args: args === undefined ? undefined : serialize(args, { rich: true }) };
  }

  /** What writes down the uses of a grant before they are made. */
  journal(id: number, clock: Clock): CountJournal {
    const { store } = this.#options;
    return (used, maxCalls) => {
      const written = Math.min(maxCalls, used + store.countAhead);
      store.setUses([{ id, used: written, lastUsedAt: clock.now() }]);
      return written;
    };
  }

  /**
   * Keeps a grant.
   *
   * @param recipe `undefined` for one that has a parent.
   * @param name The one that the program chose.
   * @throws {StoreError} If it cannot be written.
   */
  add(grant: Grant, recipe: Recipe | undefined, name: string | undefined): void {
    const { store, table } = this.#options;
    const { hash: nameHash, id: caveatId, root } = table.storedName(grant.facet, name);
    const fixed = {
      id: grant.id,
      parent: grant.parent?.id,
      nameHash,
      caveatId,
      terms: writeTerms(grant.terms),
      factory: recipe?.factory,
      args: recipe?.args,
      createdAt: grant.createdAt,
    };
    const sealedRoot = store.keys.seal(root, aboutOf(fixed));
    // One of them may have had its name.
    this.#options.endings.flush();
    store.addGrant({ ...fixed, sealedRoot, isUnnamed: false, used: 0, lastUsedAt: undefined });
    this.#kept.set(grant, countOf(grant));
    this.#made?.push(grant);
  }

  /** A call has passed, of a grant and of all that it comes of. */
  used(grant: Grant): void {
    for (let kept: Grant | undefined = grant; kept !== undefined; kept = kept.parent) {
      // Uses of those with `maxCalls` have been written by their journal.
      if (this.#kept.has(kept) && this.#kept.get(kept) === undefined) this.#used.add(kept);
    }
    if (this.#used.size > 0) this.#plan();
  }

  /**
   * Grants have ended.
   *
   * @throws {StoreError} If that cannot be written. It is tried again until it can; only if it never can before the end of
   *   the process, they come back at the next start.
   */
  end(grants: readonly Grant[], why: GateEnd): void {
    const ids = grants.filter((grant) => this.#kept.delete(grant)).map(({ id }) => id);
    for (const grant of grants) this.#used.delete(grant);
    if (ids.length === 0) return;
    const { store, endings } = this.#options;
    endings.write(() => store.endGrants(ids, why));
  }

  /** The program took the name of a grant back. */
  unname(grant: Grant): void {
    if (this.#kept.has(grant)) this.#options.store.unnameGrant(grant.id);
  }

  /** Runs something whose grants and revocations are written in one go. What was granted ends if they cannot be. */
  batch(run: () => void, undo: (grant: Grant) => void): void {
    if (this.#made !== undefined) throw new TypeError("Cannot begin a batch: there is one already");
    const { store, endings } = this.#options;
    const made: Grant[] = this.#made = [];
    endings.beginBatch();
    let isWritten = false;
    let thrown: { readonly error: unknown } | undefined;
    try {
      store.batch(() => {
        try {
          const result: unknown = run();
          if (result instanceof Promise) {
            result.catch(() => {});
            throw new TypeError("Cannot batch what waits: what it grants later is written one by one");
          }
        } catch (error) {
          // What `run` has done before it threw is written all the same.
          thrown = { error };
        }
      });
      isWritten = true;
    } catch (error) {
      for (const grant of made) {
        this.#kept.delete(grant);
        undo(grant);
      }
      throw error;
    } finally {
      this.#made = undefined;
      endings.endBatch(isWritten);
    }
    if (thrown !== undefined) throw thrown.error;
  }

  /**
   * Makes all grants again that are kept.
   *
   * @throws {StoreError} If a factory is missing or fails.
   */
  async restore(stored: Iterable<StoredGrant>, restore: RestoreGrant): Promise<void> {
    const { store, clock, table } = this.#options;
    const made = new Map<number, Grant>();
    const expired: number[] = [];
    const isExpired = new Set<number>();
    const unwanted: number[] = [];
    const rows = [...stored];
    this.#checkFactories(rows);
    const now = clock.now();
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const row of rows) {
      const terms = readTerms(row.terms);
      const parent = row.parent === undefined ? undefined : made.get(row.parent);
      if (terms.expiresAt !== undefined && terms.expiresAt <= now) {
        expired.push(row.id);
        isExpired.add(row.id);
        continue;
      }
      if (row.parent !== undefined && parent === undefined) {
        const hasExpired = isExpired.has(row.parent);
        if (hasExpired) isExpired.add(row.id);
        (hasExpired ? expired : unwanted).push(row.id);
        continue;
      }
      const given = parent === undefined ? this.#make(row, terms) : parent.object!;
      const target = given instanceof Promise ? await given : given;
      if (target === undefined) {
        unwanted.push(row.id);
        continue;
      }
      const grant = restore(row, target, terms, parent);
      const name = storedNameOf(lineOf(row, byId), store);
      if (name !== undefined) table.addStored(grant.facet, name);
      else table.addUnnamed(grant.facet, true);
      table.keep(grant.facet);
      made.set(row.id, grant);
      this.#kept.set(grant, countOf(grant));
    }
    this.#drop(rows, expired, "expires");
    this.#drop(rows, unwanted, "revoked");
  }

  /** Writes what is not written yet, and keeps nothing more. */
  close(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    // Uses that were written ahead and not made are given back: see `countAhead`.
    for (const [grant, count] of this.#kept) {
      if (count !== undefined && grant.callsUsed > 0) this.#used.add(grant);
    }
    this.#options.endings.close();
    this.#flush();
    this.#kept.clear();
    this.#options.store.close();
  }

  /** What is not made again is over for good. */
  #drop(rows: readonly StoredGrant[], ids: readonly number[], why: GateEnd): void {
    if (ids.length === 0) return;
    this.#options.store.endGrants(ids, why);
    const dropped = new Set(ids);
    for (const { id, nameHash, isUnnamed } of rows) {
      if (nameHash !== undefined && !isUnnamed && dropped.has(id)) {
        this.#options.table.addRetired(nameHash, why);
      }
    }
  }

  #plan(): void {
    this.#timer ??= this.#options.clock.setTimer(Math.min(STORE_FLUSH_MS, MAX_TIMER_MS), () => {
      this.#timer = undefined;
      this.#flush();
    });
  }

  #flush(): void {
    const { store } = this.#options;
    if (this.#used.size === 0) return;
    const uses = Array.from(this.#used, (grant) => ({
      id: grant.id,
      used: this.#kept.get(grant)?.used ?? grant.callsUsed,
      lastUsedAt: grant.lastUsedAt,
    }));
    try {
      store.setUses(uses);
      this.#used.clear();
    } catch (thrown) {
      // These numbers are only shown: no limit depends on them. They are written with the next ones.
      this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): void {
    this.#options.trace({ type: "callback-failed", where: "store", error: toError(thrown) });
  }

  #make(row: StoredGrant, terms: Terms): Publishable | undefined | Promise<Publishable | undefined> {
    const { factories } = this.#options;
    const check = (object: unknown): Publishable | undefined => {
      if (object === undefined || object === null) return undefined;
      if (isPublishable(object)) return object;
      throw new TypeError("it gave neither a Referenceable nor a Callable");
    };
    const failed = (cause: unknown): StoreError =>
      new StoreError(
        `Cannot restore ${shown(row, terms)}: its factory ${
          quoteForeign(row.factory!, 64)
        } failed; correct the factory, or let it return undefined to revoke the grant`,
        { cause, problem: "factory" },
      );
    try {
      const args = row.args === undefined ? undefined : unserialize(row.args, { rich: true });
      const given = factories[row.factory!]!(args, { id: row.id, label: terms.label });
      if (!(given instanceof Promise)) return check(given);
      return given.then(check).catch((cause) => {
        throw failed(cause);
      });
    } catch (cause) {
      throw failed(cause);
    }
  }

  /** Looks whether all factories are there, before any of them is called. */
  #checkFactories(rows: readonly StoredGrant[]): void {
    for (const row of rows) {
      if (row.parent !== undefined) continue;
      if (row.factory !== undefined && Object.hasOwn(this.#options.factories, row.factory)) continue;
      throw new StoreError(
        `Cannot restore ${shown(row, readTerms(row.terms))}: there is no factory ${
          quoteForeign(row.factory ?? "", 64)
        }; ${this.#known()}`,
        { problem: "factory" },
      );
    }
  }

  #known(): string {
    const names = Object.keys(this.#options.factories);
    return names.length === 0
      ? "Tub.create has no factories"
      : `Tub.create has the factories ${names.map((name) => quoteForeign(name, 64)).join(", ")}`;
  }
}

function shown({ id }: StoredGrant, { label }: Terms): string {
  return `grant #${id}${label === undefined ? "" : ` ${quoteForeign(label, 64)}`}`;
}

function countOf(grant: Grant): CallCountLimit | undefined {
  return grant.ownLimits.find((limit) => limit instanceof CallCountLimit);
}

/** A grant, its parent, the parent of that, and so on. */
function lineOf(
  row: StoredGrant,
  byId: ReadonlyMap<number, StoredGrant>,
): readonly [StoredGrant, ...StoredGrant[]] {
  const line: [StoredGrant, ...StoredGrant[]] = [row];
  for (let { parent } = row; parent !== undefined;) {
    const above = byId.get(parent)!;
    line.push(above);
    parent = above.parent;
  }
  return line;
}

/**
 * How a restored grant is found by its name; `undefined` if it has none any more.
 *
 * @param line See {@linkcode lineOf}. A grant has the limits of all that it comes of, so when its root is wanted, all of theirs are
 *   opened too: that shows whether any of them was changed in the file.
 */
function storedNameOf(
  line: readonly [StoredGrant, ...StoredGrant[]],
  { keys }: Store,
): StoredName | undefined {
  const [{ nameHash: hash, isUnnamed, caveatId: id }] = line;
  if (hash === undefined || isUnnamed) return undefined;
  return {
    hash,
    id,
    root() {
      const [root] = line.map((row) => keys.open(row.sealedRoot, aboutOf(row)));
      return root!;
    },
  };
}

/**
 * What the root of a grant is sealed with: all that is kept of it and does not change. If any of it was changed in the file, the
 * root cannot be opened any more, and nobody finds the grant by its name.
 */
function aboutOf(row: Omit<StoredGrant, "sealedRoot" | "isUnnamed" | "used" | "lastUsedAt">): string {
  const { id, parent, nameHash, caveatId, terms, factory, args, createdAt } = row;
  return JSON.stringify([
    "foolscap grant v1",
    id,
    parent ?? null,
    nameHash ?? null,
    caveatId,
    terms,
    factory ?? null,
    args?.toHex() ?? null,
    createdAt,
  ]);
}
