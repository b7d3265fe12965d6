/**
 * What a registry shows of all that can be reached in it: in the order of the names, or as a tree.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import type { CaveatNames } from "./caveat_names.ts";
import type { Subject } from "./event_log.ts";
import type { Grant } from "./grant.ts";
import type { Grants } from "./grants.ts";
import type { NameTable } from "./name_table.ts";
import type { RegistryEntry } from "./registry_options.ts";
import { type CapabilityNode, nodeOfGrant, nodeOfObject, nodeOfReached } from "./tree.ts";

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
    const capability = grant?.info(grants.now()) ?? caveats.describe(object)?.info;
    return capability === undefined ? entry : { ...entry, capability };
  });
}

/** See `CapabilityRegistry.tree`. */
export function treeOf({ table, grants, caveats, subjectOf }: Listed): CapabilityNode[] {
  const now = grants.now();
  const others: CapabilityNode[] = [];
  const reached = new Map<Grant, CapabilityNode[]>();
  for (const { object, isStrong } of table.objects()) {
    if (grants.find(object) !== undefined) continue;
    const by = grants.reachedBy(object);
    if (by !== undefined) reached.getOrInsertComputed(by.grant, () => []).push(nodeOfReached(by.object));
    else others.push(nodeOfObject(object, isStrong, subjectOf(object)?.id, caveats.describe(object)));
  }
  const roots = Array.from(
    grants.roots,
    (grant) => nodeOfGrant(grant, now, (grant) => reached.get(grant) ?? []),
  );
  return [...roots, ...others];
}
