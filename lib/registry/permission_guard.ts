/**
 * Deno permissions that capabilities need.
 *
 * Objects that were not granted, but whose class declares Deno permissions: nothing forwards their calls, so these are
 * asked about at the one point that all calls of peers pass. With no such object, nothing is asked.
 *
 * @module
 */

import type { InboundCall } from "../broker/call.ts";
import { PermissionDenied } from "../errors.ts";
import { requiredBy } from "./grant_rules.ts";
import { PermissionLimit } from "./limits.ts";
import type { PermissionQuery } from "./permission_query.ts";
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

/** Stands between an inbound call and its delivery. */
export type InboundGuard = (call: InboundCall, deliver: () => unknown) => unknown;

/** The objects of one registry that need permissions. */
export class PermissionGuard {
  readonly #limits = new WeakMap<object, PermissionLimit>();
  readonly #onDenied: (object: object, call: InboundCall) => void;
  #guard: InboundGuard | undefined;

  /** @param onDenied Must not throw. */
  constructor(onDenied: (object: object, call: InboundCall) => void) {
    this.#onDenied = onDenied;
  }

  /** What every call of a peer has to pass; `undefined` while no object needs it. */
  get guard(): InboundGuard | undefined {
    return this.#guard;
  }

  /** Refuses calls of an object from here on while a permission is missing. */
  protect(
    object: object,
    requires: readonly Deno.PermissionDescriptor[],
    permissions: PermissionQuery,
  ): void {
    if (requires.length === 0 || this.#limits.has(object)) return;
    this.#limits.set(object, new PermissionLimit(requires, permissions));
    this.#guard ??= (call, deliver) => this.#check(call, deliver);
  }

  #check(call: InboundCall, deliver: () => unknown): unknown {
    const { target, method, context } = call;
    const limit = target === undefined ? undefined : this.#limits.get(target);
    const why = limit?.refuses({ method, context });
    if (why === undefined) return deliver();
    this.#onDenied(target!, call);
    throw new PermissionDenied(why, { limit: "requires" });
  }
}
