/**
 * Calls of the peer: started in the order in which they came, one a turn, and answered when they are done.
 *
 * A turn here is a job of its own, so that what one call does synchronously, and what it has queued, runs before
 * the next call starts; after some calls the event loop gets its say. A call that waits for a gift holds up those
 * behind it, as in Foolscap (`broker.py`, `doNextCall`).
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { PendingScope } from "../graph/pending.ts";
import { inLaterTurn } from "../util/turn.ts";
import type { InboundCall } from "./call.ts";

/** A call that has arrived. */
export interface Delivery {
  readonly call: InboundCall;
  /** What is not there yet of its arguments. */
  readonly scope: PendingScope | undefined;
  /** Memory that it takes while it waits, in bytes. */
  readonly bytes: number;
}

/** What {@linkcode Deliveries} need of the broker. */
export interface DeliveriesOptions {
  readonly maxPending: number;
  /** Whether the peer leaves so much unread that nothing more is begun for it. */
  isHeldUp(): boolean;
  /** Makes the call; a promise if it is not done at once. */
  start(call: InboundCall): unknown;
  /** The call is done. */
  finish(call: InboundCall, result: unknown): void;
  /** The call failed. */
  fail(call: InboundCall, error: unknown): void;
}

/** Calls started before the event loop gets its say. */
const CALLS_A_TURN = 128;

/** The inbound calls of one connection. */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  #queue: Delivery[] = [];
  #head = 0;
  #isRunning = false;
  #isClosed = false;
  #started = 0;
  readonly #active = new Set<InboundCall>();
  #waitingBytes = 0;

  /** No calls yet. */
  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Calls that have not been answered. */
  get size(): number {
    return this.#active.size + this.#queue.length - this.#head;
  }

  /** Memory that the calls take that have not been started, in bytes. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * A call has arrived.
   *
   * @throws {ProtocolError} If the peer waits for the answers of too many calls.
   */
  add(delivery: Delivery): void {
    if (this.size >= this.#options.maxPending) {
      throw new ProtocolError(`The peer has ${this.#options.maxPending} calls waiting for their answer`);
    }
    this.#queue.push(delivery);
    this.#waitingBytes += delivery.bytes;
    this.resume();
  }

  /** Goes on, if there is something to do and nothing in the way. */
  resume(): void {
    if (this.#isRunning || this.#head === this.#queue.length) return;
    this.#isRunning = true;
    queueMicrotask(this.#next);
  }

  /** Drops the calls that have not been started, and ends the wait of the others. */
  close(reason: Error): void {
    this.#isClosed = true;
    for (const call of this.#active) call.context.abort(reason);
    this.#active.clear();
    this.#queue = [];
    this.#head = 0;
    this.#waitingBytes = 0;
  }

  readonly #next = (): void => {
    this.#isRunning = false;
    const delivery = this.#queue[this.#head];
    if (this.#isClosed || delivery === undefined || this.#options.isHeldUp()) return;
    const { scope } = delivery;
    if (scope !== undefined && !scope.isComplete) {
      this.#isRunning = true;
      scope.whenComplete(() => queueMicrotask(this.#next));
      return;
    }
    this.#queue[this.#head++] = undefined as unknown as Delivery;
    this.#waitingBytes -= delivery.bytes;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#start(delivery);
    if (this.#head < this.#queue.length && !this.#isRunning) {
      this.#isRunning = true;
      if (++this.#started % CALLS_A_TURN === 0) inLaterTurn(this.#next);
      else queueMicrotask(this.#next);
    }
  };

  #start({ call, scope }: Delivery): void {
    this.#active.add(call);
    if (scope?.failure !== undefined) return this.#fail(call, scope.failure);
    let result: unknown;
    try {
      result = this.#options.start(call);
    } catch (error) {
      return this.#fail(call, error);
    }
    if (!isThenable(result)) return this.#finish(call, result);
    Promise.resolve(result).then((value) => this.#finish(call, value), (error) => this.#fail(call, error));
  }

  #finish(call: InboundCall, result: unknown): void {
    if (this.#active.delete(call)) this.#options.finish(call, result);
  }

  #fail(call: InboundCall, error: unknown): void {
    if (this.#active.delete(call)) this.#options.fail(call, error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value instanceof Promise) return true;
  if (typeof value !== "object" || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === "function";
  } catch {
    return false;
  }
}
