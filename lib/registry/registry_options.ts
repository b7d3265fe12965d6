/**
 * What a registry is made with, and what it lists.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import type { RemoteHandle } from "../broker/remote_handle.ts";
import type { RandomBytes } from "../util/random_bytes.ts";
import type { Clock } from "../util/clock.ts";
import type { Trace } from "../util/trace.ts";
import type { AuditTrail } from "./audit_trail.ts";
import type { CapabilityInfo } from "./capability_info.ts";
import type { CaveatState } from "./caveat_state.ts";
import type { EventSink } from "./capability_events.ts";
import type { Factory } from "./factories.ts";
import type { PermissionQuery } from "./permission_query.ts";
import type { Store } from "./store.ts";

/** An object that can be reached by a FURL, as {@linkcode CapabilityRegistry.list} shows it. */
export interface RegistryEntry {
  /** The object, or function, itself. */
  readonly object: Publishable;
  /**
   * Whether nobody registered it: it got its FURL when it was passed to a peer, and loses it when nobody holds it any
   * more.
   */
  readonly isImplicit: boolean;
  /** What it allows, if it was granted; else all of the object can be reached. */
  readonly capability?: CapabilityInfo;
}

/** What a {@linkcode CapabilityRegistry} needs of its Tub. */
export interface CapabilityRegistryOptions {
  /** Gives names and keys. */
  readonly randomBytes: RandomBytes;
  /** Is told when a lookup handler, or one of `onEvent`, throws. */
  readonly trace: Trace;
  /**
   * The time and the timers.
   *
   * @default the clock of the machine
   */
  readonly clock?: Clock | undefined;
  /**
   * What knows the process's permissions.
   *
   * @default nothing: what requires a permission cannot be granted
   */
  readonly permissions?: PermissionQuery | undefined;
  /**
   * Gives the FURL of a granted object, or throws a {@linkcode NoLocationError}.
   *
   * @default there are no FURLs
   */
  readonly furlOf?: ((object: Publishable) => string) | undefined;
  /**
   * Follows the FURLs that cross membranes.
   *
   * @default what is behind them cannot be called
   */
  readonly follow?: {
    /** The TubID of this Tub. */
    readonly tubId: string;
    /** Gets a reference. */
    getReference(furl: string): Promise<RemoteHandle>;
  } | undefined;
  /**
   * Are told of every event, at once and in order. What they throw goes to the trace.
   *
   * @default none
   */
  readonly onEvent?: readonly EventSink[] | undefined;
  /**
   * Keeps the counts and revocations of attenuated FURLs.
   *
   * @default they are kept for as long as the registry
   */
  readonly caveatState?: CaveatState | undefined;
  /**
   * Keeps durable grants, and what is remembered of attenuated FURLs. Await {@linkcode CapabilityRegistry.restore} before
   * anything else then.
   *
   * @default nothing outlives the registry
   */
  readonly store?: Store | undefined;
  /** What makes the objects of durable grants again, by name. */
  readonly factories?: Readonly<Record<string, Factory>> | undefined;
  /**
   * Takes every event down before it happens.
   *
   * @default nobody does
   */
  readonly audit?: AuditTrail | undefined;
}
