/**
 * Checks of a grant that need more than its options: the object that is granted, and its parent.
 *
 * @module
 */

import { Callable, type Publishable } from "../broker/callable.ts";
import { findRemoteMethod, Referenceable } from "../broker/referenceable.ts";
import { RemoteHandle } from "../broker/remote_handle.ts";
import { quoteForeign } from "../util/text.ts";
import type { Terms } from "./grant_options.ts";

const PREFIX = "remote_";
/** Names that a message lists. */
const MAX_LISTED = 30;

/** What a parent allows, where that is limited. */
export interface Allowed {
  readonly methods: ReadonlySet<string> | undefined;
  readonly holders: ReadonlySet<string> | undefined;
}

/**
 * Makes sure that an object has the methods that are granted. One that overrides `doRemoteCall` can have any.
 *
 * @throws {TypeError} If it is a function.
 * @throws {RangeError} If it has not; the message lists those that there are.
 */
export function checkMethods(object: Publishable, methods: ReadonlySet<string> | undefined): void {
  if (methods === undefined) return;
  if (object instanceof Callable) {
    throw new TypeError("Cannot grant methods of a function: it has none; leave them out");
  }
  if (object.doRemoteCall !== Referenceable.prototype.doRemoteCall) return;
  for (const method of methods) {
    if (hasMethod(object, method)) continue;
    throw new RangeError(
      `Cannot grant ${quoteForeign(method, 64)}: the object has no such method; it has ${
        listed(methodsOf(object))
      }`,
    );
  }
}

/**
 * Makes sure that a child has no more than its parent. Of numbers and times both hold, so those need no look.
 *
 * @throws {RangeError} If it has a method, or a holder, that the parent has not.
 */
export function checkNarrower({ methods, holders }: Terms, parent: Allowed): void {
  for (const method of parent.methods === undefined ? [] : methods ?? []) {
    if (parent.methods!.has(method)) continue;
    throw new RangeError(
      `Cannot attenuate to ${quoteForeign(method, 64)}: the capability does not allow it; it allows ${
        listed([...parent.methods!])
      }`,
    );
  }
  for (const holder of parent.holders === undefined ? [] : holders ?? []) {
    if (parent.holders!.has(holder)) continue;
    throw new RangeError(`Cannot attenuate to the holder "${holder}": the capability is not for that Tub`);
  }
}

/**
 * Makes sure that all of the terms can be kept for the next start.
 *
 * @throws {TypeError} If a policy is among them: functions cannot be written down.
 */
export function checkStorable({ deep }: Terms): void {
  if (deep?.allow === undefined && deep?.onCall === undefined) return;
  throw new TypeError(
    "Cannot grant: what is durable has no policy, as functions cannot be stored; say deep: true, or leave durable out",
  );
}

function hasMethod(object: Referenceable, method: string): boolean {
  try {
    findRemoteMethod(object, method);
    return true;
  } catch {
    return false;
  }
}

/** The methods that a peer can call, as far as the classes tell. */
function methodsOf(object: Referenceable): string[] {
  const found = new Set<string>();
  let prototype: object | null = Object.getPrototypeOf(object);
  for (; prototype !== null && prototype !== Referenceable.prototype;) {
    for (const key of Object.getOwnPropertyNames(prototype)) {
      const method = key.slice(PREFIX.length);
      if (key.startsWith(PREFIX) && hasMethod(object, method)) found.add(method);
    }
    prototype = Object.getPrototypeOf(prototype);
  }
  return [...found].sort();
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const more = names.length - MAX_LISTED;
  return `${names.slice(0, MAX_LISTED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The error for something that is neither a Referenceable nor a Callable. */
export function notPublishable(object: unknown, action: string): TypeError {
  if (object instanceof RemoteHandle) {
    return new TypeError(
      `Cannot ${action} an object of a peer: it has its FURL there; pass it on as it is, or registry.grant() it to forward its calls`,
    );
  }
  return new TypeError(
    typeof object === "function"
      ? `Cannot ${action} a function: give callable(f)`
      : `Cannot ${action} an object: it is not a Referenceable; derive its class from it`,
  );
}
