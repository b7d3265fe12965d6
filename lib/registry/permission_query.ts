/**
 * How a registry asks what the process may do. The Tub supplies it: the registry touches no `Deno.*`.
 *
 * @module
 */

/** Asks for the state of a permission, and never prompts. */
export interface PermissionQuery {
  /**
   * The state of a permission now.
   *
   * @returns `prompt` counts as missing: nobody is there to be asked.
   * @throws {TypeError} If there is no such permission.
   */
  query(descriptor: Deno.PermissionDescriptor): Deno.PermissionState;
  /** The command-line flag that grants it, such as `--allow-read=/srv/data`; quoted for a shell where it has to be. */
  flagFor(descriptor: Deno.PermissionDescriptor): string;
}
