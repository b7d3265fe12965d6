/**
 * What happens inside a Tub, reported to one function. Nothing in the library prints.
 *
 * @module
 */

import { runCallback } from "./run_callback.ts";

/**
 * The documented list of what a Tub reports to `Tub.create({ trace })`.
 *
 * No event carries a swissnum, a key, or a value that a call carried.
 */
export type TraceEvent =
  /** A listener is open. */
  | { readonly type: "listening"; readonly hint: string }
  /** A connection was accepted or dialled, and is about to be negotiated. */
  | { readonly type: "negotiating"; readonly direction: "inbound" | "outbound"; readonly peer: string }
  /** A negotiation failed; the attempt is over. */
  | {
    readonly type: "negotiation-failed";
    readonly direction: "inbound" | "outbound";
    readonly peer: string;
    readonly error: Error;
  }
  /** Two Tubs are connected; `tubId` is empty for a peer without one. */
  | {
    readonly type: "connected";
    readonly tubId: string;
    readonly direction: "inbound" | "outbound" | "loopback";
    readonly peer: string;
  }
  /** A connection ended; `error` says why. */
  | { readonly type: "disconnected"; readonly tubId: string; readonly error: Error }
  /** The peer broke the protocol, or said that we did; `disconnected` follows. */
  | { readonly type: "protocol-error"; readonly tubId: string; readonly error: Error }
  /** A call is being sent. `requestId` 0: no answer wanted. */
  | {
    readonly type: "call-sent";
    readonly tubId: string;
    readonly requestId: number;
    readonly method: string;
  }
  /** A call of the peer is about to be delivered. */
  | {
    readonly type: "call-received";
    readonly tubId: string;
    readonly requestId: number;
    readonly method: string;
  }
  /** A call of the peer failed here; `error` is what the method threw, before anything was hidden from the peer. */
  | {
    readonly type: "call-failed";
    readonly tubId: string;
    readonly requestId: number;
    readonly method: string;
    readonly error: Error;
  }
  /** The peer has given up a call of its own that has not been answered: it is not started, or its result is dropped. */
  | {
    readonly type: "call-cancelled";
    readonly tubId: string;
    readonly requestId: number;
    readonly method: string;
  }
  /** A call of ours failed over there; `error` is what the peer told, before a class of the program's was looked for. */
  | {
    readonly type: "call-rejected";
    readonly tubId: string;
    readonly requestId: number;
    readonly method: string;
    readonly error: Error;
  }
  /** Something that the peer sent was dropped without harm, such as an unknown kind of message. */
  | { readonly type: "dropped"; readonly tubId: string; readonly reason: string }
  /** A Reconnector has failed, or lost its connection, and tries again in `delayMs`; `error` says why it failed. */
  | {
    readonly type: "reconnect-waiting";
    readonly tubId: string;
    readonly delayMs: number;
    readonly error: Error | undefined;
  }
  /** A callback of the program threw; nothing else is affected. */
  | { readonly type: "callback-failed"; readonly where: string; readonly error: Error };

/** Receives what happens inside a Tub. What it throws, or rejects with, is ignored. */
export type Trace = (event: TraceEvent) => void;

/** The trace of a Tub that was given none: for what happens often, no event is even made. */
export const noTrace: Trace = () => {};

/** A trace that throws nothing, whatever the program's own does. */
export function safeTrace(trace: Trace | undefined): Trace {
  if (trace === undefined) return noTrace;
  return (event) => {
    // The hook of last resort: when it fails, there is nobody left to tell.
    runCallback(() => trace(event), () => {});
  };
}
