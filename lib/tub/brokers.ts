/**
 * From an agreed connection to its broker, and what is written down about it.
 *
 * @module
 */

import { Broker } from "../broker/broker.ts";
import type { BrokerHost } from "../broker/interface.ts";
import type { KeepaliveTimes } from "../broker/keepalive.ts";
import { NegotiationError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Agreement } from "../negotiate/negotiating_tub.ts";
import { memoryPair } from "../transport/memory.ts";
import type { Connection } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";
import { agreeFeatures, type Features, FEATURES_KEY, OWN_FEATURES } from "../util/features.ts";
import type { Trace } from "../util/trace.ts";
import { ConnectionRecord } from "./connection_record.ts";
import type { Connections, Place } from "./connections.ts";
import type { Connector } from "./connector.ts";
import type { Negotiation } from "./negotiation.ts";

/** What has to be known of a connection that was agreed; without a TubID of a peer that has none. */
export type Agreed = Pick<Agreement, "connection" | "direction" | "vocabTable" | "hello"> & {
  readonly isPeerHeldBack?: boolean | undefined;
  readonly tubId: string | undefined;
};

/** What a broker is made with. */
type Known = Pick<Agreed, "tubId" | "vocabTable" | "isPeerHeldBack"> & {
  readonly features: Features;
  readonly place: Place | undefined;
};

/** By what a connection came: a hint of the peer's, a listener here, or streams of the program. */
export interface Way {
  readonly winningHint?: string | undefined;
  readonly listener?: string | undefined;
}

/** What {@linkcode Brokers} need of their Tub. */
export interface BrokersOptions {
  readonly tubId: string;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Must not throw. */
  readonly trace: Trace;
  readonly keepalive: KeepaliveTimes;
  readonly connections: Connections;
  /** What the brokers ask their Tub. */
  readonly host: BrokerHost;
  /** Whether the Tub has stopped. */
  isStopped(): boolean;
  /** The effort to reach a Tub, while there is one. */
  effort(tubId: string): Connector | undefined;
}

/** The table that every peer knows; loopback does not negotiate one. */
const LOOPBACK_VOCABULARY = 1;
const LOOPBACK = "loopback";

/** Makes the brokers of one Tub. */
export class Brokers {
  readonly #options: BrokersOptions;

  /** For one Tub. */
  constructor(options: BrokersOptions) {
    this.#options = options;
  }

  /**
   * Makes an agreed connection one of the Tub.
   *
   * @throws {NegotiationError} If its place has been taken in the meantime, or the Tub has stopped; it is closed then.
   */
  async establish(agreed: Agreed, { place }: Negotiation, way: Way): Promise<Broker> {
    const { connections, clock } = this.#options;
    const { connection, tubId, direction, vocabTable, hello, isPeerHeldBack } = agreed;
    const features = agreeFeatures(hello.get(FEATURES_KEY));
    // A peer without a TubID has no place, and takes nobody's.
    if (place === undefined && (tubId !== undefined || this.#options.isStopped())) {
      await connection.close({ isAbrupt: this.#options.isStopped() });
      throw new NegotiationError(
        this.#options.isStopped()
          ? "The Tub has been stopped"
          : "A newer connection was made in the meantime",
      );
    }
    const record = this.#recordFor(tubId, direction);
    const known = { tubId, vocabTable, features, place, isPeerHeldBack };
    const broker = this.#create(connection, record, known);
    if (place === undefined) connections.add(broker);
    else connections.occupy(place, broker);
    record.established({ direction, address: connection.peerAddress, ...way, at: clock.now() });
    this.#begin(broker, direction);
    return broker;
  }

  /** A connection of the Tub with itself: real bytes, no network. */
  loopback(): Broker {
    const { tubId, clock, connections } = this.#options;
    const place = connections.takeOwn(tubId);
    const [near, far] = memoryPair({ peerAddress: LOOPBACK, clock });
    const known = { tubId, vocabTable: LOOPBACK_VOCABULARY, features: OWN_FEATURES };
    const make = (end: Connection, place: Place | undefined) =>
      this.#create(end, ConnectionRecord.ofLoopback(clock.now()), { ...known, place });
    const server = make(far, undefined);
    const broker = make(near, place);
    connections.add(server);
    connections.occupy(place, broker);
    server.start();
    this.#begin(broker, "loopback");
    return broker;
  }

  /** The effort's own record becomes that of the connection that it has made, so that who has it sees it connected. */
  #recordFor(tubId: string | undefined, direction: "inbound" | "outbound"): ConnectionRecord {
    const connector = tubId === undefined ? undefined : this.#options.effort(tubId);
    const isFirst = direction === "outbound" && connector?.info.establishedAt === undefined;
    return isFirst && connector !== undefined ? connector.info : new ConnectionRecord(connector);
  }

  #create(
    connection: Connection,
    record: ConnectionRecord,
    { tubId, vocabTable, features, place, isPeerHeldBack }: Known,
  ): Broker {
    const { host, limits, clock, trace, keepalive, connections } = this.#options;
    const isOwn = tubId === this.#options.tubId;
    const broker: Broker = new Broker(connection, {
      host,
      limits,
      clock,
      trace,
      vocabTable,
      peer: { tubId, address: connection.peerAddress },
      // A Tub is there as long as it is: its connection with itself needs no sign of life.
      keepalive: isOwn ? {} : keepalive,
      features,
      isPeerHeldBack,
      connectionInfo: record,
      onEnded: (error) => {
        record.lost(clock.now());
        if (place !== undefined) connections.release(place);
        connections.ended(broker, error);
      },
    });
    return broker;
  }

  #begin(broker: Broker, direction: "inbound" | "outbound" | "loopback"): void {
    const { tubId = "", address } = broker.peer;
    this.#options.trace({ type: "connected", tubId, direction, peer: address });
    broker.start();
    this.#options.effort(tubId)?.succeed(broker);
  }
}
