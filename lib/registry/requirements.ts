/**
 * The Deno permissions without which an object cannot work: what its class declares (`static requires`), and whether the process
 * has them.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { Referenceable } from "../broker/referenceable.ts";
import { PermissionDenied, toError } from "../errors.ts";
import { quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import { checkRequires } from "./grant_options.ts";
import type { PermissionQuery } from "./permission_query.ts";
import type { RegistryEntry } from "./registry_options.ts";

/**
 * The permissions that the class of an object declares.
 *
 * @throws {TypeError} If what it declares is no list of permissions.
 */
export function requiredBy(object: Publishable): readonly Deno.PermissionDescriptor[] {
  if (!(object instanceof Referenceable)) return [];
  const { requires } = Object.getPrototypeOf(object).constructor as typeof Referenceable;
  return requires === undefined ? [] : checkRequires(requires);
}

/**
 * The same for objects that are there already, where there is nobody to throw to. A class whose declaration makes no sense is
 * told to the trace, and then requires a permission that no process has: so nobody can call its objects.
 */
export function requiredForCalls(object: Publishable, trace: Trace): readonly Deno.PermissionDescriptor[] {
  try {
    return requiredBy(object);
  } catch (thrown) {
    trace({ type: "callback-failed", where: "static requires", error: toError(thrown) });
    return [{ name: "unknown" } as unknown as Deno.PermissionDescriptor];
  }
}

/**
 * Makes sure of permissions.
 *
 * @param action What cannot be done without them: `grant`.
 * @throws {PermissionDenied} If some are missing; the message has the flags to add.
 * @throws {TypeError} If there is no such permission, or nobody here can ask for one.
 */
export function checkPermissions(
  requires: readonly Deno.PermissionDescriptor[],
  permissions: PermissionQuery | undefined,
  action: string,
): void {
  if (requires.length === 0) return;
  if (permissions === undefined) {
    throw new TypeError(`Cannot ${action}: this registry has nothing that knows Deno's permissions`);
  }
  const missing = requires.filter((descriptor) => {
    try {
      return permissions.query(descriptor) !== "granted";
    } catch (cause) {
      throw new TypeError(
        `Cannot ${action}: requires has ${
          quoteForeign(descriptor.name, 64)
        }, which is no permission of Deno's`,
        { cause },
      );
    }
  });
  if (missing.length === 0) return;
  const flags = [...new Set(missing.map((descriptor) => permissions.flagFor(descriptor)))];
  throw new PermissionDenied(
    `Cannot ${action}: the process lacks permissions that it requires; run with ${flags.join(" ")}`,
    { limit: "requires" },
  );
}

/**
 * The permissions of all that can be reached, by grants and by classes: each once, in the order in which they are met. A class whose
 * declaration makes no sense counts for nothing.
 */
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
