/**
 * What a Tub holds: what ends with it, and how much it is.
 *
 * @module
 */

import type { Broker } from "../broker/broker.ts";
import type { BrokerListing } from "../broker/broker_listing.ts";
import type { BrokerTables } from "../broker/broker_tables.ts";
import type { NetworkTables } from "./network.ts";

const owned = new WeakMap<object, Set<AsyncDisposable>>();

/**
 * Ends something when a Tub stops, at the latest.
 *
 * @param thing Its end must not reject. It is waited for by whoever stops the Tub.
 * @returns Disposing it takes that back: the thing has ended.
 */
export function endWith(tub: object, thing: AsyncDisposable): Disposable {
  let things = owned.get(tub);
  if (things === undefined) owned.set(tub, things = new Set());
  things.add(thing);
  return { [Symbol.dispose]: () => void things.delete(thing) };
}

/** Ends what belongs to a Tub. Never rejects. */
export async function endOwned(tub: object): Promise<void> {
  const things = [...owned.get(tub) ?? []];
  owned.delete(tub);
  await Promise.allSettled(things.map(async (thing) => await thing[Symbol.asyncDispose]()));
}

/** How much a Tub holds; all 0 when it has stopped. Calls and references are summed over the connections. */
export interface TubTables extends BrokerTables, NetworkTables {
  /** Objects that have a name. */
  readonly names: number;
  /** Reconnectors that have not been stopped. */
  readonly reconnectors: number;
}

/** For tests and monitors: what a Tub holds. */
export interface TubDebug {
  /** Counts of what the Tub holds at this moment. */
  tables(): TubTables;
  /** The calls that are under way, for each connection. Foolscap: `debug_listBrokers`. */
  listBrokers(): BrokerListing[];
}

/** Where the numbers come from. */
interface DebugSources {
  brokers(): readonly Broker[];
  network(): NetworkTables;
  names(): number;
  reconnectors(): number;
}

/** What a program can ask about its Tub. */
export function makeDebug(sources: DebugSources): TubDebug {
  return {
    tables: () => tablesOf(sources),
    listBrokers: () =>
      sources.brokers().map((broker) => ({ tubId: broker.peer.tubId, ...broker.outstanding() })),
  };
}

function tablesOf({ brokers, network, names, reconnectors }: DebugSources): TubTables {
  const sum = {
    exported: 0,
    imported: 0,
    pendingCalls: 0,
    activeCalls: 0,
    pendingGifts: 0,
    givenGifts: 0,
    keptAnswers: 0,
  };
  for (const broker of brokers()) {
    const tables = broker.tables();
    for (const key of Object.keys(sum) as (keyof BrokerTables)[]) sum[key] += tables[key];
  }
  return { ...sum, ...network(), names: names(), reconnectors: reconnectors() };
}
