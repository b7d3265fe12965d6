/**
 * Calls of ours: from the program to the wire, and the table of those that wait for their answer.
 *
 * Source: Foolscap `referenceable.py`, `RemoteReference._callRemote`; `broker.py`, `newRequestID`.
 *
 * @module
 */

import { DeadReferenceError, toError, Violation } from "../errors.ts";
import type { Slicer, Slicing } from "../graph/slicing.ts";
import { kwargs } from "../values/kwargs.ts";
import type { Clock } from "../util/clock.ts";
import { noTrace, type Trace } from "../util/trace.ts";
import type { OutboundRequest } from "./broker_listing.ts";
import type { CheckedOptions, OutboundCall } from "./call.ts";
import type { PeerInfo } from "./call_context.ts";
import { type CallTarget, sliceCall, slicePlace } from "./call_slicing.ts";
import { sliceCancel, waitMsUntil, whyOf } from "./cancel_message.ts";
import { deadReference } from "./dead_reference.ts";
import type { Tracker } from "./import_table.ts";
import type { BrokerHost } from "./interface.ts";
import type { ObjectSpace } from "./object_space.ts";
import { type CheckedCall, checkOutboundCall } from "./outbound_rules.ts";
import type { Outbox } from "./outbox.ts";
import { callOnlyWhenThere, callWhenThere, excuse, passedOn } from "./promise_calls.ts";
import type { CallsOfResults, ResultPlace } from "./promise_link.ts";
import type { RemoteHandle } from "./remote_handle.ts";
import { rejected, RemotePromise } from "./remote_reference.ts";
import { type PendingRequest, RequestTable } from "./requests.ts";
import { type Waiting, WaitingLines } from "./waiting_lines.ts";

/** What {@linkcode OutgoingCalls} need of their broker. */
export interface OutgoingOptions {
  readonly peer: PeerInfo;
  readonly host: BrokerHost;
  readonly clock: Clock;
  /** Must not throw. */
  readonly trace: Trace;
  readonly objects: ObjectSpace;
  readonly outbox: Outbox;
  /** Whether the peer can be told that a call has been given up. */
  readonly sendsCancels: boolean;
  /** Whether the peer can be told how long a caller waits. */
  readonly sendsDeadlines: boolean;
  /** Whether the peer takes calls that name results of others. */
  readonly namesResults: boolean;
  /** Calls that may wait here for their arguments. */
  readonly maxWaiting: number;
  /** What ended the connection, once it has ended. */
  ended(): Error | undefined;
}

type Promises = readonly RemotePromise<unknown>[];

/** A call that waits, and how it is shown if nobody waits for its answer. */
interface WaitingCall extends Waiting {
  readonly unheard: OutboundRequest | undefined;
}

/** How a call that may have to wait goes out. */
interface Sending {
  /** Sends it, or gives the promises for which it has to wait. */
  send(isAgain: boolean): Promises | undefined;
  /** Is told what that throws. */
  failed(error: unknown): void;
  /** The call's own promise: given up, it need not wait. */
  readonly over?: RemotePromise<unknown>;
  /** What is called, if no answer is wanted. */
  readonly method?: string;
}

/** An argument is the promise of a value that is not there, and that the peer cannot be told. */
class NotThere extends Error {
  constructor(readonly promises: Promises) {
    super();
  }
}

/** An argument is a promise that was rejected. */
class Rejected extends Error {
  constructor(readonly reason: unknown) {
    super();
  }
}

/** The calls that this end makes on one connection. */
export class OutgoingCalls implements CallsOfResults {
  /** Those that wait for their answer. */
  readonly requests: RequestTable = new RequestTable();
  readonly #options: OutgoingOptions;
  readonly #isTraced: boolean;
  readonly #waiting = new WaitingLines<WaitingCall>();
  // The promises that were met in the call that is being written.
  #isWritingCall = false;
  #named: RemotePromise<unknown>[] | undefined;
  #missing: RemotePromise<unknown>[] | undefined;

  /** No calls yet. */
  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#isTraced = options.trace !== noTrace;
  }

  /** Calls an object of the peer. */
  call(
    tracker: Tracker<RemoteHandle>,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): RemotePromise<unknown> {
    let checked: CheckedCall;
    try {
      checked = checkOutboundCall(tracker.interfaceName, method, args, options);
    } catch (error) {
      return rejected(toError(error));
    }
    tracker.callsInFlight++;
    const { promise, request } = this.#begin(
      method,
      checked,
      options,
      () => this.#options.objects.callEnded(tracker),
    );
    if (this.requests.get(request.id) !== request) return promise;
    const line = options.line ?? tracker;
    let missing: Promises | undefined;
    if (!this.#options.outbox.isSlicing && !this.#waiting.has(line)) {
      missing = this.#sendRequest(request, tracker.clid, checked.args, false);
      if (missing === undefined) return promise;
    }
    const send = (isAgain: boolean) => {
      // What the promises among them have become is subject to the rules as well.
      const { args: values } = isAgain
        ? checkOutboundCall(tracker.interfaceName, method, args, options)
        : checked;
      return this.#sendRequest(request, tracker.clid, values, isAgain);
    };
    const failed = (error: unknown) => request.reject(error);
    this.#sendInOrder(line, missing, { send, failed, over: promise });
    return promise;
  }

  /** Calls an object of the peer, and wants no answer. */
  callOnly(
    tracker: Tracker<RemoteHandle>,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): void {
    const send = (isAgain: boolean) => {
      const checked = checkOutboundCall(tracker.interfaceName, method, args, options);
      return this.#trySend(0, tracker.clid, method, checked.args, isAgain);
    };
    const failed = (error: unknown) => this.#unheard(method, toError(error));
    this.#sendInOrder(options.line ?? tracker, undefined, { send, failed, method });
  }

  /** The promise of a call that was not made. */
  refused(error: Error): RemotePromise<unknown> {
    return rejected(error);
  }

  callResult(
    promise: RemotePromise<unknown>,
    place: ResultPlace,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): RemotePromise<unknown> {
    const ended = this.#options.ended();
    if (ended !== undefined) return rejected(deadReference(ended));
    let checked: CheckedCall;
    try {
      // Which interface the result provides is not known; only the options have rules.
      checked = checkOutboundCall("", method, args, options);
    } catch (error) {
      return rejected(toError(error));
    }
    const { promise: answer, request } = this.#begin(method, checked, options, () => {});
    this.#afterMessage(() => {
      const missing = this.#sendRequest(request, place, checked.args, false, promise);
      if (missing === undefined || this.requests.get(request.id) !== request) return;
      holdBack(promise);
      const later = callWhenThere(promise, method, args, passedOn(options, request));
      later.then((value) => request.resolve(value), (error) => request.reject(error));
    });
    return answer;
  }

  callResultOnly(
    promise: RemotePromise<unknown>,
    place: ResultPlace,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): void {
    if (this.#options.ended() !== undefined) return;
    this.#afterMessage(() => {
      try {
        const checked = checkOutboundCall("", method, args, options);
        if (this.#trySend(0, place, method, checked.args, false) === undefined) return;
        holdBack(promise);
        callOnlyWhenThere(promise, method, args, options);
      } catch (error) {
        this.#unheard(method, toError(error));
      }
    });
  }

  /** Calls object 0 of the peer: for this end itself, whichever call is being served meanwhile. */
  callPeer(
    method: string,
    named: Record<string, unknown>,
    options: CheckedOptions = {},
  ): RemotePromise<unknown> {
    const ended = this.#options.ended();
    if (ended !== undefined) return rejected(new DeadReferenceError("Connection is lost", { cause: ended }));
    const checked = { args: [kwargs(named)], response: undefined };
    const { promise, request } = this.#begin(method, checked, { ...options, detached: true }, () => {});
    this.#afterMessage(() => this.#sendRequest(request, 0, checked.args, false));
    return promise;
  }

  /** Sends a call for which nobody waits: not even to hear that it was not sent. */
  sendUnheard(clid: number, method: string, args: readonly unknown[]): void {
    if (this.#options.ended() !== undefined) return;
    try {
      this.#trySend(0, clid, method, args, false);
    } catch (error) {
      this.#unheard(method, toError(error));
    }
  }

  /** The calls that are under way: first those that want an answer. */
  list(): OutboundRequest[] {
    const calls = this.requests.list();
    for (const { unheard } of this.#waiting) if (unheard !== undefined) calls.push(unheard);
    return calls;
  }

  /** Forgets the calls that wait here: the connection is gone. */
  close(): void {
    this.#waiting.clear();
  }

  #begin(method: string, { response }: CheckedCall, options: CheckedOptions, onEnd: () => void) {
    const begun = this.requests.begin(method, options, this.#options.clock, onEnd);
    begun.request.response = response;
    return begun;
  }

  /** Code of the program's that is asked for its values, while a message is written, may make calls itself. */
  #afterMessage(send: () => void): void {
    const { outbox } = this.#options;
    if (outbox.isSlicing) outbox.afterMessage(send);
    else send();
  }

  /**
   * Sends a call, behind those of the same line that wait: of the same object, or of the promise that has become it.
   *
   * @param missing What it was found to have to wait for; `undefined` if it was not tried.
   */
  #sendInOrder(line: object, missing: Promises | undefined, sending: Sending): void {
    this.#afterMessage(() => {
      try {
        if (this.#waiting.has(line)) this.#wait(line, [], sending);
        else {
          const promises = missing ?? sending.send(false);
          if (promises !== undefined) this.#wait(line, promises, sending);
        }
      } catch (error) {
        sending.failed(error);
      }
    });
  }

  #wait(line: object, missing: Promises, { send, failed, over, method }: Sending): void {
    const { maxWaiting } = this.#options;
    if (this.#waiting.size >= maxWaiting) {
      throw new Violation(`Cannot wait for an argument: ${maxWaiting} calls wait for theirs already`);
    }
    let isAgain = missing.length > 0;
    let isPaused = false;
    let isOver = false;
    const goOn = () => {
      if (!isPaused) return;
      isPaused = false;
      this.#waiting.advance(line);
    };
    const pause = (promises: Promises) => {
      isPaused = true;
      Promise.all(promises).then(goOn, goOn);
    };
    const attempt = () => {
      try {
        const still = send(isAgain);
        isAgain = true;
        if (still === undefined) isOver = true;
        else pause(still);
      } catch (error) {
        isOver = true;
        failed(error);
      }
    };
    // Only the first of a line is asked: then it goes out, or finds what it has to wait for.
    const call: WaitingCall = {
      unheard: method === undefined ? undefined : { requestId: 0, method, isSent: false },
      get isReady() {
        if (!isOver && !isPaused) attempt();
        return isOver;
      },
      go() {},
    };
    this.#waiting.add(line, call);
    if (missing.length > 0) pause(missing);
    // What was given up need not have its turn.
    const drop = () => {
      if (isOver) return;
      isOver = true;
      this.#waiting.leave(line, call);
    };
    over?.then(drop, drop);
  }

  /** Sends a request, or gives the promises for which it has to wait. */
  #sendRequest(
    request: PendingRequest,
    target: CallTarget,
    args: readonly unknown[],
    isAgain: boolean,
    result?: RemotePromise<unknown>,
  ): Promises | undefined {
    // It may have been given up while it had to wait.
    if (this.requests.get(request.id) !== request) return undefined;
    let givenUp: { readonly reason: unknown } | undefined;
    if (this.#options.sendsCancels && request.isLimited) request.onGivenUp = (reason) => givenUp = { reason };
    let missing: Promises | undefined;
    try {
      const wait = request.isLimited ? request : undefined;
      missing = this.#trySend(request.id, target, request.method, args, isAgain, wait);
    } catch (error) {
      request.onGivenUp = undefined;
      request.reject(error instanceof Rejected ? error.reason : error);
      return undefined;
    }
    if (missing !== undefined) {
      request.onGivenUp = undefined;
      return missing;
    }
    request.isSent = true;
    // Code of the program's that ran meanwhile may have given it up; the message went out all the same.
    if (givenUp !== undefined) this.#cancel(request.id, givenUp.reason);
    else if (request.onGivenUp !== undefined) {
      request.onGivenUp = (reason) => this.#cancel(request.id, reason);
    }
    if (this.#options.namesResults) request.calls = this;
    const named = this.#named;
    if (result !== undefined) request.dependsOn = named === undefined ? [result] : [result, ...named];
    else if (named !== undefined) request.dependsOn = named;
    return undefined;
  }

  /** Tells the peer that a call that was sent has been given up. */
  #cancel(requestId: number, reason: unknown): void {
    this.#afterMessage(() => {
      if (this.#options.ended() !== undefined) return;
      this.#options.outbox.message({
        isReply: false,
        write: (out) => sliceCancel(out, requestId, whyOf(reason)),
        undo() {},
      });
    });
  }

  /**
   * Sends a call.
   *
   * @param wait Until when its caller waits, if it may be given up.
   * @returns Nothing, or the promises among its arguments that have to be there before it can be sent.
   * @throws {Rejected} If one of them was rejected.
   */
  #trySend(
    requestId: number,
    target: CallTarget,
    method: string,
    args: readonly unknown[],
    isAgain: boolean,
    wait?: { readonly deadline: number | undefined } | undefined,
  ): Promises | undefined {
    const { host, trace, peer, objects, outbox, clock, sendsDeadlines } = this.#options;
    if (!isAgain) {
      if (host.interceptOutbound !== undefined) {
        const clid = typeof target === "number" ? target : undefined;
        intercept(host, { clid, method, args, wantsAnswer: requestId !== 0 });
      }
      if (this.#isTraced) trace({ type: "call-sent", tubId: peer.tubId ?? "", requestId, method });
    }
    // Not by way of the broker: a Violation's stack has ten lines, and is to reach the line of the program.
    const ended = this.#options.ended();
    if (ended !== undefined) throw deadReference(ended);
    const waitMs = wait !== undefined && sendsDeadlines ? waitMsUntil(wait.deadline, clock.now()) : undefined;
    objects.begin();
    this.#isWritingCall = true;
    this.#named = this.#missing = undefined;
    let named: RemotePromise<unknown>[] | undefined;
    try {
      outbox.message({
        isReply: false,
        write: (out) => {
          sliceCall(out, { requestId, target, method, args, waitMs });
          if (this.#missing !== undefined) throw new NotThere(this.#missing);
          named = this.#named;
        },
        undo: () => objects.undo(),
      });
    } catch (error) {
      const cause = error instanceof Violation ? error.cause : undefined;
      if (cause instanceof NotThere) return cause.promises;
      throw cause instanceof Rejected ? cause : error;
    } finally {
      this.#isWritingCall = false;
    }
    // Calls that had to wait for this message have gone out in the meantime.
    this.#named = named;
    return undefined;
  }

  /** Writes a promise: what it has become, or where the peer finds that. */
  slicePromise(promise: RemotePromise<unknown>, out: Slicing): void {
    const link = RemotePromise.linkOf(promise);
    const settled = link?.settled();
    if (settled !== undefined) {
      if (!settled.isRejected) return out.slice(settled.value);
      excuse(promise);
      throw new Rejected(settled.value);
    }
    // It was handed over, and nobody else may be left to catch it.
    excuse(promise);
    if (!this.#isWritingCall) throw new Violation("Cannot serialize a Promise: await it first");
    const place = link?.place();
    if (place?.calls === this) {
      slicePlace(place, out);
      (this.#named ??= []).push(promise);
    } else {
      // Something has to stand there, so that all that is missing is found at once.
      (this.#missing ??= []).push(promise);
      out.encoder.integer(0);
    }
  }

  #unheard(method: string, error: Error): void {
    const { trace, peer } = this.#options;
    const told = error instanceof Rejected ? toError(error.reason) : error;
    trace({ type: "call-failed", tubId: peer.tubId ?? "", requestId: 0, method, error: told });
  }
}

/** Writes promises of results, which only calls can have for arguments. */
export function promiseSlicer(calls: () => OutgoingCalls): [object, Slicer] {
  return [
    RemotePromise.prototype,
    (promise, out) => calls().slicePromise(promise as RemotePromise<unknown>, out),
  ];
}

/** Lets later calls of a result wait for those that wait. */
function holdBack(promise: RemotePromise<unknown>): void {
  const link = RemotePromise.linkOf(promise);
  if (link !== undefined) link.isHeld = true;
}

function intercept(host: BrokerHost, call: OutboundCall): void {
  const result: unknown = host.interceptOutbound?.(call);
  if (!(result instanceof Promise)) return;
  result.catch(() => {});
  throw new TypeError("Cannot send a call: interceptOutbound returned a promise, and must decide at once");
}
