/**
 * Turns of the event loop. Foolscap: `eventual.py`.
 *
 * @module
 */

import process from "node:process";
import { setImmediate } from "node:timers";

/**
 * Runs something in a later turn of the event loop, after what is ready to be read has been looked at.
 *
 * What `run` throws is its own affair: it must not throw.
 */
export function inLaterTurn(run: () => void): void {
  setImmediate(run);
}

/**
 * Runs something at the end of this turn of the event loop: when the microtasks that are ready now, and those that they
 * make, are done. Costs a sequential call a tenth less than a turn of its own.
 *
 * What `run` throws is its own affair: it must not throw.
 */
export function atEndOfTurn(run: () => void): void {
  process.nextTick(run);
}
