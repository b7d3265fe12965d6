/**
 * Calls of ours that wait for their answer. Source: Foolscap `call.py`, `PendingRequest`.
 *
 * @module
 */

import { DeadReferenceError } from "../errors.ts";
import type { Constraint, Settled } from "../graph/schema/constraint.ts";
import { ofAnswer, rejectAwaited } from "../util/awaited_error.ts";
import { redact } from "../util/redact.ts";
import type { Clock } from "../util/clock.ts";
import type { OutboundRequest } from "./broker_listing.ts";
import type { CheckedOptions } from "./call.ts";
import type { PeerInfo } from "./call_context.ts";
import { type CallWait, startWait, waitOptions } from "./call_wait.ts";
import "./promise_calls.ts";
import type { CallsOfResults, PromiseLink, ResultPlace } from "./promise_link.ts";
import { RemotePromise } from "./remote_reference.ts";

/** One call that waits for its answer. */
export interface PendingRequest {
  readonly id: number;
  readonly method: string;
  /** The rule for the result. */
  response: Constraint | undefined;
  /** Whether the peer was sent it. */
  isSent: boolean;
  /** Whether anything but its answer can end it. */
  readonly isLimited: boolean;
  /** When nobody waits any more, in milliseconds since 1970; `undefined` for never. */
  readonly deadline: number | undefined;
  /** Called when the call is given up, by its signal, its time, or the call that it serves; not when it is answered. */
  onGivenUp: ((reason: unknown) => void) | undefined;
  /** Who names the result to the peer, since it was sent to one that takes that. */
  calls: CallsOfResults | undefined;
  /** The promises that it was sent with, and whose failure it fails with. */
  dependsOn: readonly RemotePromise<unknown>[] | undefined;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Rejects it with an error that was made where the answer was read, or found to be missing. */
  answerFailed(error: Error): void;
}

/** Request numbers stay below this: Python refuses one that does not fit into an INT token. */
const MAX_REQUEST_ID = 0x7fffffff;

/** The calls of one connection that wait for their answer. */
export class RequestTable {
  readonly #pending = new Map<number, PendingRequest>();
  #lastId: number;
  #hasWrapped = false;

  /** No calls. `lastId` is the number before the first one's. */
  constructor(lastId = 0) {
    this.#lastId = lastId;
  }

  /** How many calls wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** The call of a number. */
  get(id: number): PendingRequest | undefined {
    return this.#pending.get(id);
  }

  /** Whether a call of this number was ever made: its answer is taken in, though nobody waits for it. */
  wasIssued(id: number): boolean {
    return id > 0 && (this.#hasWrapped || id <= this.#lastId);
  }

  /**
   * Begins a call. `onEnd` runs once, when it is answered or given up: before this returns, if the options say that nobody
   * waits.
   */
  begin(
    method: string,
    options: CheckedOptions,
    clock: Clock,
    onEnd: (error?: unknown) => void,
  ): { promise: RemotePromise<unknown>; request: PendingRequest } {
    const request = new Request(this.#nextId(), method, clock, this.#pending, onEnd);
    this.#pending.set(request.id, request);
    const wait = waitOptions(options);
    if (wait !== undefined) {
      request.wait = startWait(wait, clock, method, (reason) => request.giveUp(reason));
    }
    return { promise: request.promise, request };
  }

  /** The same as they are shown to the program. */
  list(): OutboundRequest[] {
    return this.takeAll().map(({ id, method, isSent }) => ({ requestId: id, method, isSent }));
  }

  /** All calls that wait, oldest first. */
  takeAll(): PendingRequest[] {
    return [...this.#pending.values()];
  }

  #nextId(): number {
    do {
      if (this.#lastId === MAX_REQUEST_ID) {
        this.#lastId = 0;
        this.#hasWrapped = true;
      }
      this.#lastId++;
    } while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }
}

const NO_PATH: readonly [] = Object.freeze([]) as readonly [];

class Request implements PendingRequest, PromiseLink {
  readonly promise: RemotePromise<unknown>;
  wait: CallWait | undefined;
  onGivenUp: ((reason: unknown) => void) | undefined;
  response: Constraint | undefined;
  calls: CallsOfResults | undefined;
  dependsOn: readonly RemotePromise<unknown>[] | undefined;
  isHeld = false;
  isSent = false;
  #settled: Settled | undefined;
  readonly #table: Map<number, PendingRequest>;
  readonly #onEnd: (error?: unknown) => void;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(
    readonly id: number,
    readonly method: string,
    readonly clock: Clock,
    table: Map<number, PendingRequest>,
    onEnd: (error?: unknown) => void,
  ) {
    this.#table = table;
    this.#onEnd = onEnd;
    this.promise = new RemotePromise<unknown>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    RemotePromise.tie(this.promise, this);
  }

  get isLimited(): boolean {
    return this.wait !== undefined;
  }
  get deadline(): number | undefined {
    return this.wait?.deadline;
  }

  giveUp(reason: unknown): void {
    if (!this.#end()) return;
    this.dependsOn = undefined;
    this.#settled = { isRejected: true, value: reason };
    rejectAwaited(this.#resolve, this.#reject, reason);
    this.onGivenUp?.(reason);
  }
  resolve(value: unknown): void {
    if (!this.#end()) return;
    this.dependsOn = undefined;
    this.#settled = { isRejected: false, value };
    this.#resolve(value);
  }
  reject(error: unknown): void {
    // The callee may have noticed first that the time is over, and says so in its own words.
    if (this.wait?.endIfOver() === true || !this.#end()) return;
    this.dependsOn = undefined;
    this.#settled = { isRejected: true, value: error };
    rejectAwaited(this.#resolve, this.#reject, error);
  }
  answerFailed(error: Error): void {
    this.reject(ofAnswer(error));
  }

  settled(): Settled | undefined {
    return this.#settled;
  }
  place(): ResultPlace | undefined {
    const { calls } = this;
    return calls === undefined || this.#settled !== undefined
      ? undefined
      : { calls, requestId: this.id, path: NO_PATH };
  }

  #end(): boolean {
    if (this.#table.get(this.id) !== this) return false;
    this.#table.delete(this.id);
    this.wait?.stop();
    this.#onEnd();
    return true;
  }
}

/** What a call fails with when the connection has ended before its answer. */
export function connectionLost({ method }: PendingRequest, peer: PeerInfo, cause: Error): DeadReferenceError {
  const tubId = peer.tubId?.slice(0, 4) ?? "?";
  const during = method === "" ? "a function" : method;
  return new DeadReferenceError(
    `Connection was lost (to tubid=${tubId}) (during method=${during}): ${redact(cause.message)}`,
    { cause },
  );
}
