/**
 * One established connection: the objects that each side has given the other, the calls that are under way, and
 * the one place where all of it ends.
 *
 * Source: Foolscap `broker.py`.
 *
 * @module
 */

import { DeadReferenceError, ProtocolError, toError, Violation } from "../errors.ts";
import type { Pending, PendingScope } from "../graph/pending.ts";
import { Receiver } from "../graph/receiver.ts";
import { BASE_SLICERS, BASE_UNSLICERS } from "../graph/tables.ts";
import { UnslicerTable } from "../graph/unslicer.ts";
import type { Slicing } from "../graph/slicing.ts";
import { Kwargs, kwargs } from "../graph/values/kwargs.ts";
import { sortedKeys } from "../graph/values/sort_keys.ts";
import type { Limits } from "../limits.ts";
import { redact } from "../names/redact.ts";
import type { Clock } from "../util/clock.ts";
import { encodeText, quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import { inLaterTurn } from "../util/turn.ts";
import { TokenEncoder } from "../wire/encoder.ts";
import { FOOLSCAP_TOKENS } from "../wire/tokens.ts";
import { vocabularyWords } from "../wire/vocabulary.ts";
import { callBrokerObject } from "./broker_object.ts";
import type { CallOptions, InboundCall } from "./call.ts";
import { CallContext, type PeerInfo, withCurrentCall } from "./call_context.ts";
import { Callable } from "./callable.ts";
import { Deliveries } from "./deliveries.ts";
import { type Export, ExportTable, type Given } from "./export_table.ts";
import { failureOf, sliceFailure, withoutPaths } from "./failure.ts";
import { GiftTable } from "./gifts.ts";
import { type HandleToken, ImportTable, type Tracker } from "./import_table.ts";
import type { BrokerHost } from "./interface.ts";
import { AnswerUnslicer, CallUnslicer, ErrorUnslicer, type MessageHost, MessageRoot } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { type ReferenceHost, referenceSlicers, referenceUnslicers } from "./references.ts";
import type { Referenceable } from "./referenceable.ts";
import { type HandleOwner, RemoteFunction, RemoteHandle, RemoteReference } from "./remote_reference.ts";
import { RemotePromise } from "./remote_promise.ts";
import { type PendingRequest, RequestTable } from "./requests.ts";
import { Watches } from "./watches.ts";
import type { ByteConnection } from "./byte_connection.ts";

/** What a {@linkcode Broker} needs. */
export interface BrokerOptions {
  readonly host: BrokerHost;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Must not throw. */
  readonly trace: Trace;
  /** The number of the vocabulary table that was agreed on. */
  readonly vocabTable: number;
  readonly peer: PeerInfo;
  /** Called at the end, at once: whoever keeps the broker forgets it. */
  onEnded?(error: Error): void;
}

/** How much one connection holds. */
export interface BrokerTables {
  /** Objects of ours that the peer holds. */
  readonly exported: number;
  /** Objects of the peer that we hold. */
  readonly imported: number;
  /** Calls of ours that wait for their answer. */
  readonly pendingCalls: number;
  /** Calls of the peer that have not been answered. */
  readonly activeCalls: number;
  /** Gifts that are being fetched. */
  readonly pendingGifts: number;
  /** Gifts of ours that have not been acknowledged. */
  readonly givenGifts: number;
}

/** While nothing more is begun for a peer that does not read, calls of this size may wait before reading stops. */
const HELD_UP_BYTES = 16 * 1024 * 1024;

/** One established connection. */
export class Broker implements HandleOwner, MessageHost, ReferenceHost {
  readonly peer: PeerInfo;
  readonly #options: BrokerOptions;
  readonly #host: BrokerHost;
  readonly #connection: ByteConnection;
  readonly #outbox: Outbox;
  readonly #receiver: Receiver;
  readonly #exports: ExportTable<Referenceable | Callable>;
  readonly #imports: ImportTable<RemoteHandle>;
  readonly #requests = new RequestTable();
  readonly #deliveries: Deliveries;
  readonly #gifts: GiftTable;
  readonly #watches: Watches;
  // What the message that is being written has taken, to be given back if it is not sent.
  readonly #given: Export<Referenceable | Callable>[] = [];
  readonly #givenGifts: number[] = [];
  #pendingGifts = 0;
  #ended: Error | undefined;
  #closed: Promise<void> | undefined;
  #receivedAt = 0;
  #stallWatch: Disposable | undefined;
  #resumeReading: (() => void) | undefined;

  /** A broker for a connection that has been negotiated. It begins to read at {@linkcode Broker.start}. */
  constructor(connection: ByteConnection, options: BrokerOptions) {
    const { limits, clock } = options;
    this.#connection = connection;
    this.#options = options;
    this.#host = options.host;
    this.peer = options.peer;
    const vocabulary = vocabularyWords(options.vocabTable);
    this.#outbox = new Outbox({
      encoder: new TokenEncoder(vocabulary),
      slicers: BASE_SLICERS.extend(referenceSlicers(this)),
      writable: connection.writable,
      limits,
      clock,
      onFailure: (error) => void this.shutdown(error),
      onDrained: () => this.#goOn(),
    });
    this.#receiver = new Receiver(
      (receiver) =>
        new MessageRoot(
          receiver,
          new UnslicerTable([
            ["call", { make: (receiver) => new CallUnslicer(receiver, this) }],
            ["answer", { make: (receiver) => new AnswerUnslicer(receiver, this) }],
            ["error", { make: (receiver) => new ErrorUnslicer(receiver, this) }],
          ]),
          this,
        ),
      {
        limits,
        tokens: FOOLSCAP_TOKENS,
        vocabulary,
        unslicers: BASE_UNSLICERS.extend(referenceUnslicers(this)),
        onPing: (value) => this.#outbox.pong(value),
        onError: (text) => {
          throw new ProtocolError(`The peer ended the connection: ${quoteForeign(redact(text))}`);
        },
      },
    );
    this.#exports = new ExportTable(limits.maxExports);
    this.#imports = new ImportTable({
      max: limits.maxImports,
      makeHandle: (tracker) =>
        tracker.clid < 0 ? new RemoteFunction(this, tracker) : new RemoteReference(this, tracker),
      decref: (clid, count) => this.#callPeer("decref", { clid, count }).then(() => {}, () => {}),
      later: inLaterTurn,
    });
    this.#gifts = new GiftTable(limits.maxExports);
    this.#deliveries = new Deliveries({
      maxPending: limits.maxPendingCalls,
      isHeldUp: () => this.#outbox.isFull,
      start: (call) => this.#serve(call),
      finish: (call, result) => this.#answer(call, result),
      fail: (call, error) => this.#fail(call, error),
    });
    this.#watches = new Watches(options.trace);
  }

  /** What ended the connection, once it has ended. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /** How much the connection holds: all 0 after its end. */
  tables(): BrokerTables {
    return {
      exported: this.#exports.size,
      imported: this.#imports.size,
      pendingCalls: this.#requests.size,
      activeCalls: this.#deliveries.size,
      pendingGifts: this.#pendingGifts,
      givenGifts: this.#gifts.size,
    };
  }

  /** Begins to read. */
  start(): void {
    void this.#read();
  }

  /**
   * Asks the peer for the object of a name.
   *
   * @throws {RemoteException} If the peer has none: a `builtins.KeyError`.
   */
  async getReferenceByName(name: string): Promise<RemoteReference> {
    const object = await this.#callPeer("getReferenceByName", { name: encodeText(name) });
    if (object instanceof RemoteReference) return object;
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
    this.#stallWatch?.[Symbol.dispose]();
    this.#outbox.close();
    this.#closed = this.#connection.close();
    this.#resumeReading?.();
    for (const request of this.#requests.takeAll()) request.reject(this.#lost(request, reason));
    this.#deliveries.close(reason);
    this.#exports.clear();
    this.#imports.close();
    this.#gifts.clear();
    this.#options.onEnded?.(reason);
    if (options.notify !== false) this.#watches.fire();
    this.#options.trace({ type: "disconnected", tubId: this.peer.tubId ?? "", error: reason });
    return this.#closed;
  }

  #lost(request: PendingRequest, cause: Error): Error {
    const peer = this.peer.tubId?.slice(0, 4) ?? "?";
    const during = request.method === "" ? "a function" : request.method;
    return new DeadReferenceError(
      `Connection was lost (to tubid=${peer}) (during method=${during}): ${redact(cause.message)}`,
      { cause },
    );
  }

  // ---- reading

  async #read(): Promise<void> {
    const reader = this.#connection.readable.getReader();
    let reason: Error | undefined;
    try {
      while (this.#ended === undefined) {
        if (this.#outbox.isFull && this.#deliveries.waitingBytes > HELD_UP_BYTES) {
          await new Promise<void>((resolve) => this.#resumeReading = resolve);
          this.#resumeReading = undefined;
          continue;
        }
        const { value, done } = await reader.read();
        if (done) break;
        if (this.#ended !== undefined) break;
        this.#receiver.push(value);
        if (this.#receiver.inMessage) this.#watchForStall();
      }
      reason = new DeadReferenceError("The peer closed the connection");
    } catch (error) {
      reason = toError(error);
      if (reason instanceof ProtocolError && this.#ended === undefined) this.#complain(reason);
    }
    await this.shutdown(reason);
    // What is left is nobody's.
    reader.cancel().catch(() => {});
    reader.releaseLock();
  }

  /** Tells the peer why the connection ends, unless it ended it. */
  #complain(error: ProtocolError): void {
    this.#options.trace({ type: "protocol-error", tubId: this.peer.tubId ?? "", error });
    this.#outbox.error(`BananaError: ${withoutPaths(redact(error.message))}`);
  }

  #watchForStall(): void {
    const { clock, limits } = this.#options;
    this.#receivedAt = clock.now();
    this.#stallWatch ??= clock.setTimer(limits.messageStallMs, () => this.#checkStall());
  }

  #checkStall(): void {
    const { clock, limits } = this.#options;
    this.#stallWatch = undefined;
    if (this.#ended !== undefined || !this.#receiver.inMessage) return;
    const left = this.#receivedAt + limits.messageStallMs - clock.now();
    if (left > 0) this.#stallWatch = clock.setTimer(left, () => this.#checkStall());
    else {
      const error = new ProtocolError(
        `A message was begun and not gone on with for ${limits.messageStallMs} ms`,
      );
      this.#complain(error);
      void this.shutdown(error);
    }
  }

  #goOn(): void {
    if (this.#outbox.isFull) return;
    this.#deliveries.resume();
    this.#resumeReading?.();
  }

  // ---- calls of ours

  /** @ignore */
  call(
    tracker: Tracker<RemoteHandle>,
    method: string,
    args: readonly unknown[],
    options: CallOptions,
  ): RemotePromise<unknown> {
    tracker.callsInFlight++;
    return this.#call(tracker.clid, method, args, options, () => this.#imports.callEnded(tracker));
  }

  /** @ignore */
  callOnly(tracker: Tracker<RemoteHandle>, method: string, args: readonly unknown[]): void {
    if (this.#ended !== undefined) return;
    try {
      this.#send(0, tracker.clid, method, args);
    } catch (error) {
      // Nobody waits for this call: not even to hear that it was not sent.
      this.#options.trace({
        type: "call-failed",
        tubId: this.peer.tubId ?? "",
        requestId: 0,
        method,
        error: toError(error),
      });
    }
  }

  /** @ignore */
  reject(error: Error): RemotePromise<never> {
    return new RemotePromise<never>((_resolve, reject) => reject(error));
  }

  /** Calls object 0 of the peer. */
  #callPeer(method: string, named: Record<string, unknown>): RemotePromise<unknown> {
    if (this.#ended !== undefined) {
      return this.reject(new DeadReferenceError("Connection is lost", { cause: this.#ended }));
    }
    return this.#call(0, method, [kwargs(named)], {}, () => {});
  }

  #call(
    clid: number,
    method: string,
    args: readonly unknown[],
    options: CallOptions,
    onEnd: () => void,
  ): RemotePromise<unknown> {
    const { promise, request } = this.#requests.begin(method, options, this.#options.clock, onEnd);
    if (options.signal?.aborted) request.reject(options.signal.reason);
    else {
      const send = () => {
        try {
          this.#send(request.id, clid, method, args);
        } catch (error) {
          request.reject(error);
        }
      };
      // Code of the program's that is asked for its values, while a message is written, may make calls itself.
      if (this.#outbox.isSlicing) this.#outbox.afterMessage(send);
      else send();
    }
    return promise;
  }

  #send(requestId: number, clid: number, method: string, args: readonly unknown[]): void {
    this.#host.interceptOutbound?.({ clid, method, args, wantsAnswer: requestId !== 0 });
    this.#options.trace({ type: "call-sent", tubId: this.peer.tubId ?? "", requestId, method });
    this.#message((out) => {
      const encoder = out.encoder;
      const call = encoder.open("call");
      encoder.integer(requestId);
      encoder.integer(clid);
      out.word(method);
      const number = encoder.open("arguments");
      sliceArguments(args, out);
      encoder.close(number);
      encoder.close(call);
    });
  }

  #message(write: (out: Slicing) => void): void {
    this.#given.length = 0;
    this.#givenGifts.length = 0;
    this.#outbox.message(write, () => {
      for (const entry of this.#given.reverse()) this.#exports.undo(entry);
      for (const id of this.#givenGifts) this.#gifts.decgift(id, 1);
    });
  }

  // ---- calls of the peer

  /** @ignore */
  target(clid: number): { readonly target: InboundCall["target"] } | undefined {
    if (clid === 0) return { target: undefined };
    const object = this.exported(clid);
    if (object === undefined) return undefined;
    return { target: object instanceof Callable ? object.call as (...args: unknown[]) => unknown : object };
  }

  /** @ignore */
  deliver(call: Omit<InboundCall, "context">, scope: PendingScope | undefined, bytes: number): void {
    const context = new CallContext(this.peer, call.method);
    this.#deliveries.add({ call: { ...call, context }, scope, bytes });
  }

  /** @ignore */
  refuse(requestId: number, error: Error): void {
    this.#sendError(requestId, error);
  }

  /** @ignore */
  request(requestId: number): PendingRequest | undefined {
    return this.#requests.get(requestId);
  }

  /** @ignore */
  wasIssued(requestId: number): boolean {
    return this.#requests.wasIssued(requestId);
  }

  /** @ignore */
  dropped(reason: string): void {
    this.#options.trace({ type: "dropped", tubId: this.peer.tubId ?? "", reason });
  }

  #serve(call: InboundCall): unknown {
    const { requestId, method } = call;
    this.#options.trace({ type: "call-received", tubId: this.peer.tubId ?? "", requestId, method });
    if (call.target === undefined) return callBrokerObject(this.#brokerObject, method, call.args);
    const intercept = this.#host.interceptInbound;
    if (intercept === undefined) return withCurrentCall(call.context, () => invoke(call));
    return intercept.call(this.#host, call, () => withCurrentCall(call.context, () => invoke(call)));
  }

  readonly #brokerObject = {
    lookup: (name: string) => this.#host.lookup(name),
    decref: (clid: number, count: number) => this.#exports.decref(clid, count),
    decgift: (giftId: number, count: number) => this.#gifts.decgift(giftId, count),
  };

  #answer(call: InboundCall, result: unknown): void {
    if (call.requestId === 0) return;
    try {
      this.#message((out) => {
        const encoder = out.encoder;
        const number = encoder.open("answer");
        encoder.integer(call.requestId);
        try {
          out.slice(result);
        } catch (error) {
          throw out.under(error, "result");
        }
        encoder.close(number);
      });
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
    this.#message((out) => {
      const encoder = out.encoder;
      const number = encoder.open("error");
      encoder.integer(requestId);
      sliceFailure(failure, out);
      encoder.close(number);
    });
  }

  // ---- references

  /** @ignore */
  give(object: Referenceable | Callable): Given<Referenceable | Callable> {
    const given = this.#exports.give(object);
    this.#given.push(given.entry);
    return given;
  }

  /** @ignore */
  furlOf(object: Referenceable): string | undefined {
    return this.#host.furlOf(object);
  }

  /** @ignore */
  owns(handle: RemoteHandle): boolean {
    return RemoteHandle.ownerOf(handle) === this;
  }

  /** @ignore */
  giveAway(handle: RemoteHandle): number {
    const id = this.#gifts.give(handle);
    this.#givenGifts.push(id);
    return id;
  }

  /** @ignore */
  exported(clid: number): Referenceable | Callable | undefined {
    const object = this.#exports.get(Math.abs(clid));
    return object !== undefined && (object instanceof Callable) === (clid < 0) ? object : undefined;
  }

  /** @ignore */
  imported(clid: number, interfaceName: string | undefined, furl: string | undefined): RemoteHandle {
    if (furl !== undefined) checkFurl(furl, this.peer.tubId);
    return this.#imports.receive(clid, interfaceName, furl);
  }

  /** @ignore */
  fetchGift(giftId: number, furl: string, pending: Pending): void {
    if (this.#pendingGifts >= this.#options.limits.maxPendingGifts) {
      throw new ProtocolError(`The peer has ${this.#pendingGifts} gifts waiting to be fetched`);
    }
    this.#pendingGifts++;
    const acknowledge = () => {
      this.#pendingGifts--;
      // Also when it could not be fetched: the giver must not keep it for ever.
      if (giftId === 0 || this.#ended !== undefined) return;
      this.#send(0, 0, "decgift", [kwargs({ giftID: giftId, count: 1 })]);
    };
    this.#host.acquire(furl).then((reference) => {
      acknowledge();
      pending.resolve(reference);
    }, (error) => {
      acknowledge();
      pending.reject(toError(error));
    });
  }

  /** @ignore */
  watch(tracker: Tracker<RemoteHandle>, handle: RemoteHandle): HandleToken {
    return this.#imports.watch(tracker, handle);
  }

  /** @ignore */
  release(tracker: Tracker<RemoteHandle>, token: HandleToken): void {
    this.#imports.release(tracker, token);
  }

  /** Calls back, one turn later, when the connection has ended; if it has, in the next turn. */
  whenEnded(callback: () => void): Disposable {
    return this.#watches.add(callback, this.#ended !== undefined);
  }
}

function invoke({ target, method, args, context }: InboundCall): unknown {
  return typeof target === "function" ? target(...args) : target!.doRemoteCall(method, args, context);
}

/** `INT(n) value*n (STRING(name) value)*`, the names in order. */
function sliceArguments(args: readonly unknown[], out: Slicing): void {
  const last = args.at(-1);
  const count = last instanceof Kwargs ? args.length - 1 : args.length;
  out.encoder.integer(count);
  let i = 0;
  try {
    for (; i < count; i++) out.slice(args[i]);
  } catch (error) {
    throw out.under(error, `arguments[${i}]`);
  }
  if (!(last instanceof Kwargs)) return;
  const named = last.values as Readonly<Record<string, unknown>>;
  for (const name of sortedKeys(Object.keys(named))) {
    try {
      out.word(name);
      out.slice(named[name]);
    } catch (error) {
      throw out.under(error, `arguments.${name}`);
    }
  }
}

/** A peer may only tell FURLs of its own objects. */
function checkFurl(furl: string, tubId: string | undefined): void {
  const claimed = /pb:\/\/([^@]+)@/.exec(furl)?.[1]?.slice(0, 32);
  if (tubId === undefined || claimed !== tubId) {
    throw new ProtocolError(
      `Inbound reference claims bad tubid, ${quoteForeign(claimed ?? "none", 32)} vs ${tubId ?? "none"}`,
    );
  }
}
