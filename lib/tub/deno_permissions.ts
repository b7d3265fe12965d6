/**
 * What a registry asks about the process: Deno's permissions, looked at and never requested.
 *
 * @module
 */

import type { PermissionQuery } from "../registry/permission_query.ts";
import { quoteForShell } from "../util/text.ts";
import { hasPermission, permissionFlag, permissionStatus } from "./permissions.ts";

/**
 * Deno's permissions, as a registry asks for them. Each question is asked anew, because a query's answer does not follow what
 * is granted or revoked later.
 */
export const denoPermissions: PermissionQuery = Object.freeze({
  query: (descriptor: Deno.PermissionDescriptor): Deno.PermissionState => permissionStatus(descriptor).state,
  flagFor: (descriptor: Deno.PermissionDescriptor): string => quoteForShell(permissionFlag(descriptor)),
});

/**
 * The permissions of a list that the process does not have: also those of which it has only a part, because of a `--deny-`
 * flag. Who handed them on would give more than it has.
 *
 * @throws {TypeError} If there is no such permission.
 */
export function missingPermissions(
  descriptors: readonly Deno.PermissionDescriptor[],
): Deno.PermissionDescriptor[] {
  return descriptors.filter((descriptor) =>
    !hasPermission(descriptor) || permissionStatus(descriptor).partial
  );
}
