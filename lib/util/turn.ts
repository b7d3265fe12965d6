/**
 * Turns of the event loop. Foolscap: `eventual.py`.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/**
 * Runs something in a later turn of the event loop, after what is ready to be read has been looked at.
 *
 * What `run` throws is its own affair: it must not throw.
 */
export function inLaterTurn(run: () => void): void {
  setImmediate(run);
}
