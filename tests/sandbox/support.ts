/**
 * What the tests of sandboxes have in common.
 *
 * @module
 */

import { grantSandbox, type Sandbox, type SandboxOptions, type Tub } from "../../mod.ts";
import type Plugin from "./modules/plugin.ts";

/** The module that does what it is asked to. */
export const PLUGIN = new URL("./modules/plugin.ts", import.meta.url);
/** The library, for modules that are made by a test. */
export const LIBRARY = new URL("../../mod.ts", import.meta.url).href;

/** Starts the plugin. */
export function startPlugin(tub: Tub, options: SandboxOptions = {}): Promise<Sandbox<Plugin>> {
  return grantSandbox<Plugin>(tub, PLUGIN, options);
}

/** A module as a URL. */
export function moduleOf(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
