/**
 * What a registry shows of all that can be reached in it: in the order of the names, or as a tree.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import type { CaveatFacet } from "./caveat_facet.ts";
import type { CaveatNames } from "./caveat_names.ts";
import type { Subject } from "./event_log.ts";
import type { Grant } from "./grant.ts";
import type { Grants } from "./grants.ts";
import type { NameTable } from "./name_table.ts";
import type { RegistryEntry } from "./registry_options.ts";
import { type CapabilityNode, nodeOfFurl, nodeOfGrant, nodeOfObject, nodeOfReached } from "./tree.ts";

/** Where a registry has what it shows. */
export interface Listed {
  readonly table: NameTable<Publishable>;
  readonly grants: Grants;
  readonly caveats: CaveatNames;
  /** What events say of an object. */
  subjectOf(object: Publishable): Subject | undefined;
}

/** See `CapabilityRegistry.list`. */
export function listOf({ table, grants, caveats }: Listed): RegistryEntry[] {
  return Array.from(table.objects(), ({ object, isStrong }) => {
    const entry = { object, isImplicit: !isStrong };
    const grant = grants.find(object)?.grant ?? grants.reachedBy(object)?.grant;
    const derived = caveats.facetOf(object) ?? caveats.reachedBy(object)?.facet;
    const capability = grant?.info(grants.now()) ?? derived?.info();
    return capability === undefined ? entry : { ...entry, capability };
  });
}

/** See `CapabilityRegistry.tree`. */
export function treeOf({ table, grants, caveats, subjectOf }: Listed): CapabilityNode[] {
  const now = grants.now();
  const others: (() => CapabilityNode)[] = [];
  const reached = new Map<Grant | CaveatFacet, CapabilityNode[]>();
  const reachedBy = (deep: Grant | CaveatFacet) => reached.get(deep) ?? [];
  /** What the program has made, of which this is a part, or for which it stands. */
  const behind = (object: object): object =>
    grants.find(object as Publishable)?.grant.object ?? grants.reachedBy(object as Publishable)?.object ??
      object;
  for (const { object, isStrong } of table.objects()) {
    if (grants.find(object) !== undefined) continue;
    const byGrant = grants.reachedBy(object), byFurl = caveats.reachedBy(object);
    const by = byGrant?.grant ?? byFurl?.facet;
    if (by !== undefined) {
      const node = nodeOfReached(behind((byGrant ?? byFurl)!.object));
      reached.getOrInsertComputed(by, () => []).push(node);
      continue;
    }
    const derived = caveats.facetOf(object);
    others.push(() =>
      derived === undefined
        ? nodeOfObject(object, isStrong, subjectOf(object)?.id)
        : nodeOfFurl(derived, behind(derived.target), reachedBy(derived))
    );
  }
  const roots = Array.from(grants.roots, (grant) => nodeOfGrant(grant, now, reachedBy));
  return [...roots, ...others.map((node) => node())];
}
