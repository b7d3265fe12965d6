/**
 * One established connection: the calls that are under way in both directions, and the one place where all of it ends.
 *
 * Source: Foolscap `broker.py`.
 *
 * @module
 */

import type { ConnectionInfo } from "../connection_info.ts";
import {
  DeadReferenceError,
  PermissionDenied,
  ProtocolError,
  type RemoteException,
  toError,
  Violation,
} from "../errors.ts";
import type { PendingScope } from "../graph/pending.ts";
import { Receiver } from "../graph/receiver.ts";
import type { MethodRules } from "../graph/schema/method_schema.ts";
import type { Slicing } from "../graph/slicing.ts";
import { BASE_SLICERS, BASE_UNSLICERS } from "../graph/tables.ts";
import { UnslicerTable, type UnslicerType } from "../graph/unslicer.ts";
import { kwargs } from "../values/kwargs.ts";
import { redact, withoutPaths } from "../util/redact.ts";
import { NO_FEATURES } from "../util/features.ts";
import { encodeText, quoteForeign } from "../util/text.ts";
import { noTrace } from "../util/trace.ts";
import { TokenEncoder } from "../wire/encoder.ts";
import { FOOLSCAP_TOKENS } from "../wire/tokens.ts";
import { vocabularyWords } from "../wire/vocabulary.ts";
import { type BrokerObject, callBrokerObject } from "./broker_object.ts";
import type { BrokerTables } from "./broker_tables.ts";
import type { ByteConnection } from "./byte_connection.ts";
import type { CheckedOptions, InboundCall } from "./call.ts";
import { CallContext, callerGaveUp, callerTimedOut, type PeerInfo, runOutsideCalls } from "./call_context.ts";
import { sliceAnswer, sliceError } from "./call_slicing.ts";
import type { BrokerOptions } from "./broker_options.ts";
import type { BrokerListing } from "./broker_listing.ts";
import { richTables } from "./rich_values.ts";
import { Callable } from "./callable.ts";
import { type CancelHost, CancelUnslicer, NO_TIME_LIMIT, TIME_IS_OVER } from "./cancel_message.ts";
import { Deliveries, type Delivery } from "./deliveries.ts";
import { failureOf, failureSlicers } from "./failure.ts";
import "./failure_unslicer.ts";
import type { HandleToken, Tracker } from "./import_table.ts";
import { Acknowledger } from "./held_back.ts";
import { InboundStream } from "./inbound_stream.ts";
import type { BrokerHost } from "./interface.ts";
import { invoke } from "./invoke.ts";
import { Keepalive } from "./keepalive.ts";
import { AnswerUnslicer, CallUnslicer, ErrorUnslicer, type MessageHost, MessageRoot } from "./messages.ts";
import { ObjectSpace } from "./object_space.ts";
import { checkArguments, checkResult, rulesOf } from "./inbound_rules.ts";
import { Outbox } from "./outbox.ts";
import { OutgoingCalls, promiseSlicer } from "./outgoing.ts";
import { Pipelining } from "./pipelining.ts";
import type { NamedResult } from "./promised.ts";
import { referenceSlicers, referenceUnslicers } from "./references.ts";
import { localErrorOf, originalOf, remoteOf } from "./remote_errors.ts";
import { type HandleOwner, RemoteHandle } from "./remote_handle.ts";
import { connectionLost, type PendingRequest } from "./requests.ts";
import { Watches } from "./watches.ts";

/** Bytes of one write where the peer's progress is a sign of life. */
const WATCHED_WRITE_BYTES = 64 * 1024;

/** One established connection. */
export class Broker implements HandleOwner, MessageHost, CancelHost {
  readonly peer: PeerInfo;
  /** Calls of ours. */
  readonly outgoing: OutgoingCalls;
  /** Resolves with what ended the connection, when it is closed. Never rejects. */
  readonly over: Promise<Error>;
  readonly #over: PromiseWithResolvers<Error> = Promise.withResolvers();
  readonly #options: BrokerOptions;
  readonly #host: BrokerHost;
  readonly #isTraced: boolean;
  /** @ignore */
  readonly takesDeadlines: boolean;
  readonly #connection: ByteConnection;
  readonly #objects: ObjectSpace;
  readonly #outbox: Outbox;
  readonly #inbound: InboundStream;
  readonly #deliveries: Deliveries;
  /** What there is if calls may name results of others. */
  readonly pipelining: Pipelining | undefined;
  readonly #watches: Watches;
  readonly #keepalive: Keepalive;
  readonly #acknowledger: Acknowledger | undefined;
  readonly #brokerObject: BrokerObject;
  // Then it need not be told the same.
  #peerComplained = false;
  #ended: Error | undefined;
  #closed: Promise<void> | undefined;

  /** A broker for a connection that has been negotiated. It begins to read at {@linkcode Broker.start}. */
  constructor(connection: ByteConnection, options: BrokerOptions) {
    const { limits, clock, host, features = NO_FEATURES } = options;
    this.#connection = connection;
    this.#options = options;
    this.#host = host;
    this.#isTraced = options.trace !== noTrace;
    this.takesDeadlines = features.has("deadline");
    this.peer = options.peer;
    this.over = this.#over.promise;
    const vocabulary = vocabularyWords(options.vocabTable);
    const tables = features.has("values")
      ? richTables(host, options.trace)
      : { slicers: BASE_SLICERS, unslicers: BASE_UNSLICERS };
    this.#objects = new ObjectSpace({
      owner: this,
      host,
      limits,
      clock,
      takesFunctionsHome: features.has("functions"),
      checkOpen: () => this.checkOpen(),
      decref: (clid, count) => this.outgoing.callPeer("decref", { clid, count }).then(() => {}, () => {}),
      decgift: (giftID) => this.outgoing.sendUnheard(0, "decgift", [kwargs({ giftID, count: 1 })]),
    });
    const slicers = tables.slicers.extend([
      ...referenceSlicers(this.#objects),
      ...failureSlicers(host.exposesTracebacks),
      promiseSlicer(() => this.outgoing),
    ]);
    this.#outbox = new Outbox({
      encoder: new TokenEncoder(vocabulary),
      slicers,
      writable: connection.writable,
      limits,
      clock,
      ...(options.keepalive?.disconnectMs === undefined ? {} : { writeBytes: WATCHED_WRITE_BYTES }),
      onFailure: (error) => void this.#end(error),
      onDrained: () => this.#goOn(),
    });
    this.outgoing = new OutgoingCalls({
      peer: options.peer,
      host,
      clock,
      trace: options.trace,
      objects: this.#objects,
      outbox: this.#outbox,
      sendsCancels: features.has("cancel"),
      sendsDeadlines: this.takesDeadlines,
      namesResults: features.has("pipeline"),
      maxWaiting: limits.maxPendingCalls,
      ended: () => this.#ended,
    });
    const unslicers = tables.unslicers.extend(referenceUnslicers(this.#objects));
    if (features.has("pipeline")) {
      this.pipelining = new Pipelining({
        limits,
        clock,
        slicers,
        unslicers,
        owner: this,
        deliveries: () => this.#deliveries,
        send: (write) =>
          this.#outbox.message({ isReply: false, write: ({ encoder }) => write(encoder), undo: () => {} }),
      });
    }
    const receiver = new Receiver((receiver) => this.#makeRoot(receiver), {
      limits,
      tokens: FOOLSCAP_TOKENS,
      vocabulary,
      unslicers: this.pipelining?.unslicers ?? unslicers,
      standing: this.pipelining?.standing,
      onPing: (value) => this.#outbox.pong(value),
      onError: (text) => {
        this.#peerComplained = true;
        throw new ProtocolError(`The peer ended the connection: ${quoteForeign(redact(text))}`);
      },
    });
    this.#deliveries = new Deliveries({
      maxPending: limits.maxPendingCalls,
      maxActiveBytes: limits.maxMessageBytes * 2,
      maxAsideBytes: limits.maxQueuedBytes,
      isHeldUp: () => this.#outbox.isFull,
      start: (call) => this.#serve(call),
      finish: (call, result) => this.#answer(call, result),
      fail: (call, error) => this.#fail(call, error),
      onStarted: () => this.#inbound.resume(),
    });
    this.#inbound = new InboundStream({
      readable: connection.readable,
      receiver,
      limits,
      clock,
      // Answers to our own calls come the same way: reading stops only when what the peer wants takes too much.
      isBlocked: () => this.#deliveries.waitingBytes > limits.maxQueuedBytes && this.#deliveries.isBlocked,
      isBusy: () => this.#deliveries.isBusy,
      onEnd: (reason) => this.#end(reason),
      onChunk: () => this.#acknowledger?.arrived(),
    });
    if (options.isPeerHeldBack === true) {
      const outbox = this.#outbox;
      this.#acknowledger = new Acknowledger({
        clock,
        writes: () => outbox.writes,
        write: () => outbox.pong(0),
      });
    }
    this.#watches = new Watches(options.trace);
    this.#keepalive = new Keepalive({
      ...options.keepalive,
      clock,
      lastSignAt: () => Math.max(this.#inbound.receivedAt ?? -Infinity, this.#outbox.takenAt),
      isReadingPaused: () => this.#inbound.isPaused,
      ping: () => this.#outbox.ping(),
      onSilence: (reason) => void this.shutdown(reason),
    });
    this.#brokerObject = {
      lookup: (name) => host.lookup(name, this.peer.tubId),
      decref: (clid, count) => this.#objects.decref(clid, count),
      decgift: (giftId, count) => this.#objects.decgift(giftId, count),
    };
  }

  #makeRoot(receiver: Receiver): MessageRoot {
    const extraMessages: [string, UnslicerType][] = [];
    if (this.#options.features?.has("cancel") === true) {
      extraMessages.push(["cancel", { make: (receiver) => new CancelUnslicer(receiver, this) }]);
    }
    const messages = new UnslicerTable([
      ["call", { make: (receiver) => new CallUnslicer(receiver, this) }],
      ["answer", { make: (receiver) => new AnswerUnslicer(receiver, this) }],
      ["error", { make: (receiver) => new ErrorUnslicer(receiver, this) }],
      ...extraMessages,
    ]);
    return new MessageRoot(receiver, this.pipelining?.extend(messages) ?? messages, this);
  }

  /** What ended the connection, once it has ended. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /** What the Tub knows of the connection. */
  get connectionInfo(): ConnectionInfo | undefined {
    return this.#options.connectionInfo;
  }

  /** When something last came from the peer, in milliseconds since 1970. */
  get receivedAt(): number | undefined {
    return this.#inbound.receivedAt;
  }

  /** The calls that have not been answered, for whoever looks for what hangs. */
  outstanding(): Omit<BrokerListing, "tubId"> {
    return { inbound: this.#deliveries.list(), outbound: this.outgoing.list() };
  }

  /** How much the connection holds: all 0 after its end. */
  tables(): BrokerTables {
    return {
      ...this.#objects.sizes,
      pendingCalls: this.outgoing.requests.size,
      activeCalls: this.#deliveries.size,
      keptAnswers: this.pipelining?.inbound.answers.size ?? 0,
    };
  }

  /** Begins to read. */
  start(): void {
    // The connection outlives the call that it may have been made for.
    runOutsideCalls(() => {
      this.#inbound.start();
      this.#keepalive.start();
      // The peer's last block has not been answered.
      this.#acknowledger?.arrived();
    });
  }

  /**
   * Asks the peer for the object, or function, of a name.
   *
   * @param signal Stops waiting: it fails with the signal's reason.
   * @throws {RemoteException} If the peer has none: a `builtins.KeyError`.
   * @throws {DeadReferenceError} If the connection is gone before the answer.
   * @throws What `options` say.
   */
  async getReferenceByName(name: string, options: CheckedOptions = {}): Promise<RemoteHandle> {
    const answer = this.outgoing.callPeer("getReferenceByName", { name: encodeText(name) }, options);
    // That a name is not there is not an error of the program's, whatever class that has for a KeyError.
    const object = await answer.catch((error) => {
      throw error instanceof PermissionDenied ? error : remoteOf(error) ?? error;
    });
    if (object instanceof RemoteHandle) return object;
    throw new Violation("The peer answered a name with something that is not an object");
  }

  /**
   * Ends the connection: every call that waits fails, every reference is dead, every table empty.
   *
   * @param reason What ended it; the `cause` of what the callers see.
   * @param options.notify Whether `notifyOnDisconnect` callbacks run. Default: they do.
   * @returns When the connection is closed. Never rejects.
   */
  shutdown(reason: Error, options: { readonly notify?: boolean } = {}): Promise<void> {
    if (this.#closed !== undefined) return this.#closed;
    this.#ended = reason;
    this.#keepalive[Symbol.dispose]();
    this.#acknowledger?.[Symbol.dispose]();
    this.#inbound.close();
    this.#outbox.close();
    // Nothing can be done about a transport that cannot even be closed.
    this.#closed = Promise.try(() => this.#connection.close()).catch(() => {});
    void this.#closed.then(() => this.#over.resolve(reason));
    for (const request of this.outgoing.requests.takeAll()) {
      request.answerFailed(connectionLost(request, this.peer, reason));
    }
    this.outgoing.close();
    this.#objects.close();
    this.pipelining?.close();
    this.#deliveries.close(reason);
    try {
      this.#options.onEnded?.(reason);
    } catch (error) {
      this.#options.trace({ type: "callback-failed", where: "onEnded", error: toError(error) });
    }
    if (options.notify !== false) this.#watches.fire();
    this.#options.trace({ type: "disconnected", tubId: this.peer.tubId ?? "", error: reason });
    return this.#closed;
  }

  /** Ends the connection for what the peer did, and tells it if it broke the protocol. */
  #end(reason: Error): Promise<void> {
    if (reason instanceof ProtocolError && this.#ended === undefined) {
      this.#options.trace({ type: "protocol-error", tubId: this.peer.tubId ?? "", error: reason });
      if (!this.#peerComplained) {
        this.#outbox.error(`BananaError: ${withoutPaths(redact(reason.message))}`);
      }
    }
    return this.shutdown(reason);
  }

  #goOn(): void {
    this.#deliveries.resume();
    this.#inbound.resume();
  }

  #reply(write: (out: Slicing) => void): number {
    if (this.#ended !== undefined) {
      throw new DeadReferenceError("Connection is lost", { cause: this.#ended });
    }
    this.#objects.begin();
    return this.#outbox.message({ isReply: true, write, undo: () => this.#objects.undo() });
  }

  // ---- calls of the peer

  /** @ignore */
  checkOpen(): void {
    if (this.#ended !== undefined) throw new ProtocolError("The connection has ended");
  }

  /** @ignore */
  target(clid: number): { readonly target: InboundCall["target"] } | undefined {
    if (clid === 0) return { target: undefined };
    const object = this.#objects.exported(clid);
    if (object === undefined) return undefined;
    return { target: object instanceof Callable ? object.call as (...args: unknown[]) => unknown : object };
  }

  /** @ignore */
  rulesOf(target: InboundCall["target"], method: string): MethodRules | undefined {
    return rulesOf(target, method);
  }

  /** @ignore */
  deliver(
    call: Omit<InboundCall, "context">,
    scope: PendingScope | undefined,
    bytes: number,
    waitMs: number | undefined,
    target: NamedResult | undefined,
  ): void {
    this.checkOpen();
    const { clock } = this.#options;
    const isTimed = waitMs !== undefined && waitMs !== NO_TIME_LIMIT;
    const time = isTimed ? { deadline: clock.now() + waitMs, clock } : undefined;
    const context = new CallContext(
      this.peer,
      call.method,
      call.requestId !== 0 && waitMs !== undefined,
      time,
    );
    const delivery: Delivery = { call: { ...call, context }, scope, bytes, isCancelled: false };
    if (this.pipelining?.inbound.take(delivery, target) !== true) this.#deliveries.add(delivery);
  }

  /** @ignore */
  cancelled(requestId: number, why: number): void {
    const isKnown = this.#deliveries.cancel(requestId, ({ method }) => {
      this.#options.trace({ type: "call-cancelled", tubId: this.peer.tubId ?? "", requestId, method });
      return why === TIME_IS_OVER ? callerTimedOut(method) : callerGaveUp(method);
    });
    // There will be no answer: what waits for the result need not go on doing so.
    if (isKnown) this.pipelining?.inbound.answers.givenUp(requestId);
  }

  /** @ignore */
  refuse(requestId: number, error: Error): void {
    this.#deliveries.checkUnused(requestId);
    this.#sendError(requestId, error);
  }

  /** @ignore */
  request(requestId: number): PendingRequest | undefined {
    return this.outgoing.requests.get(requestId);
  }

  /** @ignore */
  wasIssued(requestId: number): boolean {
    return this.outgoing.requests.wasIssued(requestId);
  }

  /** @ignore */
  failed(request: PendingRequest, failure: RemoteException): void {
    const { trace } = this.#options;
    const { id: requestId, method } = request;
    trace({ type: "call-rejected", tubId: this.peer.tubId ?? "", requestId, method, error: failure });
    const original = originalOf(request, failure);
    Object.assign(failure, { method });
    if (original !== undefined) return request.reject(original);
    if (!this.#host.exposesRemoteTypes) return request.answerFailed(failure);
    const where = "registerRemoteError";
    request.answerFailed(localErrorOf(failure, (error) => trace({ type: "callback-failed", where, error })));
  }

  /** @ignore */
  dropped(reason: string): void {
    this.#options.trace({ type: "dropped", tubId: this.peer.tubId ?? "", reason });
  }

  #serve(arrived: InboundCall): unknown {
    const { requestId, method } = arrived;
    const call = arrived.rules === undefined ? arrived : checkArguments(arrived);
    if (this.#isTraced) {
      this.#options.trace({ type: "call-received", tubId: this.peer.tubId ?? "", requestId, method });
    }
    if (call.target === undefined) return callBrokerObject(this.#brokerObject, method, call.args);
    if (this.#host.interceptInbound === undefined) return invoke(call);
    return this.#host.interceptInbound(call, () => invoke(call));
  }

  #answer(call: InboundCall, result: unknown): void {
    if (call.requestId === 0 || this.#ended !== undefined) return;
    try {
      const value = call.rules?.response === undefined ? result : checkResult(call, result);
      const bytes = this.#reply((out) => sliceAnswer(out, call.requestId, value));
      this.pipelining?.inbound.answers.answered(call.requestId, false, value, bytes);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #fail(call: InboundCall, thrown: unknown): void {
    const { requestId, method } = call;
    const error = toError(thrown);
    this.#options.trace({ type: "call-failed", tubId: this.peer.tubId ?? "", requestId, method, error });
    this.#sendError(requestId, error);
  }

  #sendError(requestId: number, error: Error): void {
    if (requestId === 0 || this.#ended !== undefined) return;
    const failure = failureOf(error, this.#host.exposesTracebacks);
    // The error's own code has run, and may have ended the connection.
    if (this.#ended !== undefined) return;
    const bytes = this.#reply((out) => sliceError(out, requestId, failure));
    this.pipelining?.inbound.answers.answered(requestId, true, error, bytes);
  }

  // ---- handles

  /** @ignore */
  watch(tracker: Tracker<RemoteHandle>, handle: RemoteHandle): HandleToken {
    return this.#objects.watch(tracker, handle);
  }

  /** @ignore */
  release(tracker: Tracker<RemoteHandle>, token: HandleToken): void {
    this.#objects.release(tracker, token);
  }

  /** @ignore */
  hold(tracker: Tracker<RemoteHandle>): Disposable {
    return this.#objects.hold(tracker);
  }

  /** Calls back, one turn later, when the connection has ended; if it has, in the next turn. */
  whenEnded(callback: () => void): Disposable {
    return this.#watches.add(callback, this.#ended !== undefined);
  }
}
