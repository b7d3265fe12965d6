/**
 * The object that stands for an attenuated FURL: a facet whose limits are the FURL's caveats.
 *
 * @module
 */

import type { Publishable } from "../broker/callable.ts";
import { allowanceOf } from "../names/describe_furl.ts";
import type { CapabilityInfo } from "./capability_info.ts";
import { type CaveatWorld, limitsOf, statusOf, type VerifiedChain } from "./caveat_limits.ts";
import type { EventLog, Subject } from "./event_log.ts";
import { facetOf } from "./facet.ts";
import { Gate } from "./gate.ts";
import type { Limit } from "./limit.ts";

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
  #callsUsed = 0;
  #lastUsedAt: number | undefined;
  #isShut = false;

  /** A facet for a chain that was verified. */
  constructor({ id, target, parent, chain, world, log, limits }: CaveatFacetParts) {
    this.id = id;
    this.chain = chain;
    this.target = target;
    for (const caveat of chain.caveats) if (caveat.type === "label") this.label = caveat.label;
    this.#parent = parent;
    this.#world = world;
    this.#createdAt = world.clock.now();
    this.#gate = new Gate(target, [...limitsOf(chain, world), ...limits], {
      used: (method, caller) => {
        log.used(this, caller, method);
        this.#callsUsed++;
        this.#lastUsedAt = world.clock.now();
      },
      denied: (method, caller, limit) => log.denied(this, caller, method, limit),
    });
  }

  /** What holders hold: a new one, which its owner keeps. */
  makeFacet(): Publishable {
    return facetOf(this.#gate);
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
    this.#gate.endCalls();
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
      callsRunning: this.#gate.running,
      rates: Object.freeze([]),
      holders: forTub.length === 0 ? undefined : forTub.length === 1 ? forTub : Object.freeze([]),
      requires: Object.freeze([]),
      isRevoked: this.#isShut || end === "revoked",
      isExpired: end === "expires",
      parent: this.#parent,
      children: 0,
      createdAt: this.#createdAt,
      lastUsedAt: this.#lastUsedAt,
    });
  }
}
