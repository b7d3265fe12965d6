/**
 * What the Deno process may do, for the registry, which touches no `Deno.*` itself.
 *
 * @module
 */

import type { PermissionQuery } from "../registry/permission_query.ts";
import { permissionFlag } from "./permissions.ts";

/** Asks Deno. Never prompts. */
export const denoPermissions: PermissionQuery = {
  query: (descriptor) => Deno.permissions.querySync(descriptor).state,
  flagFor: permissionFlag,
};
