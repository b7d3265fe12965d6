/**
 * The Tub as one negotiation sees it, with the place among the connections that this negotiation has won.
 *
 * @module
 */

import type { Limits } from "../limits.ts";
import type { ConnectionMemory, PeerOffer } from "../negotiate/hello.ts";
import type { NegotiatingTub } from "../negotiate/negotiating_tub.ts";
import type { TlsIdentity } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";
import { FEATURES_KEY, formatFeatures } from "../util/features.ts";
import type { Connections, Place } from "./connections.ts";

/** What all negotiations of a Tub have in common. */
export interface NegotiationContext {
  readonly tubId: string;
  readonly incarnation: string;
  readonly identity: TlsIdentity;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly connections: Connections;
}

const EXTRA_HELLO = Object.freeze({ [FEATURES_KEY]: formatFeatures() });

/** One negotiation's view of its Tub. */
export class Negotiation implements NegotiatingTub {
  readonly tubId: string;
  readonly incarnation: string;
  readonly identity: TlsIdentity;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly extraHello: Readonly<Record<string, string>> = EXTRA_HELLO;
  readonly #connections: Connections;
  readonly #lastConnection: ConnectionMemory | undefined;
  #place: Place | undefined;

  /**
   * A negotiation that is about to begin.
   *
   * @param target The Tub that is dialled. What is remembered of it is what was known when the dialling began: a master
   *   takes a newer memory for a sign that we have given up the connection that came meanwhile, and closes that.
   */
  constructor(context: NegotiationContext, target?: string) {
    this.tubId = context.tubId;
    this.incarnation = context.incarnation;
    this.identity = context.identity;
    this.limits = context.limits;
    this.clock = context.clock;
    this.#connections = context.connections;
    this.#lastConnection = target === undefined ? undefined : context.connections.lastConnectionTo(target);
  }

  /** The place that the negotiation has won and still has. */
  get place(): Place | undefined {
    return this.#place?.isLost === false ? this.#place : undefined;
  }

  /** See {@linkcode NegotiatingTub}. */
  lastConnectionTo(): ConnectionMemory | undefined {
    return this.#lastConnection;
  }

  /** See {@linkcode NegotiatingTub}. */
  admit(offer: PeerOffer): { seqnum: number } {
    this.#place = this.#connections.admit(offer);
    return { seqnum: this.#place.seqnum };
  }

  /** See {@linkcode NegotiatingTub}. */
  joined(tubId: string, master: ConnectionMemory | undefined): void {
    this.#place = this.#connections.follow(tubId, master);
  }

  /** The program vouches for the peer: see {@linkcode Connections.vouch}. */
  vouch(tubId: string, incarnation: string): void {
    this.#place = this.#connections.vouch(tubId, incarnation);
  }

  /** Gives the place back: the negotiation has failed. */
  release(): void {
    if (this.#place !== undefined) this.#connections.release(this.#place);
  }
}
