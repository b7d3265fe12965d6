/**
 * How long a call of ours waits for its answer: until its own signal fires or its time is over, and no longer than the
 * call that it serves.
 *
 * @module
 */

import { ofAnswer } from "../util/awaited_error.ts";
import type { Clock } from "../util/clock.ts";
import type { CheckedOptions } from "./call.ts";
import { type CallContext, parentCall } from "./call_context.ts";

/** What ends a wait. */
export interface WaitOptions {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  /** The call that is served by this one. */
  readonly parent: CallContext | undefined;
  /** When the signal fires, where that is known. */
  readonly deadline: number | undefined;
}

/** A wait that goes on. */
export interface CallWait {
  /** When it is over, in milliseconds since 1970; `undefined` for never. */
  readonly deadline: number | undefined;
  /**
   * Ends it if its time is over, though its timer has not had its turn: a peer whose clock is ahead may say so first.
   *
   * @returns Whether it was ended.
   */
  endIfOver(): boolean;
  /** Takes back all that could end it. */
  stop(): void;
}

/** What ends the wait of a call that is made now; `undefined` if nothing does but its answer. */
export function waitOptions(
  { signal, timeoutMs, detached, deadline }: CheckedOptions,
): WaitOptions | undefined {
  const parent = detached === true ? undefined : parentCall();
  if (signal === undefined && timeoutMs === undefined && parent === undefined) return undefined;
  return { signal, timeoutMs, parent, deadline };
}

/**
 * Waits.
 *
 * @param method The name of what is called, for the error.
 * @param giveUp Called once, with the reason, when it is over; before this returns, if it has been over all the time.
 */
export function startWait(
  { signal, timeoutMs, parent, deadline }: WaitOptions,
  clock: Clock,
  method: string,
  giveUp: (reason: unknown) => void,
): CallWait {
  const parentMs = parent?.remainingMs;
  const isParentsTime = parentMs !== undefined && !(timeoutMs !== undefined && timeoutMs <= parentMs);
  const waitMs = isParentsTime ? parentMs : timeoutMs;
  const timeOut = () => {
    const what = method || "the call";
    const text = isParentsTime
      ? `No answer to ${what} in the time that was left for the call that it served`
      : `No answer to ${what} within ${timeoutMs} ms`;
    giveUp(ofAnswer(new DOMException(text, "TimeoutError")));
  };
  const over = { deadline: undefined, endIfOver: () => false, stop() {} };
  if (signal?.aborted === true) return giveUp(signal.reason), over;
  if (parent?.abortReason !== undefined) return giveUp(asReason(parent.abortReason, method)), over;
  if (parentMs === 0) return timeOut(), over;

  const onAbort = () => giveUp(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const leaveParent = parent?.whenAborted((reason) => giveUp(asReason(reason, method)));
  const timer = waitMs === undefined ? undefined : clock.setTimer(waitMs, timeOut);
  const end = waitMs === undefined ? undefined : clock.now() + waitMs;
  return {
    deadline: end ?? deadline,
    endIfOver() {
      if (end === undefined || clock.now() < end) return false;
      timeOut();
      return true;
    },
    stop() {
      signal?.removeEventListener("abort", onAbort);
      leaveParent?.();
      timer?.[Symbol.dispose]();
    },
  };
}

/** What ended the connection of the caller is not what is wrong with that of the callee. */
function asReason(reason: unknown, method: string): unknown {
  if (!(reason instanceof Error) || reason instanceof DOMException) return reason;
  const error = new DOMException(
    `Nobody waits for ${method || "the call"} any more: the connection of the call that it served is gone`,
    "AbortError",
  );
  return Object.defineProperty(error, "cause", { value: reason });
}
