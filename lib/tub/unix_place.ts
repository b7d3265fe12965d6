/**
 * Unix sockets under Deno's permissions.
 *
 * @module
 */

import { requirePermission } from "./permissions.ts";

/**
 * Makes sure that the program may use a unix socket, which takes three permissions.
 *
 * @param action Such as `listen on`.
 * @throws {PermissionDenied} If it may not; names the flag.
 */
export function checkUnixPermissions(path: string, action: string): void {
  const what = `${action} unix:${path}`;
  requirePermission({ name: "net", host: `unix:${path}` }, what);
  requirePermission({ name: "read", path }, what);
  requirePermission({ name: "write", path }, what);
}
