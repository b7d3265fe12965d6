/**
 * Running code of the program's that nobody waits for.
 *
 * @module
 */

import { toError } from "../errors.ts";

/**
 * Runs a callback of the program. It may be asynchronous: a promise of its that nobody listens to would end the process when it
 * rejects.
 *
 * @param failed Is told what the callback throws or rejects with. Must not throw.
 */
export function runCallback(callback: () => unknown, failed: (error: Error) => void): void {
  const tell = (error: unknown) => failed(toError(error));
  try {
    const result = callback();
    if (result instanceof Promise) result.catch(tell);
  } catch (error) {
    tell(error);
  }
}
