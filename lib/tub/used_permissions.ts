/**
 * The Deno permissions that a Tub has used for itself: for its files, and for what runs in its sandboxes.
 *
 * @module
 */

import type { CapabilityRegistry } from "../registry/registry.ts";
import { nodePath } from "../util/node.ts";
import type { TubOptions } from "./options.ts";
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

/** Remembers the store and the audit file; one that is rotated needs its folder. */
export function useDurableFiles(
  registry: CapabilityRegistry,
  { store, auditFile }: Pick<TubOptions, "store" | "auditFile">,
): void {
  for (const [option, value] of [["store", store], ["auditFile", auditFile]] as const) {
    if (value === undefined) continue;
    const { file, rotate } = typeof value === "string" || value instanceof URL
      ? { file: value }
      : { rotate: undefined, ...value };
    const path = toPath(file, option);
    useFile(registry, rotate === undefined ? path : nodePath().dirname(path), option);
  }
}

/** What was remembered. */
export function usedPermissions(registry: CapabilityRegistry): readonly Deno.PermissionDescriptor[] {
  return used.get(registry) ?? [];
}
