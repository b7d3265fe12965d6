/**
 * Registering an object with a Tub: its name, and the file that keeps its FURL.
 *
 * Source: Foolscap `pb.py`, `Tub.registerReference`.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { formatFurl } from "../names/furl.ts";
import type { CapabilityRegistry } from "../registry/registry.ts";
import { readFurlFile, writeFurlFile } from "./furl_file.ts";
import { useFile } from "./used_permissions.ts";

/** Options of {@linkcode Tub.registerReference}. */
export interface RegisterOptions {
  /**
   * A name of the program's choice. Whoever can guess it can use the object.
   *
   * @default 160 random bits
   */
  readonly name?: string | undefined;
  /**
   * A file that keeps the FURL: its name is used again, so that the object has the same FURL after a restart. It is
   * written, in one step, when the hints have changed; a new file gets mode 0600, and one that exists keeps its mode, owner
   * and group. An empty one is refused: it may be what a crash has left of a FURL that others have. The files of the Python Foolscap can be used, and the reverse.
   *
   * @default the FURL is kept nowhere
   */
  readonly furlFile?: string | URL | undefined;
}

/** Where a FURL leads, besides its name. */
export interface FurlBase {
  readonly tubId: string;
  readonly hints: readonly string[];
}

/**
 * Registers an object; see {@linkcode Tub.registerReference}. If the file cannot be used, a new object is not registered.
 *
 * @returns The object's FURL.
 */
export function registerObject(
  registry: CapabilityRegistry,
  object: Publishable,
  { tubId, hints }: FurlBase,
  { name, furlFile }: RegisterOptions,
): string {
  const isNew = !registry.has(object);
  const wanted = isNew ? name : registry.nameOf(object);
  const stored = furlFile === undefined ? undefined : readFurlFile(furlFile, { tubId, name: wanted });
  const given = registry.register(object, wanted ?? stored);
  try {
    const furl = formatFurl({ tubId, hints, name: given });
    if (furlFile === undefined) return furl;
    writeFurlFile(furlFile, furl);
    useFile(registry, furlFile, "furlFile");
    return furl;
  } catch (error) {
    if (isNew) registry.unregister(object);
    throw error;
  }
}
