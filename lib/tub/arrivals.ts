/**
 * Connections that nobody here dialled, until they are agreed: accepted by a listener, or attached by the program.
 *
 * @module
 */

import type { Broker } from "../broker/broker.ts";
import { NegotiationError, toError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { negotiateInbound } from "../negotiate/negotiate.ts";
import type { Agreement } from "../negotiate/negotiating_tub.ts";
import type { TlsOwner } from "../negotiate/tls_first.ts";
import type { UpgradableConnection } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";
import type { Trace } from "../util/trace.ts";
import type { Way } from "./brokers.ts";
import type { Negotiation } from "./negotiation.ts";

/** A Tub as those who arrive find it. */
export interface Destination {
  readonly tubId: string;
  /**
   * Somebody has come who wants this Tub.
   *
   * @param stop Ends the attempt, when the Tub stops.
   * @param over When it is over: the Tub waits for that to have stopped.
   * @throws {NegotiationError} If the Tub has stopped or has too many connections.
   */
  expect(stop: AbortController, over: Promise<unknown>): Negotiation;
  /** Makes it a connection of the Tub. */
  establish(agreement: Agreement, negotiation: Negotiation, way: Way): Promise<Broker>;
}

/** What {@linkcode Arrivals} needs. */
export interface ArrivalsOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  /** Must not throw. */
  readonly trace: Trace;
}

/** What an attempt is given by {@linkcode Arrivals.begin}. */
export interface Arrival {
  /** Ends the attempt. */
  readonly stop: AbortController;
  /** Resolves when the attempt is over, well or not. */
  readonly over: Promise<void>;
}

/** Where an attempt comes from: anybody on the network, streams whose other end begins, or what the program begins itself. */
export type Source = "listener" | "streams" | "program";

/** What arrives at one Tub. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #over = new Set<Promise<unknown>>();
  readonly #stops = new Set<AbortController>();
  /**
   * Those that wait for the other end to begin, the oldest first; the ones that were told to end are not in it. Whoever floods a
   * listener does not push out what the program has attached.
   */
  readonly #waiting = { listener: new Set<AbortController>(), streams: new Set<AbortController>() };

  /** Nobody yet. */
  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** How many are being negotiated. */
  get size(): number {
    return this.#over.size;
  }

  /** Resolves when every one that is here now has become a connection, or failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#over);
  }

  /** Ends every attempt. */
  stop(reason: Error): void {
    for (const stop of this.#stops) stop.abort(reason);
  }

  /** An attempt that another Tub's listener began turns out to be for this Tub. */
  join(stop: AbortController, over: Promise<unknown>): void {
    this.#stops.add(stop);
    this.#over.add(over);
    void over.then(() => {
      this.#stops.delete(stop);
      this.#over.delete(over);
    });
  }

  /**
   * Runs an attempt.
   *
   * @param source Of those that the program does not begin itself, {@linkcode Limits.maxUnnegotiated} of a kind are kept.
   */
  begin<T>(source: Source, attempt: (arrival: Arrival) => Promise<T>): Promise<T> {
    const waiting = source === "program" ? undefined : this.#waiting[source];
    if (waiting !== undefined && waiting.size >= this.#options.limits.maxUnnegotiated) giveUpOldest(waiting);
    const stop = new AbortController();
    const { promise: over, resolve } = Promise.withResolvers<void>();
    this.join(stop, over);
    waiting?.add(stop);
    return Promise.try(attempt, { stop, over }).finally(() => {
      waiting?.delete(stop);
      resolve();
    });
  }

  /**
   * A listener has accepted a connection. It owns it; what becomes of it, the trace says.
   *
   * @param find The Tub of a TubID behind that listener.
   * @param tlsOwner The Tub that answers those who begin with TLS, if one does.
   */
  accept(
    connection: UpgradableConnection,
    find: (tubId: string) => Destination | undefined,
    way: Way,
    tlsOwner: TlsOwner | undefined,
  ): void {
    this.receive(connection, "listener", find, way, undefined, tlsOwner).catch(() => {});
  }

  /**
   * Negotiates as the end that was dialled.
   *
   * @param signal Ends the attempt.
   * @returns The connection with the Tub that was wanted.
   * @throws {NegotiationError} If there is no agreement. The connection is closed by then.
   */
  receive(
    connection: UpgradableConnection,
    source: Source,
    find: (tubId: string) => Destination | undefined,
    way: Way,
    signal?: AbortSignal,
    tlsOwner?: TlsOwner,
  ): Promise<Broker> {
    const { limits, clock, trace } = this.#options;
    const direction = "inbound";
    const peer = connection.peerAddress;
    return this.begin(source, async ({ stop, over }) => {
      trace({ type: "negotiating", direction, peer });
      let destination: Destination | undefined;
      let negotiation: Negotiation | undefined;
      try {
        const agreement = await negotiateInbound(connection, {
          tubFor: (wanted) => {
            destination = find(wanted);
            return negotiation = destination?.expect(stop, over);
          },
          tlsOwner,
          limits,
          clock,
          signal: signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]),
        });
        return await destination!.establish(agreement, negotiation!, way);
      } catch (thrown) {
        negotiation?.release();
        const error = toError(thrown);
        trace({ type: "negotiation-failed", direction, peer, error });
        throw error;
      }
    });
  }
}

/** Whoever says nothing must not keep others out: an honest peer has agreed long before it is the oldest. */
function giveUpOldest(waiting: Set<AbortController>): void {
  const [oldest] = waiting;
  waiting.delete(oldest!);
  oldest!.abort(new NegotiationError("Too many newer connections are being negotiated"));
}
