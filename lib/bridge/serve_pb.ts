/**
 * Objects of Foolscap for clients of Perspective Broker.
 *
 * @module
 */

import { Callable } from "../broker/callable.ts";
import { Referenceable } from "../broker/referenceable.ts";
import { RemoteHandle } from "../broker/remote_handle.ts";
import type { RootProvider } from "../pb/flavors/referenceable.ts";
import type { PbServeOptions, PbServer } from "../pb/server.ts";
import { serve } from "../pb/server.ts";
import { SturdyRef } from "../names/sturdy_ref.ts";
import { checkPermissions, requiredBy } from "../registry/grant_rules.ts";
import { Capability } from "../registry/capability.ts";
import { denoPermissions } from "../tub/deno_permissions.ts";
import { endWith } from "../tub/owned.ts";
import type { Tub } from "../tub/tub.ts";
import { type FoolscapObject, pbStandIn } from "./bridged.ts";
import { FurlTarget } from "./furl_target.ts";

/** Options of {@linkcode servePb}. */
export interface BridgeServeOptions extends PbServeOptions {
  /**
   * Whether clients are disconnected when the connection with the Tub is lost that the served object lives in: their own
   * protocol has no other way to tell them, and `notifyOnDisconnect` is what they watch. Else their calls fail until the Tub is
   * there again.
   *
   * @default false
   */
  readonly closeWhenLost?: boolean | undefined;
}

/**
 * An object of Foolscap as the root of a {@linkcode pb.serve}r: an object or function of this process, a reference to one of a
 * peer, or a capability, whose limits hold. See {@linkcode servePb}, which takes FURLs too.
 *
 * @throws {TypeError} If it is none.
 * @throws {PermissionDenied} If the process lacks a Deno permission that the object's class declares in `static requires`.
 *
 * @example
 * ```ts
 * import { pb, pbRootOf, Referenceable } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Calculator extends Referenceable {
 *   remote_add(a: number, b: number): number {
 *     return a + b;
 *   }
 * }
 * await using server = await pb.serve(pbRootOf(new Calculator()), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(server.address);
 * assert.equal(await client.getRootObject().callRemote("add", 1, 2), 3);
 * ```
 */
export function pbRootOf(object: FoolscapObject | Capability): RootProvider {
  const target: unknown = object instanceof Capability ? object.object : object;
  if (target instanceof Referenceable || target instanceof Callable) {
    checkPermissions(requiredBy(target), denoPermissions, "serve an object");
  } else if (!(target instanceof RemoteHandle)) {
    throw new TypeError("Cannot serve: it is no Referenceable, callable(f), reference or capability");
  }
  const standIn = pbStandIn(target);
  return { rootObject: () => standIn };
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
 * import { pb, Referenceable, servePb, Tub } from "../../mod.ts";
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
 * const server = await servePb(tub, capability, "tcp:0:interface=127.0.0.1");
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
  if (!tub.running) throw new TypeError("Cannot serve: this Tub has been stopped; create another one");
  const { closeWhenLost = false, ...rest } = options;
  let server: PbServer | undefined;
  const onLost = () => {
    for (const broker of closeWhenLost ? server?.brokers ?? [] : []) void broker.close();
  };
  let object: FoolscapObject | Capability;
  if (typeof target === "string" || target instanceof SturdyRef) {
    object = new FurlTarget(() => tub.getReference(target), onLost);
    await (object as FurlTarget).reach();
  } else object = target;
  const root = pbRootOf(object);
  const watch = object instanceof RemoteHandle ? object.notifyOnDisconnect(onLost) : undefined;
  try {
    const made = server = await serve(root, place, rest);
    if (tub.running) {
      endWith(tub, {
        async [Symbol.asyncDispose]() {
          watch?.[Symbol.dispose]();
          await made.close();
        },
      });
      return made;
    }
    await made.close();
  } catch (error) {
    watch?.[Symbol.dispose]();
    throw error;
  }
  throw new TypeError("Cannot serve: this Tub was stopped meanwhile; create another one");
}
