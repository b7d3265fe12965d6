/**
 * Objects of Foolscap for clients of Perspective Broker. What that takes is loaded with the first one: see
 * `lib/tub/load_assembly.ts`.
 *
 * @module
 */

import type { SturdyRef } from "../names/sturdy_ref.ts";
import type { RootProvider } from "../pb/flavors/referenceable.ts";
import type { PbServer } from "../pb/server.ts";
import type { Capability } from "../registry/capability.ts";
import type { Tub } from "../tub/tub.ts";
import type { FoolscapObject } from "./furl_target.ts";
import type { BridgeServeOptions } from "./options.ts";

/**
 * An object of Foolscap as the root of a {@linkcode pb.serve}r: an object or function of this process, a reference to one of a
 * peer, or a capability, whose limits hold. See {@linkcode servePb}, which takes FURLs too.
 *
 * @throws {TypeError} If it is none.
 * @throws {PermissionDenied} If the process lacks a Deno permission that the object's class declares in `static requires`.
 *
 * @example
 * ```ts
 * import { bridge, pb, Referenceable } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Calculator extends Referenceable {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 * await using server = await pb.serve(await bridge.pbRootOf(new Calculator()), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(server.address);
 * assert.equal(await client.getRootObject().callRemote("add", 1, 2), 3);
 * ```
 */
export async function pbRootOf(object: FoolscapObject | Capability): Promise<RootProvider> {
  const { rootOf } = await import("./serving.ts");
  return rootOf(object);
}

/**
 * Serves an object of Foolscap to clients of Perspective Broker, such as those of Twisted: its `remote_` methods are those of
 * their root object, and what it gives out can be called by them in turn. The same object can have a FURL as well.
 *
 * Clients of Perspective Broker prove nothing: whoever can connect can call, and capabilities with `holders` refuse them all.
 * Give them a capability with no more methods than they need, and an address that only they reach.
 *
 * @param tub Ends the server when it stops, and follows the FURL.
 * @param target An object or function of this process; a reference to a peer's; a capability, so that it can be revoked; or
 *   a FURL, whose object is got again after its connection was lost.
 * @param place As for {@linkcode pb.serve}: `tcp:PORT:interface=ADDRESS`, `tls:PORT`, `unix:/PATH`.
 * @returns When clients can connect; for a FURL, when its object was found.
 * @throws As {@linkcode pbRootOf} and {@linkcode pb.serve}; for a FURL as {@linkcode Tub.getReference}.
 *
 * @example
 * ```ts
 * import { bridge, pb, Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Notes extends Referenceable {
 *   remote_read(): string {
 *     return "hello";
 *   }
 *   remote_erase(): void {}
 * }
 * await using tub = await Tub.create();
 * const capability = tub.registry.grant(new Notes(), { methods: ["read"] });
 * const server = await bridge.servePb(tub, capability, "tcp:0:interface=127.0.0.1");
 *
 * await using client = await pb.connect(server.address);
 * assert.equal(await client.getRootObject().callRemote("read"), "hello");
 * capability.revoke();
 * await assert.rejects(client.getRootObject().callRemote("read"), pb.RemoteError);
 * ```
 */
export async function servePb(
  tub: Tub,
  target: FoolscapObject | Capability | string | SturdyRef,
  place: string,
  options: BridgeServeOptions = {},
): Promise<PbServer> {
  const { startServing } = await import("./serving.ts");
  return await startServing(tub, target, place, options);
}
