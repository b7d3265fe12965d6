/**
 * When what has ended is started again.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";
import type { IncarnationEnd } from "./incarnation.ts";
import type { SandboxOptions, SandboxRestarts } from "./options.ts";

/** The longest wait, in milliseconds. */
const MAX_BACKOFF_MS = 10_000;
const ON_FAILURE: SandboxRestarts = { max: 5, perMs: 60_000 };

/** Counts restarts, and says how long the next one has to wait. */
export class Restarts {
  readonly #rules: SandboxRestarts | undefined;
  readonly #isForFailures: boolean;
  readonly #clock: Clock;
  #times: number[] = [];

  /** What the option says. */
  constructor(restart: SandboxOptions["restart"], clock: Clock) {
    this.#rules = restart === "on-failure" ? ON_FAILURE : typeof restart === "object" ? restart : undefined;
    this.#isForFailures = restart === "on-failure";
    this.#clock = clock;
  }

  /**
   * Counts a restart, if there is to be one.
   *
   * @returns After how many milliseconds; `undefined` if it stays ended.
   */
  next({ reason }: IncarnationEnd): number | undefined {
    if (this.#rules === undefined || reason === "stopped") return undefined;
    if (this.#isForFailures && reason === "exited") return undefined;
    const { max, perMs, backoffMs = 100 } = this.#rules;
    const now = this.#clock.now();
    this.#times = this.#times.filter((time) => now - time < perMs);
    if (this.#times.length >= max) return undefined;
    const delay = Math.min(MAX_BACKOFF_MS, backoffMs * 2 ** this.#times.length);
    this.#times.push(now);
    return delay;
  }
}
