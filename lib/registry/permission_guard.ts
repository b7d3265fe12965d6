/**
 * What is asked, and told, about calls of objects that were not granted, and so have no facet that would do it.
 *
 * At the one point that all calls of peers pass, the permissions that the object's class declares are asked for, and events tell
 * of the call. While no object needs that, and nobody reads events, there is no such point, and calls cost nothing more.
 *
 * @module
 */

import type { InboundCall } from "../broker/call.ts";
import { callable, type Publishable } from "../broker/callable.ts";
import { PermissionDenied } from "../errors.ts";
import type { EventLog, Subject } from "./capability_events.ts";
import { recordUse } from "./gate.ts";
import { PermissionLimit } from "./limits.ts";
import type { PermissionQuery } from "./permission_query.ts";

/** Stands between an inbound call and its delivery. */
export type InboundGuard = (call: InboundCall, deliver: () => unknown) => unknown;

/** The calls of those objects of one registry that have no facet. */
export class PermissionGuard {
  readonly #limits = new WeakMap<object, PermissionLimit>();
  readonly #log: EventLog;
  readonly #subjectOf: (object: Publishable) => Subject | undefined;
  readonly #guard: InboundGuard = (call, deliver) => this.#check(call, deliver);
  #protects = false;

  /** @param subjectOf What events say of an object that was registered as it is; `undefined` of others. */
  constructor(log: EventLog, subjectOf: (object: Publishable) => Subject | undefined) {
    this.#log = log;
    this.#subjectOf = subjectOf;
  }

  /** What every call of a peer has to pass; `undefined` while there is nothing to ask, and nobody to tell. */
  get guard(): InboundGuard | undefined {
    return this.#protects || this.#log.isHeard ? this.#guard : undefined;
  }

  /** Refuses calls of an object from here on while a permission is missing. */
  protect(
    object: object,
    requires: readonly Deno.PermissionDescriptor[],
    permissions: PermissionQuery,
  ): void {
    if (requires.length === 0 || this.#limits.has(object)) return;
    this.#limits.set(object, new PermissionLimit(requires, permissions));
    this.#protects = true;
  }

  #check(call: InboundCall, deliver: () => unknown): unknown {
    const { target, method, context } = call;
    if (target === undefined) return deliver();
    const log = this.#log;
    const subject = this.#subjectOf(typeof target === "function" ? callable(target) : target);
    const why = this.#limits.get(target)?.refuses({ method, context });
    if (why !== undefined) {
      if (subject !== undefined) log.denied(subject, context.caller, method, "requires");
      throw new PermissionDenied(why, { limit: "requires" });
    }
    if (subject !== undefined) {
      recordUse(call, [], {
        used: (method, caller) => log.used(subject, caller, method),
        denied: (method, caller, limit) => log.denied(subject, caller, method, limit),
      });
    }
    return deliver();
  }
}
