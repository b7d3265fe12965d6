/**
 * The connections of a Tub: at most one that counts with each other Tub.
 *
 * The place of a connection is taken as soon as the master has decided for it, before anything is sent on it, so that
 * of several attempts that are decided at once only one gets it. An attempt that fails gives its place back.
 *
 * Source: Foolscap `pb.py`, `brokerAttached`; `negotiate.py`, `evaluateNegotiationVersion1`, `acceptDecision`.
 *
 * @module
 */

import type { Broker } from "../broker/broker.ts";
import { DeadReferenceError, DuplicateConnectionError, NegotiationError } from "../errors.ts";
import { shortTubId } from "../names/tub_id.ts";
import { decideDuplicate } from "../negotiate/duplicates.ts";
import type { ConnectionMemory, PeerOffer } from "../negotiate/hello.ts";
import type { Clock } from "../util/clock.ts";
import { lostBy } from "../util/lost.ts";
import { BoundedMap } from "./bounded_map.ts";

/** The one place for a connection with a Tub: taken by an attempt, then by its broker. */
export class Place {
  /** The broker, once the attempt has succeeded. */
  broker: Broker | undefined;
  /** Whether a newer connection has taken the place. */
  isLost = false;

  /** @param peerIncarnation The life of the peer that it was taken for, where we are the master. */
  constructor(
    readonly tubId: string,
    readonly seqnum: number,
    readonly peerIncarnation: string,
    readonly since: number,
  ) {}
}

/** Options of {@linkcode Connections}. */
export interface ConnectionsOptions {
  /** This life of the Tub. */
  readonly incarnation: string;
  readonly clock: Clock;
  /** See {@linkcode TubOptions.handleOldDuplicateConnections}. */
  readonly oldPeerThresholdMs: number | undefined;
  /** See {@linkcode Limits.maxRememberedTubs}. */
  readonly maxRememberedTubs: number;
}

/** Who is connected with whom. */
export class Connections {
  readonly #places = new Map<string, Place>();
  readonly #open = new Set<Broker>();
  readonly #issued: BoundedMap<string, number>;
  readonly #followed: BoundedMap<string, ConnectionMemory>;
  readonly #options: ConnectionsOptions;
  #isClosed = false;

  /** No connection yet. */
  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#issued = new BoundedMap(options.maxRememberedTubs);
    this.#followed = new BoundedMap(options.maxRememberedTubs);
  }

  /** How many connections are not yet closed. */
  get size(): number {
    return this.#open.size;
  }

  /** Every broker whose connection is not yet closed. */
  get brokers(): readonly Broker[] {
    return [...this.#open];
  }

  /** The broker of the connection with a Tub, if there is one that has not ended. */
  get(tubId: string): Broker | undefined {
    const broker = this.#places.get(tubId)?.broker;
    return broker?.ended === undefined ? broker : undefined;
  }

  /** Whether a connection with a Tub, other than this one, is there or is being made. */
  isTakenFrom(tubId: string, broker: Broker): boolean {
    const place = this.#places.get(tubId);
    return place !== undefined && place.broker !== broker;
  }

  /** What our hello says when we dial a Tub: the last connection that it, as master, made with us. */
  lastConnectionTo(tubId: string): ConnectionMemory | undefined {
    return this.#followed.get(tubId);
  }

  /**
   * As master: takes the place for a peer whose hello has come, and numbers the connection.
   *
   * @throws {DuplicateConnectionError} If the connection that has the place stays.
   * @throws {NegotiationError} If the Tub has stopped.
   */
  admit(offer: PeerOffer): Place {
    this.#checkOpen();
    const { tubId, incarnation } = offer;
    const existing = this.#places.get(tubId);
    if (existing !== undefined) this.#judge(offer, existing);
    const seqnum = (this.#issued.get(tubId) ?? 0) + 1;
    this.#issued.set(tubId, seqnum);
    return this.#take(tubId, seqnum, incarnation);
  }

  #judge(offer: PeerOffer, existing: Place): void {
    const { incarnation, clock, oldPeerThresholdMs } = this.#options;
    const { isAccepted, reason } = decideDuplicate(offer, {
      slaveIncarnation: existing.peerIncarnation,
      seqnum: existing.seqnum,
      ageMs: clock.now() - existing.since,
    }, { ownIncarnation: incarnation, oldPeerThresholdMs });
    if (!isAccepted) throw new DuplicateConnectionError(`Duplicate connection: ${reason}`);
  }

  /**
   * As slave: takes the place for a connection that the master has decided for, whatever has it.
   *
   * @throws {NegotiationError} If the master has decided for a newer one since, and this decision came late; or if the
   *   Tub has stopped.
   */
  follow(tubId: string, master: ConnectionMemory | undefined): Place {
    this.#checkOpen();
    const last = this.#followed.get(tubId);
    const isLate = master !== undefined && last?.incarnation === master.incarnation &&
      last.seqnum > master.seqnum && this.#places.has(tubId);
    if (isLate) throw new NegotiationError("The master has made a newer connection since");
    if (master !== undefined) this.#followed.set(tubId, master);
    return this.#take(tubId, master?.seqnum ?? 0, "");
  }

  /**
   * Takes the place for a connection for whose other end the program vouches. It never replaces one that is there.
   *
   * @throws {DuplicateConnectionError} If a connection with that Tub is there or is being made.
   * @throws {NegotiationError} If the Tub has stopped.
   */
  vouch(tubId: string, incarnation: string): Place {
    this.#checkOpen();
    if (this.#places.has(tubId)) {
      throw new DuplicateConnectionError(
        "Duplicate connection: the one with that Tub has to be closed first",
      );
    }
    return this.#take(tubId, 0, incarnation);
  }

  /** Takes the place for the connection of a Tub with itself. */
  takeOwn(tubId: string): Place {
    this.#checkOpen();
    return this.#take(tubId, 0, "");
  }

  /** Puts the broker in its place. It is counted until its connection is closed. */
  occupy(place: Place, broker: Broker): void {
    place.broker = broker;
    this.add(broker);
  }

  /** Counts a broker that has no place: the far end of a loopback. */
  add(broker: Broker): void {
    this.#open.add(broker);
  }

  /** A broker has ended, or an attempt has failed: its place is free. */
  release(place: Place): void {
    if (this.#places.get(place.tubId) === place) this.#places.delete(place.tubId);
  }

  /** A broker has ended; it is counted until its connection is closed too. */
  ended(broker: Broker, reason: Error): void {
    // Its shutdown has begun: this only waits for it.
    void broker.shutdown(reason).then(() => this.#open.delete(broker));
  }

  /** Takes nothing more, and ends every connection without disconnect callbacks; resolves when all are closed. */
  async close(reason: Error): Promise<void> {
    this.#isClosed = true;
    const brokers = this.brokers;
    for (const place of this.#places.values()) place.isLost = true;
    this.#places.clear();
    await Promise.all(brokers.map((broker) => broker.shutdown(reason, { notify: false })));
    this.#open.clear();
  }

  #take(tubId: string, seqnum: number, peerIncarnation: string): Place {
    const old = this.#places.get(tubId);
    const place = new Place(tubId, seqnum, peerIncarnation, this.#options.clock.now());
    this.#places.set(tubId, place);
    if (old !== undefined) {
      old.isLost = true;
      void old.broker?.shutdown(
        lostBy("replacement", new DeadReferenceError(`[${shortTubId(tubId)}] replaced by a new connection`)),
      );
    }
    return place;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new NegotiationError("This Tub has been stopped");
  }
}
