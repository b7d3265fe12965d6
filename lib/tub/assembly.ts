/**
 * The parts of a Tub, put together.
 *
 * @module
 */

import type { BrokerHost } from "../broker/interface.ts";
import type { Publishable } from "../broker/callable.ts";
import type { RemoteHandle } from "../broker/remote_handle.ts";
import { NoLocationError } from "../errors.ts";
import { resolveLimits } from "../limits.ts";
import type { FurlParts } from "../names/furl.ts";
import { systemRandomBytes } from "../util/random_bytes.ts";
import { CapabilityRegistry } from "../registry/registry.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { safeTrace } from "../util/trace.ts";
import { denoPermissions } from "./deno_permissions.ts";
import type { Durable } from "./durable.ts";
import { Gifts } from "./gifts.ts";
import type { Identity } from "./identity.ts";
import { type ConnectOptions, Network } from "./network.ts";
import { keepaliveTimes, oldPeerThresholdMs, type TubOptions } from "./options.ts";
import { Reconnectors } from "./reconnectors.ts";
import { TubStorage } from "./tub_storage.ts";
import { useDurableFiles, useFile } from "./used_permissions.ts";
import { waitFor } from "./waiting.ts";

/** What a Tub is made of. */
export interface TubParts {
  /** This life of the Tub: 16 hex digits. */
  readonly incarnation: string;
  readonly clock: Clock;
  readonly registry: CapabilityRegistry;
  readonly network: Network;
  readonly reconnectors: Reconnectors;
  readonly storage: TubStorage;
}

/** What the parts ask of the Tub. */
export interface TubFace {
  /** The FURL of an object of the Tub; `undefined` without a location. */
  furlOf(object: Publishable): string | undefined;
  getReference(target: FurlParts, options: ConnectOptions): Promise<RemoteHandle>;
}

/** See {@linkcode assemble}. */
export type Assemble = typeof assemble;

/** Makes the parts of a Tub. The options have been checked. */
export function assemble(
  identity: Identity,
  options: TubOptions,
  { store, audit }: Durable,
  face: TubFace,
): TubParts {
  const { randomBytes = systemRandomBytes, clock = systemClock, acceptGifts = true } = options;
  const { tubId } = identity;
  const trace = safeTrace(options.trace);
  const limits = resolveLimits(options.limits);
  const incarnation = incarnationOf(randomBytes(8));
  const registry = new CapabilityRegistry({
    randomBytes,
    trace,
    clock,
    permissions: denoPermissions,
    store,
    factories: options.factories,
    audit,
    // A peer may have sent it: so it is followed as its gifts are.
    follow: {
      tubId,
      getReference: (furl) => gifts.fetch(furl, { from: undefined, signal: new AbortController().signal }),
    },
    furlOf: (object) => {
      const furl = face.furlOf(object);
      if (furl !== undefined) return furl;
      throw new NoLocationError(
        "Cannot give a FURL: the Tub has no location; call setLocation or setLocationAutomatically first",
      );
    },
  });
  if (options.certFile !== undefined) useFile(registry, options.certFile, "certFile");
  useDurableFiles(registry, options);
  const furlOf = (object: Publishable) => face.furlOf(object);
  const gifts = new Gifts({
    acceptGifts,
    policy: options.giftPolicy,
    trace,
    followsPeers: (hint) => network.hintHandlers.followsPeers(hint),
    isConnected: (wanted) => wanted === tubId || network.info(wanted)?.connected === true,
    get: (parts, signal) => face.getReference(parts, { isForPeer: true, signal }),
  });
  const host: BrokerHost = {
    tubId,
    exposesTracebacks: options.unsafeTracebacks === true,
    exposesRemoteTypes: options.exposeRemoteExceptionTypes !== false,
    furlOf: (object, to) => {
      registry.given(object, to);
      return face.furlOf(object);
    },
    lookup: (name, from) => registry.lookup(name, from),
    get interceptInbound() {
      return registry.guard;
    },
    acquire: (furl, request) => gifts.fetch(furl, request),
  };
  const network = new Network({
    tubId,
    incarnation,
    identity,
    randomBytes,
    limits,
    clock,
    trace,
    oldPeerThresholdMs: oldPeerThresholdMs(options.handleOldDuplicateConnections),
    keepalive: keepaliveTimes(options),
    host,
  });
  const reconnectors = new Reconnectors({
    clock,
    trace,
    randomBytes,
    getReference: (target, signal) =>
      waitFor({ signal }, clock, (signal) => face.getReference(target, { signal })),
    connectionInfo: (tubId) => network.info(tubId),
  });
  const acquire = (furl: string, signal: AbortSignal) => gifts.fetch(furl, { from: undefined, signal });
  const storage = new TubStorage({ limits, clock, furlOf, acquire });
  return { incarnation, clock, registry, network, reconnectors, storage };
}

function incarnationOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
