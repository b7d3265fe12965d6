/**
 * How long the program waits for a reference.
 *
 * @module
 */

import { checkWaitOptions } from "../broker/call.ts";
import type { Clock } from "../util/clock.ts";

/** Options of {@linkcode Tub.getReference}. */
export interface GetReferenceOptions {
  /** Stops waiting: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Stops waiting after this many milliseconds, with a `TimeoutError`. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Does something that somebody may stop waiting for.
 *
 * @param run Is given a signal that fires when nobody waits for it any more; none, if that cannot happen.
 * @returns What `run` does.
 * @throws {RangeError} If `timeoutMs` is not from 0 to 2,147,483,647.
 * @throws {TypeError} If `signal` is not an AbortSignal, `timeoutMs` no number, or there is no option of a name.
 * @throws The reason of `signal`, a `TimeoutError`, or what `run` does.
 */
export async function waitFor<T>(
  options: GetReferenceOptions,
  clock: Clock,
  run: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  checkWaitOptions(options, "Cannot get reference");
  const { signal, timeoutMs } = options;
  if (signal === undefined && timeoutMs === undefined) return await run(undefined);
  signal?.throwIfAborted();
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort);
  const timer = timeoutMs === undefined ? undefined : clock.setTimer(timeoutMs, () => {
    stop.abort(new DOMException(`Cannot get reference: none within ${timeoutMs} ms`, "TimeoutError"));
  });
  try {
    const stopped = Promise.withResolvers<never>();
    stop.signal.addEventListener("abort", () => stopped.reject(stop.signal.reason));
    return await Promise.race([stopped.promise, run(stop.signal)]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    timer?.[Symbol.dispose]();
  }
}
