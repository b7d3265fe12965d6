/**
 * The object that stands for an attenuated FURL: a facet whose limits are the FURL's caveats.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { allowanceOf } from "../names/describe_furl.ts";
import type { CapabilityInfo } from "./capability_info.ts";
import { type CaveatWorld, limitsOf, pastMethods, statusOf, type VerifiedChain } from "./caveat_limits.ts";
import type { EventLog, Subject } from "./event_log.ts";
import { facetOf } from "./facet.ts";
import { Gate, type GateWatcher } from "./gate.ts";
import type { Limit } from "./limit.ts";
import { MembraneCore, type MembraneParts } from "./membranes/core.ts";

/** What a {@linkcode CaveatFacet} is made of. */
export interface CaveatFacetParts {
  readonly id: number;
  readonly target: Publishable;
  /** The number of what the FURL was derived from, where it has one. */
  readonly parent: number | undefined;
  readonly chain: VerifiedChain;
  readonly world: CaveatWorld;
  readonly log: EventLog;
  /** What else is asked before a call passes. */
  readonly limits: readonly Limit[];
  /** What its membrane needs, if what is reached through the target is limited as that is. */
  readonly membrane: Pick<MembraneParts, "trace" | "sturdy"> | undefined;
  /** Is told what somebody has got through it, if it is deep. */
  onWrapped(standIn: Publishable, object: object): void;
}

/** One attenuated FURL that somebody uses. */
export class CaveatFacet implements Subject {
  readonly id: number;
  readonly label: string | undefined;
  readonly chain: VerifiedChain;
  /** What calls go to. */
  readonly target: Publishable;
  readonly #gate: Gate;
  readonly #world: CaveatWorld;
  readonly #parent: number | undefined;
  readonly #createdAt: number;
  readonly #membrane: MembraneCore | undefined;
  #callsUsed = 0;
  #lastUsedAt: number | undefined;
  #isShut = false;

  /** A facet for a chain that was verified. */
  constructor(parts: CaveatFacetParts) {
    const { id, target, parent, chain, world, log, membrane, onWrapped } = parts;
    this.id = id;
    this.chain = chain;
    this.target = target;
    for (const caveat of chain.caveats) if (caveat.type === "label") this.label = caveat.label;
    this.#parent = parent;
    this.#world = world;
    this.#createdAt = world.clock.now();
    const limits = [...limitsOf(chain, world), ...parts.limits];
    const watcher: GateWatcher = {
      used: (method, caller) => {
        log.used(this, caller, method);
        this.#callsUsed++;
        this.#lastUsedAt = world.clock.now();
      },
      denied: (method, caller, limit) => log.denied(this, caller, method, limit),
    };
    if (membrane !== undefined) {
      this.#membrane = new MembraneCore({
        ...membrane,
        label: this.label,
        // The target's membrane asks its own.
        policies: [],
        // What it gives out has other methods.
        limits: pastMethods(limits),
        watcher,
        onWrapped,
      });
    }
    this.#gate = new Gate(this.#membrane?.enclose(target) ?? target, limits, watcher);
  }

  /** What holders hold: a new one, which its owner keeps. */
  makeFacet(): Publishable {
    const facet = facetOf(this.#gate);
    this.#membrane?.standFor(facet, this.target);
    return facet;
  }

  /** Whether what is reached through it is limited as it is. */
  get isDeep(): boolean {
    return this.#membrane !== undefined;
  }

  /** What is asked about calls of it. */
  get limits(): readonly Limit[] {
    return this.#gate.limits;
  }

  /** Whether it lets no call pass any more, for good. */
  get isShut(): boolean {
    return this.#isShut;
  }

  /** Lets no call pass any more, and refuses those that run their answers. */
  end(): void {
    if (this.#isShut) return;
    this.#isShut = true;
    this.#gate.shut("revoked");
    this.#membrane?.shut("revoked");
    this.#gate.endCalls();
    this.#membrane?.endCalls();
  }

  /** What it allows. */
  info(): CapabilityInfo {
    const { methods, until, forTub } = allowanceOf(this.chain.caveats);
    const { callsLeft, end } = statusOf(this.chain, this.#world);
    return Object.freeze({
      id: this.id,
      label: this.label,
      methods,
      expiresAt: until,
      callsUsed: this.#callsUsed,
      callsLeft,
      callsRunning: this.#membrane?.running ?? this.#gate.running,
      rates: Object.freeze([]),
      holders: forTub.length === 0 ? undefined : forTub.length === 1 ? forTub : Object.freeze([]),
      requires: Object.freeze([]),
      isDeep: this.isDeep,
      isRevoked: this.#isShut || end === "revoked",
      isExpired: end === "expires",
      parent: this.#parent,
      children: 0,
      createdAt: this.#createdAt,
      lastUsedAt: this.#lastUsedAt,
    });
  }
}
