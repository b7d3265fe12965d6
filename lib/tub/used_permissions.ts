/**
 * The Deno permissions that a Tub has used for itself: for its files, and for what runs in its sandboxes.
 *
 * @module
 */

import type { CapabilityRegistry } from "../registry/registry.ts";
import { toPath } from "./private_file.ts";

/** By registry, which all parts of a Tub know. */
const used = new WeakMap<CapabilityRegistry, Deno.PermissionDescriptor[]>();

/** Remembers permissions for {@linkcode denoRunCommand}. */
export function usePermissions(
  registry: CapabilityRegistry,
  descriptors: readonly Deno.PermissionDescriptor[],
): void {
  used.getOrInsertComputed(registry, () => []).push(...descriptors);
}

/** Remembers a file that is read, and written if it is not there or has changed. */
export function useFile(registry: CapabilityRegistry, file: string | URL, option: string): void {
  const path = toPath(file, option);
  usePermissions(registry, [{ name: "read", path }, { name: "write", path }]);
}

/** What was remembered. */
export function usedPermissions(registry: CapabilityRegistry): readonly Deno.PermissionDescriptor[] {
  return used.get(registry) ?? [];
}
