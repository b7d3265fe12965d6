/**
 * One connection of Perspective Broker.
 *
 * The two ends differ only in who offers the dialects and who chooses; then each calls objects of the other.
 *
 * Source: Twisted `spread/pb.py`, `Broker`.
 *
 * @module
 */

import { DeadReferenceError, NegotiationError, ProtocolError, toError, Violation } from "../../errors.ts";
import type { Connection } from "../../transport/transport.ts";
import { runCallback } from "../../util/run_callback.ts";
import { decodeLossy, encodeText, quoteForeign } from "../../util/text.ts";
import { BananaDecoder } from "../banana/decoder.ts";
import { BananaEncoder } from "../banana/encoder.ts";
import type { Expression } from "../banana/expression.ts";
import { cacheKeeper, Caches } from "../cache/remote_cache.ts";
import { expressionLimit, type Limited } from "../cred/strangers.ts";
import type { Broker, MessageReceiver } from "../flavors/call.ts";
import { NEGOTIATION_LIMITS } from "../limits.ts";
import { type ReferenceHost, RemoteReference } from "../flavors/remote_reference.ts";
import type { Invoker, ReferenceTag, Unjellying } from "../jelly/invoker.ts";
import { Jellier } from "../jelly/jellier.ts";
import { Unjellier } from "../jelly/unjellier.ts";
import type { PlainClass } from "../jelly/security.ts";
import type { ReferenceTables } from "./counts.ts";
import { Deliveries, type FindReceiver, targetOf } from "./deliveries.ts";
import { checkGreeting, chooseDialect, chosenDialect, notAgreed } from "./agreement.ts";
import type { Dialect, PbTraceEvent, Settings } from "./options.ts";
import { errorOfState, FAILURE_FORMS, isFailure } from "./failure.ts";
import { Inbox } from "./inbox.ts";
import { type LocalTaker, localTaker } from "../flavors/referenceable.ts";
import { LocalTable } from "./local_table.ts";
import { MessageTable } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { type OutgoingCall, OutgoingCalls } from "./outgoing.ts";
import { Patience } from "./patience.ts";
import { RemoteTable } from "./remote_table.ts";
import { Watches } from "./watches.ts";

/** The only version of the protocol there is. */
const VERSION = 6;

/** What one connection needs. */
export interface PbBrokerOptions {
  readonly connection: Connection;
  /** A server offers the dialects; a client chooses. */
  readonly role: "client" | "server";
  readonly settings: Settings;
  /** A dialect was agreed on. Must not throw. */
  onReady?(broker: PbBroker): void;
  /** The connection is over. Called once; must not throw. */
  onEnded?(error: Error): void;
}

/** What reads one kind of reference. */
export type ReferenceReader = (id: Expression | undefined, unjellier: Unjellying) => unknown;

/** One connection. */
export class PbBroker implements Broker, Invoker, Limited, LocalTaker, ReferenceHost {
  readonly #options: PbBrokerOptions;
  readonly #settings: Settings;
  readonly #encoder: BananaEncoder;
  readonly #decoder: BananaDecoder;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #locals: LocalTable<MessageReceiver>;
  readonly #remotes: RemoteTable<RemoteReference>;
  readonly #named = new Map<string, RemoteReference>();
  readonly #outgoing: OutgoingCalls;
  readonly #deliveries: Deliveries;
  readonly #watches: Watches;
  readonly #readers: Record<ReferenceTag, ReferenceReader>;
  readonly #patient: Disposable;
  readonly #jellier: Jellier;
  #lastLocalId = 0;
  #maxExpressionBytes = Infinity;
  #dialect: Dialect | undefined;
  #ended: Error | undefined;

  /** What can be received. A feature adds its own messages. */
  readonly messages: MessageTable;
  /** Counts what was refused for being too much. */
  readonly patience: Patience;
  /** What is cached in both directions. */
  readonly [cacheKeeper]: Caches;

  /** Begins to read; {@linkcode PbBrokerOptions.onReady} tells when calls can be made. */
  constructor(options: PbBrokerOptions) {
    this.#options = options;
    const { connection, settings } = options;
    this.#settings = settings;
    const { limits, brokerLimits, clock } = settings;
    this.#encoder = new BananaEncoder(false, limits);
    this.#decoder = new BananaDecoder((expression) => this.#receive(expression), false, NEGOTIATION_LIMITS);
    this.#outbox = new Outbox({
      encoder: this.#encoder,
      writable: connection.writable,
      limits: brokerLimits,
      clock,
      onFailure: (error) => this.end(error),
      onDrained: () => this.#inbox.resume(),
    });
    this.#inbox = new Inbox({
      readable: connection.readable,
      decoder: this.#decoder,
      limits: brokerLimits,
      clock,
      isBlocked: () => this.#outbox.isFull,
      onFirst: (chunk) => checkGreeting(chunk),
      onEnd: (error) => this.end(this.#dialect === undefined ? notAgreed(error) : error),
    });
    this.patience = new Patience(() => {
      // What is to be said is written by the code that is running now.
      queueMicrotask(() => this.end(new ProtocolError("The peer holds too many references")));
    });
    this.#locals = new LocalTable(brokerLimits.maxReferences, () => this.nextLocalId(), this.patience);
    this.#remotes = new RemoteTable({
      max: brokerLimits.maxRemoteReferences,
      makeReference: ({ id, perspective }, release) =>
        new RemoteReference(this, { id, perspective, release }),
      decref: (id) => this.send("decref", id),
    });
    const failed = (where: string, error: Error) => settings.trace({ type: "callback-failed", where, error });
    this.#watches = new Watches(failed);
    this.#jellier = this.#newJellier(undefined);
    const host = {
      broker: this,
      outbox: this.#outbox,
      maxPendingCalls: brokerLimits.maxPendingCalls,
      unsafeTracebacks: settings.unsafeTracebacks,
      jellier: (perspective: object | undefined) =>
        perspective === undefined ? this.#jellier : this.#newJellier(perspective),
      unserialize: (expression: Expression, perspective: object | undefined) =>
        this.unserialize(expression, perspective),
      unserializeError: (expression: Expression, perspective: object | undefined) =>
        isFailure(expression)
          ? errorOfState(this.#newUnjellier(perspective, FAILURE_FORMS).unjellyFull(expression[1]!))
          : this.unserialize(expression, perspective),
      unserializeArguments: (expression: Expression, perspective: object | undefined) =>
        this.#newUnjellier(perspective).unjellyArguments(expression),
      dropped: (reason: string) => this.dropped(reason),
      callbackFailed: failed,
      mayCross: (error: object) => settings.security.isClassAllowed(error.constructor as PlainClass),
      isClosed: () => this.#ended !== undefined,
      callFailed: (method: string, error: Error) =>
        settings.trace({ type: "call-failed", peer: this.peerAddress, method, error }),
    };
    this.#outgoing = new OutgoingCalls(host);
    this.#deliveries = new Deliveries(host);
    this.#readers = {
      remote: (id, unjellier) => this.#readRemote(id, unjellier),
      local: (id) => this.#readLocal(id),
      cached: nothingCached,
      lcache: nothingCached,
    };
    this.messages = this.#makeMessages();
    this[cacheKeeper] = new Caches({
      broker: this,
      messages: this.messages,
      patience: this.patience,
      maxReferences: brokerLimits.maxReferences,
      maxRemoteReferences: brokerLimits.maxRemoteReferences,
      nextId: () => this.nextLocalId(),
      setReader: (tag, reader) => this.setReader(tag, reader),
      deliver: (message, find) => this.#deliveries.deliver(message, find),
      sendCall: (call) => this.sendCall(call),
      send: (word, id) => this.send(word, id),
      end: (error) => this.end(error),
      dropped: (reason) => this.dropped(reason),
      failed,
    });
    this.#patient = clock.setTimer(brokerLimits.negotiationTimeoutMs, () => {
      this.end(new NegotiationError(`Nothing was agreed on within ${brokerLimits.negotiationTimeoutMs} ms`));
    });
  }

  /** Begins: what is published must be there. */
  start(): void {
    if (this.#options.role === "server") {
      this.#write((encoder) => encoder.expression(this.#settings.dialects.map((name) => encodeText(name))));
    }
    this.#inbox.start();
  }

  get peerAddress(): string {
    return this.#options.connection.peerAddress;
  }

  get isConnected(): boolean {
    return this.#dialect !== undefined && this.#ended === undefined;
  }

  /** What was agreed on; `undefined` before that. */
  get dialect(): Dialect | undefined {
    return this.#dialect;
  }

  get tables(): ReferenceTables {
    return {
      local: this.#locals.referenced,
      named: this.#locals.size - this.#locals.referenced,
      remote: this.#remotes.size,
      cached: this[cacheKeeper].owned.size,
      caches: this[cacheKeeper].held.size,
      waitingCalls: this.#outgoing.size,
      pendingCalls: this.#deliveries.size,
    };
  }

  setNameForLocal(name: string, object: MessageReceiver): void {
    this.#locals.setName(name, object);
  }

  remoteForName(name: string): RemoteReference {
    if (this.#ended !== undefined) {
      throw new DeadReferenceError("Cannot make a reference: the connection is gone", { cause: this.#ended });
    }
    const reference = this.#referenceTo(name);
    this.#named.set(name, reference);
    return reference;
  }

  notifyOnDisconnect(callback: () => unknown): Disposable {
    return this.#watches.add(callback);
  }

  whenReleased(object: MessageReceiver, callback: () => unknown): void {
    let isOver = false;
    const once = () => {
      if (isOver) return;
      isOver = true;
      runCallback(
        callback,
        (error) => this.#settings.trace({ type: "callback-failed", where: "whenReleased", error }),
      );
    };
    const watch = this.#watches.add(once);
    this.#locals.whenReleased(object.processUniqueID(), () => {
      watch[Symbol.dispose]();
      once();
    });
  }

  whenDrained(): Promise<void> {
    return this.#outbox.whenDrained();
  }

  report(event: PbTraceEvent): void {
    this.#settings.trace(event);
  }

  async close(): Promise<void> {
    this.end(new DeadReferenceError("The connection was closed by this side"));
    await this.#options.connection.close();
  }

  call(
    target: number | string,
    method: string,
    args: readonly unknown[],
    perspective: object | undefined,
    isAnswerWanted: boolean,
  ): Promise<unknown> | undefined {
    return this.#outgoing.call({ word: "message", target, method, args, perspective, isAnswerWanted });
  }

  /** Sends a call that is not a `message`. */
  sendCall(call: OutgoingCall): Promise<unknown> | undefined {
    return this.#outgoing.call(call);
  }

  /** Serves a call of the peer. */
  deliver(message: readonly Expression[], find: FindReceiver): void {
    this.#deliveries.deliver(message, find);
  }

  /** Sends a message of a word and a number. */
  send(word: string, id: number): void {
    if (!this.isConnected) return;
    this.#write((encoder) => {
      encoder.list(2);
      encoder.word(word);
      encoder.integer(id);
    });
  }

  /** The next number for something of ours: references and caches share them. */
  nextLocalId(): number {
    return ++this.#lastLocalId;
  }

  /** Says what reads one kind of reference. */
  setReader(tag: ReferenceTag, reader: ReferenceReader): void {
    this.#readers[tag] = reader;
  }

  /** Reads a value that came. */
  unserialize(expression: Expression, perspective: object | undefined): unknown {
    if (typeof expression === "number") return expression;
    return this.#newUnjellier(perspective).unjellyFull(expression);
  }

  unjellyReference(tag: ReferenceTag, id: Expression | undefined, unjellier: Unjellying): unknown {
    return this.#readers[tag](id, unjellier);
  }

  /** Counts references that are being sent. */
  readonly [localTaker] = {
    take: (object: MessageReceiver): number => this.#locals.add(object, object.processUniqueID()),
    giveBack: (id: number): void => void this.#locals.release(id),
  };

  /** The portal's limit for who is not logged in. */
  set [expressionLimit](bytes: number) {
    this.#maxExpressionBytes = bytes;
    if (this.#dialect !== undefined) this.#limitDecoder();
  }

  #limitDecoder(): void {
    const { limits } = this.#settings;
    const maxExpressionBytes = Math.min(limits.maxExpressionBytes, this.#maxExpressionBytes);
    this.#decoder.limits = { ...limits, maxExpressionBytes };
  }

  /** Something came that is of no use. */
  dropped(reason: string): void {
    this.#settings.trace({ type: "dropped", peer: this.peerAddress, reason });
  }

  /** Ends the connection at once. More than once is harmless. */
  end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#patient[Symbol.dispose]();
    this.#inbox.close();
    this.#outbox.close();
    void this.#options.connection.close();
    this.#outgoing.close(error);
    const { trace } = this.#settings;
    if (error instanceof ProtocolError) trace({ type: "protocol-error", peer: this.peerAddress, error });
    trace({ type: "disconnected", peer: this.peerAddress, error });
    this[cacheKeeper].close();
    this.#watches.fire();
    this.#locals.close();
    this.#remotes.close();
    this.#named.clear();
    this.#options.onEnded?.(error);
  }

  #newJellier(perspective: object | undefined): Jellier {
    const { security, unpersistable, limits } = this.#settings;
    return new Jellier(this.#encoder, { invoker: this, perspective, security, unpersistable, limits });
  }

  #newUnjellier(perspective: object | undefined, security = this.#settings.security): Unjellier {
    const { registry, limits } = this.#settings;
    return new Unjellier({ invoker: this, perspective, security, registry, limits });
  }

  #write(write: (encoder: BananaEncoder) => void): void {
    this.#outbox.message({ isReply: false, write, failed: (error) => this.end(toError(error)) });
  }

  #receive(expression: Expression): void {
    if (this.#ended !== undefined) return;
    if (this.#dialect !== undefined) return this.messages.receive(expression);
    const { role, settings: { dialects }, onReady } = this.#options;
    const dialect = role === "client"
      ? chooseDialect(expression, dialects)
      : chosenDialect(expression, dialects);
    if (role === "client") this.#write((encoder) => encoder.word(dialect));
    this.#dialect = dialect;
    this.#encoder.vocabulary = this.#decoder.vocabulary = dialect === "pb";
    this.#limitDecoder();
    this.#patient[Symbol.dispose]();
    this.send("version", VERSION);
    this.#settings.trace({ type: "connected", peer: this.peerAddress, dialect });
    onReady?.(this);
  }

  #makeMessages(): MessageTable {
    const messages = new MessageTable((word) => {
      this.dropped(`a message ${quoteForeign(word, 40)}, which nobody knows`);
      this.#outbox.message({
        isReply: true,
        write(encoder) {
          encoder.list(2);
          encoder.word("didNotUnderstand");
          encoder.word(word);
        },
        failed() {},
      });
    });
    messages.set("version", 1, ([, version]) => {
      if (version !== VERSION) throw new ProtocolError(`The peer has another version than ${VERSION}`);
    });
    messages.set("message", 6, (message) => this.#deliveries.deliver(message, this.#findLocal));
    messages.set("answer", 2, ([, id, value]) => this.#outgoing.answered(id, value!, false));
    messages.set("error", 2, ([, id, value]) => this.#outgoing.answered(id, value!, true));
    messages.set("decref", 1, ([, id]) => {
      if (typeof id !== "number" || !this.#locals.release(id)) this.dropped("a decref of no object");
    });
    messages.set("didNotUnderstand", 1, ([, word]) => {
      const shown = word instanceof Uint8Array ? quoteForeign(decodeLossy(word), 40) : "one";
      this.dropped(`the peer says that it does not know the message ${shown}`);
    });
    return messages;
  }

  readonly #findLocal: FindReceiver = (id) => {
    const target = targetOf(id);
    if (typeof target === "number") return this.#locals.get(target);
    return target === undefined ? undefined : this.#locals.named(target);
  };

  #readRemote(id: Expression | undefined, unjellier: Unjellying): RemoteReference {
    // Twisted takes names too, which are never given back: the peer chooses them, so none is kept.
    if (id instanceof Uint8Array) return this.#referenceTo(decodeLossy(id));
    if (!isNumber(id)) throw new Violation("Cannot read a reference: its object has no number");
    try {
      return this.#remotes.receive(id, unjellier.perspective as object | undefined);
    } catch (error) {
      if (error instanceof ProtocolError) this.end(error);
      throw error;
    }
  }

  /** The reference to what has a name: the one that the program has, if it has asked for one. */
  #referenceTo(name: string): RemoteReference {
    const known = this.#named.get(name);
    if (known?.isLive === true) return known;
    return new RemoteReference(this, { id: name, perspective: undefined, release() {} });
  }

  /** As Twisted does, an object that is unknown is None. */
  #readLocal(id: Expression | undefined): MessageReceiver | null {
    if (id instanceof Uint8Array) return this.#locals.named(decodeLossy(id)) ?? null;
    if (typeof id !== "number") throw new Violation("Cannot read a reference: its object has no number");
    return this.#locals.get(id) ?? null;
  }
}

/** Whether something numbers an object: a double does not, and cannot be sent back as the number of one. */
function isNumber(id: Expression | undefined): id is number {
  return Number.isSafeInteger(id);
}

function nothingCached(): never {
  throw new Violation("Cannot read a cached object: nothing was cached on this connection");
}
