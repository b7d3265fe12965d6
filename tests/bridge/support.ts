/**
 * A bridge between the two protocols, with a caller on one side and a service on the other.
 *
 * @module
 */

import { bridge, type Capability, pb, type Referenceable, type RemoteReference, Tub } from "../../mod.ts";
import { startTub } from "../tub/tubs.ts";
import { collectGarbage } from "../support/gc.ts";

/** A Foolscap caller, a bridge, and a service of Perspective Broker. */
export interface ToPb extends AsyncDisposable {
  readonly caller: Tub;
  readonly tub: Tub;
  readonly server: pb.PbServer;
  readonly client: pb.PbClient;
  readonly object: bridge.BridgedReference;
  readonly capability: Capability;
  /** What the caller holds. */
  readonly root: RemoteReference;
}

/** Starts the three. */
export async function toPb(service: pb.Root): Promise<ToPb> {
  const server = await pb.serve(service, "tcp:0:interface=127.0.0.1");
  const client = await pb.connect(server.address);
  const tub = await startTub();
  const object = bridge.bridged(client);
  const capability = tub.registry.grant(object);
  const caller = await startTub();
  const root = await caller.getReference(capability.furl);
  return {
    caller,
    tub,
    server,
    client,
    object,
    capability,
    root,
    async [Symbol.asyncDispose]() {
      await Promise.all([caller.stop(), tub.stop()]);
      await client.close();
      await server.close();
    },
  };
}

/** A caller by Perspective Broker, a bridge, and a Foolscap service. */
export interface ToFoolscap extends AsyncDisposable {
  readonly service: Tub;
  readonly furl: string;
  readonly tub: Tub;
  readonly server: pb.PbServer;
  readonly client: pb.PbClient;
  /** What the caller holds. */
  readonly root: pb.RemoteReference;
}

/** Starts the three. */
export async function toFoolscap(
  object: Referenceable,
  options?: bridge.BridgeServeOptions,
): Promise<ToFoolscap> {
  const service = await startTub();
  const furl = service.registerReference(object);
  const tub = await Tub.create();
  const server = await bridge.servePb(tub, furl, "tcp:0:interface=127.0.0.1", options);
  const client = await pb.connect(server.address);
  return {
    service,
    furl,
    tub,
    server,
    client,
    root: client.getRootObject(),
    async [Symbol.asyncDispose]() {
      await client.close();
      await Promise.all([tub.stop(), service.stop()]);
    },
  };
}

/** Collects garbage, in turns of the event loop in which finalizers can run, until something is so. */
export async function collected(isSo: () => boolean, what: string): Promise<void> {
  const giveUpAt = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`${what} did not come true`);
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
