/**
 * A Tub that only negotiates.
 *
 * @module
 */

import { type Limits, resolveLimits } from "../../lib/limits.ts";
import type { ConnectionMemory, PeerOffer } from "../../lib/negotiate/hello.ts";
import type { NegotiatingTub } from "../../lib/negotiate/negotiating_tub.ts";
import type { Clock } from "../../lib/util/clock.ts";
import { FakeClock } from "./fake_clock.ts";
import type { TestIdentity } from "./identity.ts";

/** Records what the negotiation asks of it. */
export class TestTub implements NegotiatingTub {
  readonly tubId: string;
  readonly limits: Limits;
  readonly clock: Clock;
  extraHello: Record<string, string> = {};
  /** What it remembers as slave. */
  readonly memories = new Map<string, ConnectionMemory | undefined>();
  /** The offers that it admitted. */
  readonly offers: PeerOffer[] = [];
  /** Thrown by `admit`. */
  refusal: Error | undefined;

  constructor(
    readonly identity: TestIdentity,
    readonly incarnation = "0123456789abcdef",
    clock: Clock = new FakeClock(),
    limits: Partial<Limits> = {},
  ) {
    this.tubId = identity.tubId;
    this.clock = clock;
    this.limits = resolveLimits(limits);
  }

  lastConnectionTo(tubId: string): ConnectionMemory | undefined {
    return this.memories.get(tubId);
  }

  admit(offer: PeerOffer): { seqnum: number } {
    if (this.refusal !== undefined) throw this.refusal;
    this.offers.push(offer);
    return { seqnum: this.offers.length };
  }

  joined(tubId: string, master: ConnectionMemory | undefined): void {
    this.memories.set(tubId, master);
  }
}
