/**
 * What a sandbox may do, as descriptors and as flags of the process that it runs in.
 *
 * @module
 */

import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { PermissionDenied } from "../errors.ts";
import { missingPermissions } from "../tub/deno_permissions.ts";
import { permissionFlag, permissionScope } from "../tub/permissions.ts";
import { normalPath } from "../tub/run_flags.ts";

/**
 * Deno's permissions for a sandbox: descriptors as for `Deno.permissions.query`, or an object as for the permissions of a Deno
 * test, without `"inherit"`; paths are absolute, or file URLs.
 */
export type SandboxPermissions = "none" | readonly Deno.PermissionDescriptor[] | SandboxPermissionsObject;

/** Deno's permissions by kind: all of the kind, or for the things named. */
export interface SandboxPermissionsObject {
  /** Files and folders, by their paths. */
  readonly read?: boolean | readonly (string | URL)[] | undefined;
  /** Files and folders, by their paths. */
  readonly write?: boolean | readonly (string | URL)[] | undefined;
  /** Hosts, with or without a port. */
  readonly net?: boolean | readonly string[] | undefined;
  /** Variables. The sandbox has none but those of {@linkcode SandboxOptions.env}, which it may read anyway. */
  readonly env?: boolean | readonly string[] | undefined;
  /** Kinds, such as `hostname`. */
  readonly sys?: boolean | readonly Deno.SysPermissionDescriptor["kind"][] | undefined;
  /** Programs. What it runs is not confined: whoever may run one may do whatever that does. */
  readonly run?: boolean | readonly (string | URL)[] | undefined;
  /** Libraries. What they do is not confined. */
  readonly ffi?: boolean | readonly (string | URL)[] | undefined;
  /** Hosts that code may be loaded from. */
  readonly import?: boolean | readonly string[] | undefined;
}

/** Deno's kinds of permissions, and the key of a descriptor that says for what one is. */
export const SCOPES = {
  read: "path",
  write: "path",
  net: "host",
  env: "variable",
  sys: "kind",
  run: "command",
  ffi: "path",
  import: "host",
} as const;

/**
 * The descriptors of permissions.
 *
 * @throws {TypeError} If a kind is none, a value is of the wrong type, or a path is not absolute.
 */
export function descriptorsOf(permissions: SandboxPermissions): Deno.PermissionDescriptor[] {
  if (permissions === "none") return [];
  const descriptors = Array.isArray(permissions)
    ? [...permissions]
    : fromObject(permissions as SandboxPermissionsObject);
  for (const descriptor of descriptors) checkDescriptor(descriptor);
  return descriptors;
}

function fromObject(permissions: SandboxPermissionsObject): Deno.PermissionDescriptor[] {
  if (typeof permissions !== "object" || permissions === null) {
    throw new TypeError(
      'Cannot start a sandbox: its permissions are not "none", descriptors, or an object of them',
    );
  }
  return Object.entries(permissions).flatMap(([name, value]: [string, unknown]) => {
    if (!Object.hasOwn(SCOPES, name)) {
      throw new TypeError("Cannot start a sandbox: Deno has no permission of a kind that is named");
    }
    if (value === undefined || value === false) return [];
    if (value === true) return [{ name } as Deno.PermissionDescriptor];
    if (!Array.isArray(value)) {
      throw new TypeError(`Cannot start a sandbox: its ${name} permission is neither true, false nor a list`);
    }
    const field = SCOPES[name as keyof typeof SCOPES];
    return value.map((item) => ({ name, [field]: item }) as Deno.PermissionDescriptor);
  });
}

function checkDescriptor(descriptor: Deno.PermissionDescriptor): void {
  if (typeof descriptor !== "object" || descriptor === null || !Object.hasOwn(SCOPES, descriptor.name)) {
    throw new TypeError("Cannot start a sandbox: Deno has no permission of a kind that is named");
  }
  const field = SCOPES[descriptor.name];
  const isPath = field === "path";
  const value: unknown = (descriptor as unknown as Record<string, unknown>)[field];
  // A descriptor with a misspelt key, such as `paths`, would allow everything of its kind.
  const isKnown = Object.keys(descriptor).every((key) => key === "name" || key === field);
  const isText = typeof value === "string" && value !== "";
  if (isKnown && (value === undefined || isText || (value instanceof URL && field !== "host"))) {
    const scope = permissionScope(descriptor);
    if (!isPath || scope === undefined || isAbsolute(normalPath(scope))) return;
    throw new TypeError(
      `Cannot start a sandbox: a ${descriptor.name} permission has a relative path; give an absolute one, or a file URL`,
    );
  }
  throw new TypeError(
    `Cannot start a sandbox: a ${descriptor.name} permission is for neither a text nor a URL, or says more than "${field}"`,
  );
}

/**
 * Makes sure that the process gives no more than it has.
 *
 * @throws {PermissionDenied} If it lacks one, also in part; names the flag.
 */
export function checkOwnPermissions(descriptors: readonly Deno.PermissionDescriptor[]): void {
  const [missing] = missingPermissions(descriptors);
  if (missing === undefined) return;
  throw new PermissionDenied(
    `Cannot start a sandbox with a ${missing.name} permission: this process does not have it, or not all of it; run with ${
      permissionFlag(missing)
    }, without a --deny-${missing.name} in it, or give less`,
  );
}

/** Where the code of a sandbox comes from. */
export interface CodeSources {
  /** Files and folders that it may load. */
  readonly paths: readonly string[];
  /** Hosts that it may load from. */
  readonly hosts: readonly string[];
}

/**
 * Where the modules of some places are loaded from.
 *
 * @throws {TypeError} If one is neither a URL that Deno loads nor an absolute path.
 */
export function sourcesOf(places: readonly (string | URL)[]): CodeSources {
  const paths: string[] = [], hosts: string[] = [];
  for (const place of places) {
    const text = place.toString();
    const url = URL.parse(isAbsolute(text) ? "" : text);
    if (isAbsolute(text)) paths.push(normalPath(text));
    else if (url?.protocol === "file:") paths.push(normalPath(fileURLToPath(url)));
    else if (url?.protocol === "https:" || url?.protocol === "http:") {
      hosts.push(`${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`);
    } else if (url?.protocol === "jsr:") hosts.push("jsr.io:443");
    else if (url?.protocol !== "data:" && url?.protocol !== "npm:") {
      throw new TypeError(
        "Cannot start a sandbox: a module is given neither by a URL that Deno loads nor by an absolute path",
      );
    }
  }
  return { paths, hosts };
}
