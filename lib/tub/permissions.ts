/**
 * Deno's permissions, asked for before they are needed and without ever prompting.
 *
 * @module
 */

import { PermissionDenied } from "../errors.ts";
import { joinHostPort } from "../names/hints.ts";

/**
 * The state of a permission.
 *
 * @param descriptor As for `Deno.permissions.query`. It may be frozen: Deno, which writes into what it is asked, gets a copy.
 */
export function permissionStatus(descriptor: Deno.PermissionDescriptor): Deno.PermissionStatus {
  return Deno.permissions.querySync({ ...descriptor });
}

/** What a permission is for, as Deno's flags write it; undefined for all of its kind. */
export function permissionScope(descriptor: Deno.PermissionDescriptor): string | undefined {
  switch (descriptor.name) {
    case "read":
    case "write":
    case "ffi":
      return descriptor.path?.toString();
    case "net":
    case "import":
      return descriptor.host;
    case "run":
      return descriptor.command?.toString();
    case "env":
      return descriptor.variable;
    case "sys":
      return descriptor.kind;
  }
}

/**
 * The flag of `deno run` that gives a permission, such as `--allow-read=calc.pem`; that of the whole kind where Deno has none
 * that is narrower.
 *
 * @param descriptor As for `Deno.permissions.query`.
 */
export function permissionFlag(descriptor: Deno.PermissionDescriptor): string {
  const scope = permissionScope(descriptor);
  // A comma separates two values, and Deno knows no way to write one that does not (2.9.6 takes none twice either).
  const value = scope === undefined || scope.includes(",") ? "" : `=${scope}`;
  return `--allow-${descriptor.name}${value}`;
}

/**
 * The permission to listen or connect.
 *
 * @param host DNS name or address, an IPv6 one without brackets.
 * @param port Left out: all ports of the host.
 */
export function netPermission(host: string, port?: number): Deno.NetPermissionDescriptor {
  if (port !== undefined) return { name: "net", host: joinHostPort(host, port) };
  return { name: "net", host: host.includes(":") ? `[${host}]` : host };
}

/**
 * Whether a permission is there. Never prompts: what would need a prompt is not there.
 *
 * @param descriptor As for `Deno.permissions.query`.
 */
export function hasPermission(descriptor: Deno.PermissionDescriptor): boolean {
  return permissionStatus(descriptor).state === "granted";
}

/**
 * Makes sure of a permission. Never prompts: what would need a prompt is missing.
 *
 * @param descriptor As for `Deno.permissions.query`.
 * @param action What cannot be done without it, for the error: `read the identity file "calc.pem"`.
 * @throws {PermissionDenied} If it is missing or denied. The message names the flag to add.
 */
export function requirePermission(descriptor: Deno.PermissionDescriptor, action = "go on"): void {
  const { state } = permissionStatus(descriptor);
  if (state === "granted") return;
  const flag = permissionFlag(descriptor);
  throw new PermissionDenied(
    state === "denied"
      ? `Cannot ${action}: the ${descriptor.name} permission is denied; run without --deny-${descriptor.name} for it and with ${flag}`
      : `Cannot ${action}: the ${descriptor.name} permission is missing; run with ${flag}`,
  );
}
