/**
 * How objects of Foolscap are served to clients of Perspective Broker.
 *
 * @module
 */

import { Callable } from "../broker/callable.ts";
import { Referenceable } from "../broker/referenceable.ts";
import { RemoteHandle } from "../broker/remote_handle.ts";
import { SturdyRef } from "../names/sturdy_ref.ts";
import type { RootProvider } from "../pb/flavors/referenceable.ts";
import { type PbServer, serve } from "../pb/server.ts";
import { Capability } from "../registry/capability.ts";
import { checkPermissions, requiredBy } from "../registry/requirements.ts";
import { denoPermissions } from "../tub/deno_permissions.ts";
import { endWith } from "../tub/debug.ts";
import type { Tub } from "../tub/tub.ts";
import { type FoolscapObject, FurlTarget } from "./furl_target.ts";
import type { BridgeServeOptions } from "./options.ts";
import { pbStandIn } from "./stand_ins.ts";

/** Does what `pbRootOf` says. */
export function rootOf(object: FoolscapObject | Capability): RootProvider {
  const target: unknown = object instanceof Capability ? object.object : object;
  if (target instanceof Referenceable || target instanceof Callable) {
    checkPermissions(requiredBy(target), denoPermissions, "serve an object");
  } else if (!(target instanceof RemoteHandle)) {
    throw new TypeError("Cannot serve: it is no Referenceable, callable(f), reference or capability");
  }
  const standIn = pbStandIn(target);
  return { rootObject: () => standIn };
}

/** Does what `servePb` says. */
export async function startServing(
  tub: Tub,
  target: FoolscapObject | Capability | string | SturdyRef,
  place: string,
  options: BridgeServeOptions,
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
  const root = rootOf(object);
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
