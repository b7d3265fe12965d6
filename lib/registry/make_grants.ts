/**
 * The grants of a registry, put together with its names.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import type { Clock } from "../util/clock.ts";
import type { DurableGrants } from "./durable_grants.ts";
import type { EventLog } from "./capability_events.ts";
import { type DerivedFacets, Grants } from "./grants.ts";
import { sturdyHostOf } from "./membranes/sturdy_refs.ts";
import type { NameTable } from "./name_table.ts";
import type { CapabilityRegistryOptions } from "./registry_options.ts";

/** What the grants of a registry need of it. */
export interface GrantsOfRegistry {
  readonly options: CapabilityRegistryOptions;
  readonly clock: Clock;
  readonly table: NameTable<Publishable>;
  readonly log: EventLog;
  readonly durable: DurableGrants | undefined;
  readonly derived: DerivedFacets;
  /** The next number. */
  nextId(): number;
  /** The object of a name. */
  find(name: string): Publishable | undefined;
}

/** Makes them, and what lets FURLs cross their membranes. */
export function makeGrants(
  { options, clock, table, log, durable, derived, nextId, find }: GrantsOfRegistry,
): {
  readonly grants: Grants;
  readonly sturdy: ReturnType<typeof sturdyHostOf>;
} {
  const { trace, permissions } = options;
  const furlOf = (object: Publishable) => {
    // Says why not.
    if (!table.isKnown(object)) table.nameOf(object);
    if (options.furlOf === undefined) throw new TypeError("Cannot give a FURL: this registry has no Tub");
    return options.furlOf(object);
  };
  const sturdy = sturdyHostOf({ table, follow: options.follow, find, furlOf });
  const grants = new Grants({
    clock,
    log,
    trace,
    permissions,
    sturdy,
    nextId,
    enter: (facet, name) => {
      if (name === undefined) table.addUnnamed(facet, true);
      else table.add(facet, name);
      table.keep(facet);
    },
    forget: (facet) => void table.remove(facet),
    retire: (facet, why) => table.retire(facet, why),
    durable,
    derived,
    furlOf,
  });
  return { grants, sturdy };
}
