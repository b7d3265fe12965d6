/**
 * The Deno permissions that what is in a registry needs, all together.
 *
 * @module
 */

import { requiredBy } from "./grant_rules.ts";
import type { RegistryEntry } from "./registry_options.ts";

/** Each permission once, in the order in which they are met. A class that declares nonsense counts for nothing. */
export function requirementsOf(entries: Iterable<RegistryEntry>): Deno.PermissionDescriptor[] {
  const found = new Map<string, Deno.PermissionDescriptor>();
  for (const { object, capability } of entries) {
    for (const descriptor of [...capability?.requires ?? [], ...declaredBy(object)]) {
      const key = JSON.stringify(Object.entries(descriptor).sort());
      if (!found.has(key)) found.set(key, descriptor);
    }
  }
  return [...found.values()];
}

function declaredBy(object: RegistryEntry["object"]): readonly Deno.PermissionDescriptor[] {
  try {
    return requiredBy(object);
  } catch {
    // The trace was told when it was passed to a peer; registering it is refused.
    return [];
  }
}
