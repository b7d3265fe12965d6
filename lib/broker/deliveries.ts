/**
 * Calls of the peer: started in the order in which they came, one a turn, and answered when they are done.
 *
 * A turn here is a job of its own, so that what one call does synchronously, and what it has queued, runs before
 * the next call starts; after some calls the event loop gets its say. A call that waits for a gift holds up those
 * behind it, as in Foolscap (`broker.py`, `doNextCall`), except for those that ask for an object by its name.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import type { PendingScope } from "../graph/pending.ts";
import { inLaterTurn } from "../util/eventual.ts";
import { callerTimedOut, runInCall } from "./call_context.ts";
import type { InboundDelivery } from "./broker_listing.ts";
import type { InboundCall } from "./call.ts";

/** A call that has arrived. */
export interface Delivery {
  call: InboundCall;
  /** What is not there yet of its arguments. */
  scope: PendingScope | undefined;
  /** Memory that it takes, in bytes. */
  bytes: number;
  /** Whether the caller has given it up. */
  isCancelled: boolean;
  /** Whether it has been begun before others that came before it. */
  hasPassed?: boolean | undefined;
  /** Completes a call that names results of others, when it is its turn. Must not throw. */
  prepare?: (() => void) | undefined;
  /** Takes a call that names results, and is given up before its turn, from where it waits. Must not throw. */
  withdraw?: (() => void) | undefined;
  /** Why it is not to be started. */
  failure?: Error | undefined;
}

/** What {@linkcode Deliveries} need of the broker. */
export interface DeliveriesOptions {
  readonly maxPending: number;
  /** Nothing more is begun while the calls that have not been answered take more memory than this. */
  readonly maxActiveBytes: number;
  /** No call is put aside while those that were take more memory than this. */
  readonly maxAsideBytes: number;
  /** Whether the peer leaves so much unread that nothing more is begun for it. */
  isHeldUp(): boolean;
  /** Makes the call; a promise if it is not done at once. */
  start(call: InboundCall): unknown;
  /** The call is done. Must not throw. */
  finish(call: InboundCall, result: unknown): void;
  /** The call failed. Must not throw. */
  fail(call: InboundCall, error: unknown): void;
  /** A call has been begun: fewer wait. */
  onStarted(): void;
}

/** Calls started before the event loop gets its say. */
const CALLS_A_TURN = 128;
/** When so many calls or bytes wait for their turn, no more are read until they had it. */
const BUSY_CALLS = 1_024, BUSY_BYTES = 4 * 1024 * 1024;

/** The inbound calls of one connection. */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  #queue: Delivery[] = [];
  #head = 0;
  #isRunning = false;
  // The first one of the queue, if it waits for a gift.
  #waitsForGift: Delivery | undefined;
  #isClosed = false;
  #started = 0;
  readonly #active = new Set<Delivery>();
  readonly #aside = new Set<Delivery>();
  // Those of the queue that may pass one that waits for a gift.
  readonly #passing = new Set<Delivery>();
  #isPassing = false;
  #asideBytes = 0;
  // The peer chooses the numbers, and numbers can be chosen to collide in a Map: so it does not know these.
  readonly #byId = new Map<number | string, Delivery>();
  readonly #salt = Math.floor(Math.random() * 0x40000000);
  #waitingBytes = 0;
  #activeBytes = 0;
  // Those of the queue that were given up: never more than half of it, by number and by memory.
  #holes = 0;
  #holeBytes = 0;

  /** No calls yet. */
  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Calls that have not been answered; with those that were given up, and whose method still runs. */
  get size(): number {
    return this.#active.size + this.#aside.size + this.#queue.length - this.#head - this.#holes;
  }

  /** The calls that have not been answered, oldest first. */
  list(): InboundDelivery[] {
    const row = (isStarted: boolean) => ({ call: { requestId, method }, isCancelled }: Delivery) => ({
      requestId,
      method,
      isStarted,
      isCancelled,
    });
    return [...[...this.#active].map(row(true)), ...[...this.#waiting(), ...this.#aside].map(row(false))];
  }

  /** Memory that the calls take that have not been started, in bytes. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether the calls that wait have to go on waiting until something else happens. */
  get isBlocked(): boolean {
    return this.#waitsForGift !== undefined || this.#activeBytes > this.#options.maxActiveBytes ||
      this.#options.isHeldUp();
  }

  /** Whether so many calls wait only for their turn that it is no use to read more. */
  get isBusy(): boolean {
    const waiting = this.#queue.length - this.#head;
    return (waiting > BUSY_CALLS || this.#waitingBytes > BUSY_BYTES) && waiting > 0 && !this.isBlocked;
  }

  /** Whether a call of this number has come and not been answered. */
  has(requestId: number): boolean {
    return this.#byId.has(this.#keyOf(requestId));
  }

  /**
   * A call that cannot be taken is refused: its number must not be that of another one.
   *
   * @throws {ProtocolError} If a call of this number has come and not been answered.
   */
  checkUnused(requestId: number): void {
    if (this.#byId.has(this.#keyOf(requestId))) throw inUse(requestId);
  }

  /**
   * A call has arrived.
   *
   * @throws {ProtocolError} If the peer waits for the answers of too many calls, or of one with the same number.
   */
  add(delivery: Delivery): void {
    if (this.#isClosed) return;
    this.#admit(delivery);
    this.#enqueue(delivery);
  }

  /**
   * A call has arrived that cannot be begun yet, and shall not hold up others.
   *
   * @throws {ProtocolError} As {@linkcode Deliveries.add}.
   * @throws {Violation} If those that were put aside take too much memory.
   */
  setAside(delivery: Delivery): void {
    if (this.#isClosed) return;
    const { maxAsideBytes } = this.#options;
    if (this.#asideBytes + delivery.bytes > maxAsideBytes && this.#aside.size > 0) {
      throw new Violation(
        `Cannot wait for the results that are named: calls of ${maxAsideBytes} bytes wait for others already`,
      );
    }
    this.#admit(delivery);
    this.#aside.add(delivery);
    this.#asideBytes += delivery.bytes;
  }

  /** A call that was put aside can be begun. */
  takeUp(delivery: Delivery): void {
    if (!this.#aside.delete(delivery)) return;
    this.#asideBytes -= delivery.bytes;
    this.#enqueue(delivery);
  }

  #admit(delivery: Delivery): void {
    if (this.size >= this.#options.maxPending) {
      throw new ProtocolError(`The peer has ${this.#options.maxPending} calls waiting for their answer`);
    }
    const { requestId } = delivery.call;
    if (requestId !== 0) {
      const before = this.#byId.size;
      if (this.#byId.set(this.#keyOf(requestId), delivery).size === before) throw inUse(requestId);
    }
  }

  #enqueue(delivery: Delivery): void {
    this.#queue.push(delivery);
    this.#waitingBytes += delivery.bytes;
    if (mayPass(delivery)) this.#passing.add(delivery);
    this.resume();
  }

  /**
   * The caller has given a call up: one that has not been started never is, and of one that has, the result is dropped.
   * One that runs counts until it ends, however often it was given up: else a peer could start any number.
   *
   * @param reason What the call's signal fires with.
   * @returns Whether there is such a call that has not been answered.
   */
  cancel(requestId: number, reason: (call: InboundCall) => Error): boolean {
    const key = this.#keyOf(requestId);
    const delivery = this.#byId.get(key);
    if (delivery === undefined) return false;
    this.#byId.delete(key);
    delivery.isCancelled = true;
    const isAside = this.#aside.delete(delivery);
    delivery.withdraw?.();
    this.#passing.delete(delivery);
    if (isAside) this.#asideBytes -= delivery.bytes;
    else if (!this.#active.has(delivery)) this.#dropWaiting(delivery);
    delivery.call.context.abort(reason(delivery.call));
    return true;
  }

  #dropWaiting(delivery: Delivery): void {
    this.#holes++;
    this.#holeBytes += delivery.bytes;
    if (this.#holes * 2 > this.#queue.length - this.#head || this.#holeBytes * 2 > this.#waitingBytes) {
      this.#queue = this.#waiting();
      this.#head = 0;
      this.#waitingBytes -= this.#holeBytes;
      this.#holes = this.#holeBytes = 0;
    }
    if (this.#waitsForGift !== delivery) return;
    this.#waitsForGift = undefined;
    this.resume();
  }

  #waiting(): Delivery[] {
    return this.#queue.slice(this.#head).filter((delivery) => !isHole(delivery));
  }

  /** Goes on, if there is something to do and nothing in the way. */
  resume(): void {
    if (this.#waitsForGift !== undefined) return this.#letPass();
    if (this.#isRunning || this.#head === this.#queue.length) return;
    this.#isRunning = true;
    queueMicrotask(this.#next);
  }

  /** Drops the calls that have not been started, and ends the wait of the others. */
  close(reason: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const active = [...this.#active];
    this.#active.clear();
    this.#aside.clear();
    this.#passing.clear();
    this.#asideBytes = 0;
    this.#byId.clear();
    this.#queue = [];
    this.#head = this.#holes = this.#holeBytes = 0;
    this.#waitsForGift = undefined;
    this.#waitingBytes = 0;
    this.#activeBytes = 0;
    for (const { call } of active) call.context.abort(reason);
  }

  #keyOf(requestId: number): number | string {
    return requestId < 0x40000000 ? requestId ^ this.#salt : `#${requestId}`;
  }

  readonly #next = (): void => {
    this.#isRunning = false;
    const holes = this.#holes;
    while (this.#holes > 0 && isHole(this.#queue[this.#head])) {
      this.#holes--;
      this.#holeBytes -= this.#queue[this.#head]!.bytes;
      this.#takeFirst();
    }
    if (this.#holes < holes) this.#options.onStarted();
    const delivery = this.#queue[this.#head];
    if (this.#isClosed || delivery === undefined || this.isBlocked) return;
    if (delivery.prepare !== undefined) {
      this.#prepare(delivery);
      if (this.#isClosed) return;
    }
    const { scope } = delivery;
    if (scope !== undefined && !scope.isComplete) return this.#waitFor(delivery, scope);
    this.#takeFirst();
    this.#passing.delete(delivery);
    // All that becomes of the call happens in its context.
    runInCall(delivery.call.context, this.#start, delivery);
    this.#options.onStarted();
    if (this.#head < this.#queue.length && !this.#isRunning) {
      this.#isRunning = true;
      if (++this.#started % CALLS_A_TURN === 0) inLaterTurn(this.#next);
      else queueMicrotask(this.#next);
    }
  };

  #takeFirst(): void {
    this.#waitingBytes -= this.#queue[this.#head]!.bytes;
    this.#queue[this.#head++] = undefined as unknown as Delivery;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #prepare(delivery: Delivery): void {
    const before = delivery.bytes;
    delivery.prepare!();
    delivery.prepare = undefined;
    this.#waitingBytes += delivery.bytes - before;
  }

  #waitFor(delivery: Delivery, scope: PendingScope): void {
    this.#waitsForGift = delivery;
    scope.whenComplete(() => {
      if (this.#waitsForGift !== delivery) return;
      this.#waitsForGift = undefined;
      this.resume();
    });
    this.#letPass();
  }

  /**
   * Begins those that may pass the one that waits for a gift. A gift is fetched by a call like these: if they waited, Tubs
   * that give each other gifts would wait for each other in a circle.
   */
  #letPass(): void {
    if (this.#isPassing || this.#passing.size === 0) return;
    this.#isPassing = true;
    queueMicrotask(this.#pass);
  }

  readonly #pass = (): void => {
    this.#isPassing = false;
    for (const delivery of this.#passing) {
      if (this.#waitsForGift === undefined || this.#activeBytes > this.#options.maxActiveBytes) return;
      if (this.#options.isHeldUp()) return;
      this.#passing.delete(delivery);
      delivery.hasPassed = true;
      this.#dropWaiting(delivery);
      runInCall(delivery.call.context, this.#start, delivery);
      this.#options.onStarted();
    }
  };

  readonly #start = (delivery: Delivery): void => {
    const { call, scope, failure = scope?.failure } = delivery;
    this.#active.add(delivery);
    this.#activeBytes += delivery.bytes;
    if (failure !== undefined) return this.#fail(delivery, failure);
    // Its caller has stopped waiting, or is about to.
    if (call.context.remainingMs === 0) return this.#fail(delivery, callerTimedOut(call.method));
    let result: unknown;
    try {
      result = this.#options.start(call);
      if (isThenable(result)) {
        Promise.resolve(result).then(
          (value) => this.#finish(delivery, value),
          (error) => this.#fail(delivery, error),
        );
        return;
      }
    } catch (error) {
      return this.#fail(delivery, error);
    }
    this.#finish(delivery, result);
  };

  #finish(delivery: Delivery, result: unknown): void {
    if (this.#end(delivery)) this.#options.finish(delivery.call, result);
  }

  #fail(delivery: Delivery, error: unknown): void {
    if (this.#end(delivery)) this.#options.fail(delivery.call, error);
  }

  /** Whether somebody waits for the answer. */
  #end(delivery: Delivery): boolean {
    const { requestId, context } = delivery.call;
    context.end();
    if (!this.#active.delete(delivery)) return false;
    if (requestId !== 0 && !delivery.isCancelled) this.#byId.delete(this.#keyOf(requestId));
    const wasFull = this.#activeBytes > this.#options.maxActiveBytes;
    this.#activeBytes -= delivery.bytes;
    if (wasFull) this.resume();
    return !delivery.isCancelled;
  }
}

/** Whether a call asks for an object by its name, on which nothing depends that was sent before it. */
function mayPass({ call: { target, method }, prepare, scope }: Delivery): boolean {
  // One that names results has no target yet, and one whose arguments are not there keeps its place.
  return target === undefined && method === "getReferenceByName" && prepare === undefined &&
    (scope === undefined || scope.isComplete);
}

/** Whether one has left its place in the queue. */
function isHole(delivery: Delivery | undefined): boolean {
  return delivery?.isCancelled === true || delivery?.hasPassed === true;
}

function inUse(requestId: number): ProtocolError {
  return new ProtocolError(`Request ID ${requestId} is that of a call that has not been answered`);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof Promise || typeof (value as { then?: unknown }).then === "function";
}
