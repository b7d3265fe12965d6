/**
 * Calls of ours: from the program to the wire, and the table of those that wait for their answer.
 *
 * Source: Foolscap `referenceable.py`, `RemoteReference._callRemote`; `broker.py`, `newRequestID`.
 *
 * @module
 */

import { DeadReferenceError, toError } from "../errors.ts";
import { kwargs } from "../graph/values/kwargs.ts";
import type { Clock } from "../util/clock.ts";
import { noTrace, type Trace } from "../util/trace.ts";
import type { CheckedOptions, OutboundCall } from "./call.ts";
import type { PeerInfo } from "./call_context.ts";
import { sliceCall } from "./call_slicing.ts";
import { sliceCancel, waitMsUntil, whyOf } from "./cancel_message.ts";
import type { Tracker } from "./import_table.ts";
import type { BrokerHost } from "./interface.ts";
import type { ObjectSpace } from "./object_space.ts";
import { type CheckedCall, checkOutboundCall } from "./outbound_rules.ts";
import type { Outbox } from "./outbox.ts";
import type { RemoteHandle } from "./remote_reference.ts";
import { rejected, type RemotePromise } from "./remote_promise.ts";
import { type PendingRequest, RequestTable } from "./requests.ts";

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
  /** What ended the connection, once it has ended. */
  ended(): Error | undefined;
}

/** The calls that this end makes on one connection. */
export class OutgoingCalls {
  /** Those that wait for their answer. */
  readonly requests: RequestTable = new RequestTable();
  readonly #options: OutgoingOptions;
  readonly #isTraced: boolean;

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
    return this.#call(
      tracker.clid,
      method,
      checked,
      options,
      () => this.#options.objects.callEnded(tracker),
    );
  }

  /** Calls an object of the peer, and wants no answer. */
  callOnly(
    tracker: Tracker<RemoteHandle>,
    method: string,
    args: readonly unknown[],
    options: CheckedOptions,
  ): void {
    let checked: CheckedCall;
    try {
      checked = checkOutboundCall(tracker.interfaceName, method, args, options);
    } catch (error) {
      return this.#unheard(method, toError(error));
    }
    const { outbox } = this.#options;
    const send = () => this.sendUnheard(tracker.clid, method, checked.args);
    if (outbox.isSlicing) outbox.afterMessage(send);
    else send();
  }

  /** Calls object 0 of the peer: for this end itself, whichever call is being served meanwhile. */
  callPeer(
    method: string,
    named: Record<string, unknown>,
    options: CheckedOptions = {},
  ): RemotePromise<unknown> {
    const ended = this.#options.ended();
    if (ended !== undefined) return rejected(new DeadReferenceError("Connection is lost", { cause: ended }));
    return this.#call(0, method, { args: [kwargs(named)], response: undefined }, {
      ...options,
      detached: true,
    }, () => {});
  }

  /** Sends a call for which nobody waits: not even to hear that it was not sent. */
  sendUnheard(clid: number, method: string, args: readonly unknown[]): void {
    if (this.#options.ended() !== undefined) return;
    try {
      this.#send(0, clid, method, args);
    } catch (error) {
      this.#unheard(method, toError(error));
    }
  }

  #call(
    clid: number,
    method: string,
    { args, response }: CheckedCall,
    options: CheckedOptions,
    onEnd: () => void,
  ): RemotePromise<unknown> {
    const { clock, outbox } = this.#options;
    const { promise, request } = this.requests.begin(method, options, clock, onEnd);
    request.response = response;
    // Code of the program's that is asked for its values, while a message is written, may make calls itself.
    if (outbox.isSlicing) outbox.afterMessage(() => this.#sendRequest(request, clid, args));
    else this.#sendRequest(request, clid, args);
    return promise;
  }

  #sendRequest(request: PendingRequest, clid: number, args: readonly unknown[]): void {
    // It may have been given up while it had to wait.
    if (this.requests.get(request.id) !== request) return;
    const { sendsCancels } = this.#options;
    let givenUp: { readonly reason: unknown } | undefined;
    if (sendsCancels && request.isLimited) request.onGivenUp = (reason) => givenUp = { reason };
    try {
      this.#send(request.id, clid, request.method, args, request.isLimited ? request : undefined);
    } catch (error) {
      request.onGivenUp = undefined;
      return request.reject(error);
    }
    // Code of the program's that ran meanwhile may have given it up; the message went out all the same.
    if (givenUp !== undefined) this.#cancel(request.id, givenUp.reason);
    else if (request.onGivenUp !== undefined) {
      request.onGivenUp = (reason) => this.#cancel(request.id, reason);
    }
  }

  /** Tells the peer that a call that was sent has been given up. */
  #cancel(requestId: number, reason: unknown): void {
    const { outbox } = this.#options;
    const send = () => {
      if (this.#options.ended() !== undefined) return;
      outbox.message({
        isReply: false,
        write: (out) => sliceCancel(out, requestId, whyOf(reason)),
        undo() {},
      });
    };
    if (outbox.isSlicing) outbox.afterMessage(send);
    else send();
  }

  #send(
    requestId: number,
    clid: number,
    method: string,
    args: readonly unknown[],
    wait?: { readonly deadline: number | undefined } | undefined,
  ): void {
    const { host, trace, peer, objects, outbox, clock, sendsDeadlines } = this.#options;
    if (host.interceptOutbound !== undefined) {
      intercept(host, { clid, method, args, wantsAnswer: requestId !== 0 });
    }
    if (this.#isTraced) trace({ type: "call-sent", tubId: peer.tubId ?? "", requestId, method });
    // Not by way of the broker: a Violation's stack has ten lines, and is to reach the line of the program.
    const ended = this.#options.ended();
    if (ended !== undefined) throw new DeadReferenceError("Connection is lost", { cause: ended });
    const waitMs = wait !== undefined && sendsDeadlines ? waitMsUntil(wait.deadline, clock.now()) : undefined;
    objects.begin();
    outbox.message({
      isReply: false,
      write: (out) => sliceCall(out, { requestId, clid, method, args, waitMs }),
      undo: () => objects.undo(),
    });
  }

  #unheard(method: string, error: Error): void {
    const { trace, peer } = this.#options;
    trace({ type: "call-failed", tubId: peer.tubId ?? "", requestId: 0, method, error });
  }
}

function intercept(host: BrokerHost, call: OutboundCall): void {
  const result: unknown = host.interceptOutbound?.(call);
  if (!(result instanceof Promise)) return;
  result.catch(() => {});
  throw new TypeError("Cannot send a call: interceptOutbound returned a promise, and must decide at once");
}
