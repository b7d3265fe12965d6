/**
 * A Tub's side of the network: its listeners, its efforts to reach others, and the connections that came of them.
 *
 * @module
 */

import type { Broker } from "../broker/broker.ts";
import type { BrokerHost } from "../broker/interface.ts";
import type { KeepaliveTimes } from "../broker/keepalive.ts";
import type { ConnectionInfo } from "../connection_info.ts";
import { DeadReferenceError, NegotiationError, toError, UnreachableError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { RoutedHint } from "../names/hints.ts";
import type { RandomBytes } from "../util/random_bytes.ts";
import { negotiateOutbound, negotiateOverTls } from "../negotiate/negotiate.ts";
import { negotiatePlain } from "../negotiate/plain.ts";
import type { ByteStreams } from "../transport/stream_connection.ts";
import type { UpgradableConnection } from "../transport/transport.ts";
import { upgradable } from "../transport/upgradable.ts";
import type { Clock } from "../util/clock.ts";
import type { Trace } from "../util/trace.ts";
import { inLaterTurn } from "../util/eventual.ts";
import { lostBy } from "../util/lost.ts";
import { Arrivals, type Destination } from "./arrivals.ts";
import { type AttachedPeer, type Attachment, type AttachOptions, makeAttachment, Peer } from "./attach.ts";
import { type Agreed, Brokers, type Way } from "./brokers.ts";
import { Connections } from "./connections.ts";
import { Connector, type HintAttempt } from "./connector.ts";
import { Gate } from "./gate.ts";
import type { ConnectionHintHandler } from "./hint_handler.ts";
import { HintHandlers } from "./hint_handlers.ts";
import type { Identity } from "./identity.ts";
import { SharedListener, TubListener } from "./listener.ts";
import { Negotiation, type NegotiationContext } from "./negotiation.ts";
import { tlsKeyOf } from "./tcp_handler.ts";

/** What a {@linkcode Network} needs. */
export interface NetworkOptions {
  readonly tubId: string;
  readonly incarnation: string;
  readonly identity: Identity;
  readonly randomBytes: RandomBytes;
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

/** Listeners, efforts and connections of one Tub. */
export class Network implements Destination {
  /** What follows the hints, by their type. */
  readonly hintHandlers: HintHandlers;
  readonly #options: NetworkOptions;
  /** For `tls:` hints; `undefined` if the certificate is not fit for them. */
  readonly #tlsKey: Uint8Array | undefined;
  readonly #connections: Connections;
  readonly #context: NegotiationContext;
  readonly #listeners = new Set<TubListener | SharedListener>();
  readonly #connectors = new Map<string, Connector>();
  readonly #arrivals: Arrivals;
  readonly #brokers: Brokers;
  /** For the hints of peers. */
  readonly #gate: Gate;
  /** Everything else that must be over before the Tub has stopped. */
  readonly #tasks = new Set<Promise<unknown>>();
  #stopped: Promise<void> | undefined;

  /** No listener and no connection yet. */
  constructor(options: NetworkOptions) {
    const { tubId, incarnation, identity, limits, clock, oldPeerThresholdMs } = options;
    this.#options = options;
    this.hintHandlers = new HintHandlers(clock, options.trace, identity);
    this.#tlsKey = tlsKeyOf(identity);
    this.#gate = new Gate(limits.maxPeerDials);
    this.#arrivals = new Arrivals({ limits, clock, trace: options.trace });
    this.#connections = new Connections({
      incarnation,
      clock,
      oldPeerThresholdMs,
      maxRememberedTubs: limits.maxRememberedTubs,
    });
    this.#context = { tubId, incarnation, identity, limits, clock, connections: this.#connections };
    this.#brokers = new Brokers({
      ...options,
      connections: this.#connections,
      isStopped: () => this.isStopped,
      effort: (tubId) => this.#connectors.get(tubId),
    });
  }

  /** The listeners that are open, in the order in which they came. */
  get listeners(): (TubListener | SharedListener)[] {
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
      negotiating: this.#arrivals.size,
    };
  }

  /** Whether there is, or is about to be, a connection with a Tub other than this one. */
  isReplaced(tubId: string, broker: Broker): boolean {
    return this.#connections.isTakenFrom(tubId, broker);
  }

  /** Accepts connections; see {@linkcode Tub.listenOn}. */
  async listen(description: string): Promise<TubListener> {
    const [{ parseEndpoint }, { checkListenPermission, openListener }] = await Promise.all([
      import("./endpoint.ts"),
      import("./listen.ts"),
    ]);
    const endpoint = parseEndpoint(description);
    this.#checkRunning("listen");
    checkListenPermission(endpoint);
    const opening = openListener(endpoint, {
      clock: this.#options.clock,
      onConnection: (connection) => this.#accept(connection, listener),
    });
    // Somebody may connect before it is there.
    let listener: TubListener | undefined = undefined;
    listener = new TubListener(
      await this.#track(opening),
      (listener) => this.#listeners.delete(listener),
      this.#tlsKey,
    );
    if (this.isStopped) {
      await listener.close();
      this.#checkRunning("listen");
    }
    this.#listeners.add(listener);
    this.#options.trace({ type: "listening", hint: listener.hint });
    return listener;
  }

  /** Accepts connections on the port of another Tub. */
  share(listener: TubListener | SharedListener): SharedListener {
    this.#checkRunning("listen");
    const owner = listener instanceof SharedListener ? listener.owner : listener;
    if (!owner.isOpen || this.#listeners.has(owner)) {
      throw new TypeError(
        `Cannot listen: the listener is ${
          owner.isOpen ? "this Tub's own; another Tub can share it" : "closed"
        }`,
      );
    }
    const shared = owner.share(this, (shared) => this.#listeners.delete(shared));
    this.#listeners.add(shared);
    this.#options.trace({ type: "listening", hint: shared.hint });
    return shared;
  }

  /**
   * Makes a connection of streams that the program has; see {@linkcode Tub.attach}.
   *
   * @throws {NegotiationError} If the two ends do not agree, or there are too many connections. The streams are closed by then.
   */
  async attach(streams: ByteStreams, options: AttachOptions): Promise<AttachedPeer> {
    this.#checkRunning("attach");
    const { tubId, clock, trace } = this.#options;
    const attachment = makeAttachment(tubId, streams, options, { clock, trace });
    return new Peer(await this.#attach(attachment), attachment.way.kind !== "plain");
  }

  async #attach({ way, connection, signal }: Attachment): Promise<Broker> {
    const open = this.#connections.size + this.#arrivals.size;
    if (open >= this.#options.limits.maxConnections) {
      await connection.close();
      throw new NegotiationError(`Cannot attach: there are ${open} connections already`);
    }
    const upgraded = upgradable(connection, { clock: this.#options.clock });
    if (way.kind === "server") {
      return await this.#arrivals.receive(
        upgraded,
        "streams",
        (wanted) => this.#find(wanted, undefined),
        {},
        signal,
      );
    }
    const peer = connection.peerAddress;
    return await this.#arrivals.begin("program", ({ stop }) => {
      const ending = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
      if (way.kind === "client") {
        const negotiation = new Negotiation(this.#context, way.target);
        const common = { tub: negotiation, targetTubId: way.target, host: "attached", signal: ending };
        return this.#negotiate("outbound", peer, negotiation, () => negotiateOutbound(upgraded, common), {});
      }
      const { trustedAs } = way;
      const negotiation = new Negotiation(this.#context);
      const admit = (incarnation: string) => {
        if (trustedAs !== undefined) negotiation.vouch(trustedAs, incarnation);
      };
      return this.#negotiate("outbound", peer, negotiation, async () => ({
        ...await negotiatePlain(connection, { tub: negotiation, trustedAs, signal: ending, admit }),
        tubId: trustedAs,
        direction: "outbound",
      }), {});
    });
  }

  /** See {@linkcode Destination}. */
  get tubId(): string {
    return this.#options.tubId;
  }

  /** See {@linkcode Destination}. */
  expect(stop: AbortController, over: Promise<unknown>): Negotiation {
    this.#arrivals.join(stop, over);
    const open = this.#connections.size + this.#arrivals.size;
    if (this.isStopped || open > this.#options.limits.maxConnections) {
      throw new NegotiationError(
        this.isStopped ? "The Tub has been stopped" : `There are ${open - 1} connections already`,
      );
    }
    return new Negotiation(this.#context);
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
    if (tubId === this.#options.tubId) return this.#brokers.loopback();
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
      inboundSettled: () => this.#arrivals.settled(),
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
    this.#arrivals.stop(reason);
    for (const connector of this.#connectors.values()) connector.stop(reason);
    const ending = this.#connections.close(
      lostBy("stop", new DeadReferenceError("Connection was lost: the Tub has been stopped")),
    );
    await Promise.all(this.listeners.map((listener) => listener.close()));
    await ending;
    await this.hintHandlers.close();
    while (this.#arrivals.size + this.#tasks.size > 0) {
      await Promise.allSettled([this.#arrivals.settled(), ...this.#tasks]);
    }
    // Callbacks that were due have run when the caller goes on.
    await new Promise<void>(inLaterTurn);
  }

  #checkRunning(action: string): void {
    if (this.isStopped) {
      throw new TypeError(`Cannot ${action}: this Tub has been stopped; create another one`);
    }
  }

  #accept(connection: UpgradableConnection, listener: TubListener | undefined): void {
    const open = this.#connections.size + this.#arrivals.size;
    // On a shared port it is not known yet whose connection it would be.
    const isFull = open >= this.#options.limits.maxConnections && listener?.isShared !== true;
    if (this.isStopped || isFull) {
      void this.#track(connection.close({ isAbrupt: true }));
      const error = new NegotiationError(`There are ${open} connections already`);
      this.#options.trace({
        type: "negotiation-failed",
        direction: "inbound",
        peer: connection.peerAddress,
        error,
      });
      return;
    }
    const way = { listener: listener?.hint };
    const { tubId, identity } = this.#options;
    const tlsOwner = this.#tlsKey === undefined ? undefined : { tubId, identity };
    this.#arrivals.accept(connection, (wanted) => this.#find(wanted, listener), way, tlsOwner);
  }

  #find(wanted: string, listener: TubListener | undefined): Destination | undefined {
    return wanted === this.#options.tubId ? this : listener?.find(wanted);
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
    const dialled = await this.hintHandlers.follow(handler, hint.hint, { signal, updateStatus });
    const common = { tub: negotiation, targetTubId: tubId, signal };
    const { randomBytes } = this.#options;
    onNegotiating();
    return await this.#negotiate(
      "outbound",
      dialled.connection.peerAddress,
      negotiation,
      () =>
        "hintKey" in dialled
          ? negotiateOverTls(dialled.connection, { ...common, hintKey: dialled.hintKey, randomBytes })
          : negotiateOutbound(dialled.connection, { ...common, host: dialled.host }),
      { winningHint: hint.text },
    );
  }

  async #negotiate(
    direction: "inbound" | "outbound",
    peer: string,
    negotiation: Negotiation,
    run: () => Promise<Agreed>,
    way: Way,
  ): Promise<Broker> {
    const { trace } = this.#options;
    trace({ type: "negotiating", direction, peer });
    try {
      return await this.establish(await run(), negotiation, way);
    } catch (thrown) {
      negotiation.release();
      const error = toError(thrown);
      trace({ type: "negotiation-failed", direction, peer, error });
      throw error;
    }
  }

  /** See {@linkcode Destination}. */
  async establish(agreed: Agreed, negotiation: Negotiation, way: Way): Promise<Broker> {
    return await this.#brokers.establish(agreed, negotiation, way);
  }

  #track<T>(task: Promise<T>): Promise<T> {
    const tracked = task.finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
    return tracked;
  }
}
