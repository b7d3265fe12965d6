/**
 * What lets FURLs cross the membranes of a registry: its names, and the Tub that follows those of others.
 *
 * @module
 */

import type { Publishable } from "../../broker/callable.ts";
import type { NameTable } from "../name_table.ts";
import type { CapabilityRegistryOptions } from "../registry_options.ts";
import type { SturdyHost } from "./sturdy_refs.ts";

/** What {@linkcode sturdyHostOf} needs of a registry. */
export interface SturdyHostParts {
  readonly table: NameTable<Publishable>;
  readonly follow: CapabilityRegistryOptions["follow"];
  /** The object of a name. */
  find(name: string): Publishable | undefined;
  /** The FURL of an object that has a name. */
  furlOf(object: Publishable): string;
}

/** The host of all membranes of one registry. */
export function sturdyHostOf({ table, follow, find, furlOf }: SturdyHostParts): SturdyHost {
  return {
    find: ({ tubId, name }) => name === undefined || tubId !== follow?.tubId ? undefined : find(name),
    getReference(furl) {
      if (follow !== undefined) return follow.getReference(furl);
      return Promise.reject(new TypeError("Cannot follow a FURL: this registry has no Tub"));
    },
    publish(object) {
      if (table.has(object)) table.keep(object);
      else table.addUnnamed(object, true);
      return furlOf(object);
    },
    retire: (object) => table.retire(object, "revoked"),
  };
}
