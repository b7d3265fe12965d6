/**
 * Objects of Perspective Broker for Foolscap. What calls of them take is loaded with the first one: see
 * `lib/tub/load_assembly.ts`.
 *
 * @module
 */

import type { CallContext } from "../broker/call_context.ts";
import { PbClient } from "../pb/client.ts";
import { RemoteReference as PbReference } from "../pb/flavors/remote_reference.ts";
import { PersistentPbClient } from "../pb/persistent_client.ts";
import { type BridgedDelivery, type BridgedReference, faceOf } from "./face.ts";

/**
 * What Foolscap can be given of Perspective Broker: a reference; a client, whose root object is meant, whichever connection it
 * has by then; or a function that gives the reference that is good now, or `undefined` while there is none, such as an
 * avatar's after each login.
 */
export type PbSource =
  | PbReference<never>
  | PbReference
  | PbClient<never>
  | PbClient
  | PersistentPbClient<never>
  | PersistentPbClient
  | (() => PbReference<never> | PbReference | undefined);

/**
 * An object of Perspective Broker as one that Foolscap peers can call: to be registered, granted, passed in arguments.
 *
 * Arguments and results cross as the value table of both protocols has them: references both ways, with their identity; errors
 * with type and message; a `callable(f)` is an object with the method `call` over there. Dates and times are a
 * {@linkcode Violation}, as Foolscap has none.
 *
 * A client's root object that returns itself returns another object, as far as Perspective Broker tells: a grant of the client
 * does not limit that. Grant a reference that the root gave, or see that it does not give itself.
 *
 * @param source See {@linkcode PbSource}. With a {@linkcode pb.connectPersistently} client, calls fail with a
 *   {@linkcode DeadReferenceError} while there is no connection, and go on with the next one.
 * @returns The same for the same source.
 * @throws {TypeError} If it is none.
 *
 * @example
 * ```ts
 * import { bridge, pb, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Pond extends pb.Root {
 *   remote_frogs(): number {
 *     return 12;
 *   }
 *   remote_drain(): void {}
 * }
 * await using service = await pb.serve(new Pond(), "tcp:0:interface=127.0.0.1");
 * await using client = await pb.connect(service.address);
 *
 * await using tub = await Tub.create();
 * tub.setLocation((await tub.listenOn("tcp:0:interface=127.0.0.1")).hint);
 * const capability = tub.registry.grant(bridge.bridged(client), { methods: ["frogs"], expires: "PT1H" });
 *
 * await using visitor = await Tub.create();
 * const pond = await visitor.getReference(capability.furl);
 * assert.equal(await pond.callRemote("frogs"), 12);
 * await assert.rejects(pond.callRemote("drain"));
 * ```
 */
export function bridged(source: PbSource): BridgedReference {
  const given: unknown = source;
  const find = finder(given);
  return faceOf(source, find, deliver);
}

function finder(source: unknown): () => PbReference | undefined {
  if (source instanceof PbReference) return () => source as PbReference;
  if (source instanceof PbClient) return () => rootOf(source as PbClient);
  if (source instanceof PersistentPbClient) return () => rootOf(source.client as PbClient | undefined);
  if (typeof source === "function") {
    return () => {
      const found: unknown = source();
      return found instanceof PbReference ? found : undefined;
    };
  }
  throw new TypeError("Cannot bridge: give a pb.RemoteReference, a client, or a function that gives one");
}

function rootOf(client: PbClient | undefined): PbReference | undefined {
  return client?.isConnected === true ? client.getRootObject() : undefined;
}

let loading: Promise<{ readonly callPb: BridgedDelivery }> | undefined;
let loaded: BridgedDelivery | undefined;

function deliver(
  face: BridgedReference,
  name: string,
  args: unknown[],
  context: CallContext,
): Promise<unknown> {
  if (loaded !== undefined) return loaded(face, name, args, context);
  if (loading === undefined) {
    loading = import("./stand_ins.ts");
    // Before those who wait, who keep their order and so are not overtaken by who comes then.
    loading.then(({ callPb }) => loaded = callPb, () => loading = undefined);
  }
  return loading.then(({ callPb }) => callPb(face, name, args, context));
}
