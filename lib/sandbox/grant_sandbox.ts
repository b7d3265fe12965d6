/**
 * Objects in a confined process. What that takes is loaded with the first one: see `lib/tub/load_assembly.ts`.
 *
 * @module
 */

import type { Untyped } from "../broker/remote_reference.ts";
import type { Tub } from "../tub/tub.ts";
import type { SandboxOptions } from "./options.ts";
import type { Sandbox } from "./sandbox.ts";

/**
 * Runs an object in a process of its own, with no permissions of Deno's and no references but those that it is given. It is
 * called like any other, also by Python: by its FURL, or by `reference` from here.
 *
 * What is passed to it and what it returns is passed on both ways: an object that lives in the sandbox goes to others as one of
 * this Tub, which hands calls on, and comes home as itself; and the other way round. It sees none of this Tub's names, and
 * nothing of this Tub's connections.
 *
 * Do not give it permissions to run programs, or to load libraries (`run`, `ffi`): those are not confined. See
 * docs/security.md for what a sandbox protects, and what not.
 *
 * @typeParam T The class of the object.
 * @param tub Stops the sandbox when it stops.
 * @param module The URL, or the absolute path, of the module. It is loaded as it is then, at each start.
 * @returns When the object is ready.
 * @throws {SandboxError} If it cannot be started: `cause` has what it printed.
 * @throws {PermissionDenied} If this process may not run Deno, or would give more than it has; names the flag.
 * @throws {TypeError} If an option is unknown or of the wrong type, or the Tub has stopped.
 * @throws {RangeError} If a number is out of its range.
 * @throws {FurlError} If the name of its grant cannot stand in a FURL.
 *
 * @example
 * ```ts
 * import { grantSandbox, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * interface Adder {
 *   remote_add(a: number, b: number): number;
 * }
 * // Usually a file of somebody else's; here a module as a URL.
 * const source = `
 *   import { Referenceable } from "${new URL("../../mod.ts", import.meta.url)}";
 *   export default class extends Referenceable {
 *     remote_add(a, b) { return a + b; }
 *   }`;
 *
 * await using tub = await Tub.create();
 * const sandbox = await grantSandbox<Adder>(tub, `data:text/javascript,${encodeURIComponent(source)}`);
 * assert.equal(await sandbox.reference.callRemote("add", 1, 2), 3);
 * ```
 */
export async function grantSandbox<T = Untyped>(
  tub: Tub,
  module: string | URL,
  options: SandboxOptions = {},
): Promise<Sandbox<T>> {
  const { startSandbox } = await import("./sandbox.ts");
  return await startSandbox<T>(tub, module, options);
}
