/**
 * Waiting for somebody else's code, but not for ever.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/**
 * Waits for a promise to be fulfilled or rejected, or for a time to pass.
 *
 * @param timeoutMs Milliseconds.
 * @returns Whether the promise was first. Rejects as it does.
 */
export async function inTime(task: PromiseLike<unknown>, timeoutMs: number, clock: Clock): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  using _timer = clock.setTimer(timeoutMs, () => late.resolve(false));
  return await Promise.race([task.then(() => true), late.promise]);
}
