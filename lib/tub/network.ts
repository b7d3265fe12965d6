/**
 * A Tub's side of the network: its listeners, its efforts to reach others, and the connections that came of them.
 *
 * @module
 */

import { Broker } from "../broker/broker.ts";
import type { BrokerHost } from "../broker/interface.ts";
import type { KeepaliveTimes } from "../broker/keepalive.ts";
import type { ConnectionInfo } from "../connection_info.ts";
import { DeadReferenceError, NegotiationError, toError, UnreachableError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { RoutedHint } from "../names/hints.ts";
import { negotiateInbound, negotiateOutbound } from "../negotiate/negotiate.ts";
import type { Agreement } from "../negotiate/negotiating_tub.ts";
import { memoryPair } from "../transport/memory.ts";
import type { Connection, TlsIdentity, UpgradableConnection } from "../transport/transport.ts";
import type { Clock } from "../util/clock.ts";
import type { Trace } from "../util/trace.ts";
import { inLaterTurn } from "../util/turn.ts";
import { ConnectionRecord } from "./connection_record.ts";
import { Connections, type Place } from "./connections.ts";
import { Connector, type HintAttempt } from "./connector.ts";
import { parseEndpoint } from "./endpoint.ts";
import { Gate } from "./gate.ts";
import type { ConnectionHintHandler } from "./hint_handler.ts";
import { HintHandlers } from "./hint_handlers.ts";
import { checkListenPermission, openListener } from "./listen.ts";
import { TubListener } from "./listener.ts";
import { Negotiation, type NegotiationContext } from "./negotiation.ts";

/** What a {@linkcode Network} needs. */
export interface NetworkOptions {
  readonly tubId: string;
  readonly incarnation: string;
  readonly identity: TlsIdentity;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Must not throw. */
  readonly trace: Trace;
  readonly oldPeerThresholdMs: number | undefined;
  readonly keepalive: KeepaliveTimes;
  /** What the brokers ask their Tub. */
  readonly host: BrokerHost;
}

/** Options of {@linkcode Network.connect}. */
export interface ConnectOptions {
  /** Whether a peer chose the hints: then only as many are followed at once as peers may open connections here. */
  readonly isForPeer?: boolean | undefined;
  /** Fires when who asked waits no longer. An effort for which nobody waits is given up. */
  readonly signal?: AbortSignal | undefined;
}

/** How many things are held for connections. */
export interface NetworkTables {
  /** Connections, each loopback as two. */
  readonly connections: number;
  /** Tubs that are being dialled. */
  readonly connecting: number;
  /** Connections that were accepted and are being negotiated. */
  readonly negotiating: number;
}

/** By what a connection came: a hint of the peer's, or a listener here. */
type Way = { readonly winningHint: string } | { readonly listener: string };

/** The table that every peer knows; loopback does not negotiate one. */
const LOOPBACK_VOCABULARY = 1;
const LOOPBACK = "loopback";

/** Listeners, efforts and connections of one Tub. */
export class Network {
  /** What follows the hints, by their type. */
  readonly hintHandlers: HintHandlers;
  readonly #options: NetworkOptions;
  readonly #connections: Connections;
  readonly #context: NegotiationContext;
  readonly #listeners = new Set<TubListener>();
  readonly #connectors = new Map<string, Connector>();
  readonly #inbound = new Set<Promise<void>>();
  /** What ends each connection that is being accepted, the oldest first; those that were told to end are not in it. */
  readonly #accepting = new Set<AbortController>();
  /** For the hints of peers. */
  readonly #gate: Gate;
  /** Everything else that must be over before the Tub has stopped. */
  readonly #tasks = new Set<Promise<unknown>>();
  #stopped: Promise<void> | undefined;

  /** No listener and no connection yet. */
  constructor(options: NetworkOptions) {
    const { tubId, incarnation, identity, limits, clock, oldPeerThresholdMs } = options;
    this.#options = options;
    this.hintHandlers = new HintHandlers(clock, options.trace);
    this.#gate = new Gate(limits.maxPeerDials);
    this.#connections = new Connections({
      incarnation,
      clock,
      oldPeerThresholdMs,
      maxRememberedTubs: limits.maxRememberedTubs,
    });
    this.#context = { tubId, incarnation, identity, limits, clock, connections: this.#connections };
  }

  /** The listeners that are open, in the order in which they came. */
  get listeners(): TubListener[] {
    return [...this.#listeners];
  }

  /** Whether {@linkcode Network.stop} was called. */
  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Every broker whose connection is not yet closed. */
  get brokers(): readonly Broker[] {
    return this.#connections.brokers;
  }

  /** How much is held. */
  tables(): NetworkTables {
    return {
      connections: this.#connections.size,
      connecting: this.#connectors.size,
      negotiating: this.#inbound.size,
    };
  }

  /** Whether there is, or is about to be, a connection with a Tub other than this one. */
  isReplaced(tubId: string, broker: Broker): boolean {
    return this.#connections.isTakenFrom(tubId, broker);
  }

  /** Accepts connections; see {@linkcode Tub.listenOn}. */
  async listen(description: string): Promise<TubListener> {
    const endpoint = parseEndpoint(description);
    this.#checkRunning("listen");
    checkListenPermission(endpoint);
    const opening = openListener(endpoint, {
      clock: this.#options.clock,
      onConnection: (connection) => this.#accept(connection, listener.hint),
    });
    const listener = new TubListener(
      await this.#track(opening),
      (listener) => this.#listeners.delete(listener),
    );
    if (this.isStopped) {
      await listener.close();
      this.#checkRunning("listen");
    }
    this.#listeners.add(listener);
    this.#options.trace({ type: "listening", hint: listener.hint });
    return listener;
  }

  /**
   * The connection with a Tub: the one that is there, the one that is being made, or a new one.
   *
   * @throws {UnreachableError} If no hint leads there.
   * @throws {NegotiationError} If one does, and the two Tubs do not agree.
   * @throws {TypeError} If the Tub has stopped.
   */
  async connect(
    tubId: string,
    hints: readonly string[],
    { isForPeer = false, signal }: ConnectOptions = {},
  ): Promise<Broker> {
    this.#checkRunning("get reference");
    const broker = this.#connections.get(tubId);
    if (broker !== undefined) return broker;
    if (tubId === this.#options.tubId) return this.#loopback();
    const found = this.#connectors.get(tubId);
    const known = found?.isOver === false ? found : undefined;
    // What a peer began may stand behind other peers' hints: the program's own effort does not wait for that.
    const isBehindPeers = known?.isForPeer === true && !isForPeer && hints.length > 0;
    if (known !== undefined && !isBehindPeers) {
      known.try(hints, isForPeer);
      return await known.join(signal);
    }
    if (isForPeer && this.#connectors.size >= this.#options.limits.maxPeerEfforts) {
      throw new UnreachableError(
        `Cannot connect for a peer: ${this.#connectors.size} Tubs are being dialled`,
      );
    }
    const handlers = this.hintHandlers.snapshot();
    const connector = new Connector(hints, {
      tubId,
      clock: this.#options.clock,
      timeoutMs: this.#options.limits.negotiationTimeoutMs,
      describe: (type) => {
        const handler = handlers.get(type);
        return handler && this.hintHandlers.describe(handler);
      },
      attempt: (hint, attempt) => this.#dial(tubId, handlers.get(hint.type)!, hint, attempt),
      inboundSettled: () => Promise.all(this.#inbound),
    }, isForPeer);
    this.#connectors.set(tubId, connector);
    known?.handOver(connector);
    void this.#track(connector.settled());
    try {
      return await connector.join(signal);
    } finally {
      if (this.#connectors.get(tubId) === connector) this.#connectors.delete(tubId);
    }
  }

  /** What is known of the connection with a Tub, or of the effort to make one. */
  info(tubId: string): ConnectionInfo | undefined {
    return this.#connections.get(tubId)?.connectionInfo ?? this.#connectors.get(tubId)?.info;
  }

  /** Ends everything; resolves when nothing is left open. Never rejects. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#end();
  }

  async #end(): Promise<void> {
    const reason = new NegotiationError("The Tub has been stopped");
    for (const attempt of this.#accepting) attempt.abort(reason);
    for (const connector of this.#connectors.values()) connector.stop(reason);
    const ending = this.#connections.close(
      new DeadReferenceError("Connection was lost: the Tub has been stopped"),
    );
    await Promise.all(this.listeners.map((listener) => listener.close()));
    await ending;
    await this.hintHandlers.close();
    while (this.#inbound.size + this.#tasks.size > 0) {
      await Promise.allSettled([...this.#inbound, ...this.#tasks]);
    }
    // Callbacks that were due have run when the caller goes on.
    await new Promise<void>(inLaterTurn);
  }

  #checkRunning(action: string): void {
    if (this.isStopped) {
      throw new TypeError(`Cannot ${action}: this Tub has been stopped; create another one`);
    }
  }

  #accept(connection: UpgradableConnection, listener: string): void {
    const { limits, clock, tubId } = this.#options;
    const peer = connection.peerAddress;
    const open = this.#connections.size + this.#inbound.size;
    if (this.isStopped || open >= limits.maxConnections) {
      void this.#track(connection.close());
      const error = new NegotiationError(`There are ${open} connections already`);
      this.#options.trace({ type: "negotiation-failed", direction: "inbound", peer, error });
      return;
    }
    if (this.#accepting.size >= limits.maxUnnegotiated) this.#giveUpOldest();
    const negotiation = new Negotiation(this.#context);
    const stop = new AbortController();
    this.#accepting.add(stop);
    const task: Promise<void> = this.#negotiate(
      "inbound",
      peer,
      negotiation,
      () =>
        negotiateInbound(connection, {
          tubFor: (wanted) => wanted === tubId ? negotiation : undefined,
          limits,
          clock,
          signal: stop.signal,
        }),
      { listener },
    ).then(() => {}, () => {}).finally(() => {
      this.#accepting.delete(stop);
      this.#inbound.delete(task);
    });
    this.#inbound.add(task);
  }

  /** Whoever says nothing must not keep others out: an honest peer has agreed long before it is the oldest. */
  #giveUpOldest(): void {
    const [oldest] = this.#accepting;
    this.#accepting.delete(oldest!);
    oldest!.abort(new NegotiationError("Too many newer connections are being negotiated"));
  }

  async #dial(
    tubId: string,
    handler: ConnectionHintHandler,
    hint: RoutedHint,
    attempt: HintAttempt,
  ): Promise<Broker> {
    const { signal, isForPeer, updateStatus, onNegotiating } = attempt;
    using _room = isForPeer ? await this.#gate.enter(signal) : undefined;
    const negotiation = new Negotiation(this.#context, tubId);
    const { connection, host } = await this.hintHandlers.follow(handler, hint.hint, { signal, updateStatus });
    onNegotiating();
    return await this.#negotiate(
      "outbound",
      connection.peerAddress,
      negotiation,
      () => negotiateOutbound(connection, { tub: negotiation, targetTubId: tubId, host, signal }),
      { winningHint: hint.text },
    );
  }

  async #negotiate(
    direction: "inbound" | "outbound",
    peer: string,
    negotiation: Negotiation,
    run: () => Promise<Agreement>,
    way: Way,
  ): Promise<Broker> {
    const { trace } = this.#options;
    trace({ type: "negotiating", direction, peer });
    try {
      return await this.#establish(await run(), negotiation, way);
    } catch (thrown) {
      negotiation.release();
      const error = toError(thrown);
      trace({ type: "negotiation-failed", direction, peer, error });
      throw error;
    }
  }

  async #establish(agreement: Agreement, { place }: Negotiation, way: Way): Promise<Broker> {
    const { connection, tubId, direction, vocabTable } = agreement;
    if (place === undefined) {
      await connection.close();
      throw new NegotiationError(
        this.isStopped ? "The Tub has been stopped" : "A newer connection was made in the meantime",
      );
    }
    const record = this.#recordFor(tubId, direction);
    const broker = this.#createBroker(connection, record, { tubId, vocabTable, place });
    this.#connections.occupy(place, broker);
    const address = connection.peerAddress;
    record.established({ direction, address, ...way, at: this.#options.clock.now() });
    this.#begin(broker, direction);
    return broker;
  }

  /** The effort's own record becomes that of the connection that it has made, so that who has it sees it connected. */
  #recordFor(tubId: string, direction: "inbound" | "outbound"): ConnectionRecord {
    const connector = this.#connectors.get(tubId);
    const isFirst = direction === "outbound" && connector?.info.establishedAt === undefined;
    return isFirst && connector !== undefined ? connector.info : new ConnectionRecord(connector);
  }

  #createBroker(
    connection: Connection,
    record: ConnectionRecord,
    { tubId, vocabTable, place }: { tubId: string; vocabTable: number; place: Place | undefined },
  ): Broker {
    const { host, limits, clock, trace, keepalive } = this.#options;
    const broker: Broker = new Broker(connection, {
      host,
      limits,
      clock,
      trace,
      vocabTable,
      peer: { tubId, address: connection.peerAddress },
      // A Tub is there as long as it is: its connection with itself needs no sign of life.
      keepalive: tubId === this.#options.tubId ? {} : keepalive,
      // Both ends of a loopback are this module.
      takesFunctionsHome: tubId === this.#options.tubId,
      connectionInfo: record,
      onEnded: (error) => {
        record.lost(clock.now());
        if (place !== undefined) this.#connections.release(place);
        this.#connections.ended(broker, error);
      },
    });
    return broker;
  }

  #begin(broker: Broker, direction: "inbound" | "outbound" | "loopback"): void {
    const { tubId = "", address } = broker.peer;
    this.#options.trace({ type: "connected", tubId, direction, peer: address });
    broker.start();
    this.#connectors.get(tubId)?.succeed(broker);
  }

  /** A connection of the Tub with itself: real bytes, no network. */
  #loopback(): Broker {
    const { tubId, clock } = this.#options;
    const place = this.#connections.takeOwn(tubId);
    const [near, far] = memoryPair({ peerAddress: LOOPBACK, clock });
    const vocabTable = LOOPBACK_VOCABULARY;
    const make = (end: Connection, place: Place | undefined) =>
      this.#createBroker(end, ConnectionRecord.ofLoopback(clock.now()), { tubId, vocabTable, place });
    const server = make(far, undefined);
    const broker = make(near, place);
    this.#connections.add(server);
    this.#connections.occupy(place, broker);
    server.start();
    this.#begin(broker, "loopback");
    return broker;
  }

  #track<T>(task: Promise<T>): Promise<T> {
    const tracked = task.finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
    return tracked;
  }
}
