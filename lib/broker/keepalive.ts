/**
 * Watches one connection for silence: asks the peer for a sign of life, and ends the connection when there is none.
 *
 * Source: Foolscap `banana.py`, `keepaliveTimerFired`, `disconnectTimerFired`. Unlike there, what the peer cannot help
 * is not counted as its silence: that this end reads no more, or that this process did not run.
 *
 * @module
 */

import { DeadReferenceError } from "../errors.ts";
import type { Clock } from "../util/clock.ts";
import { lostBy } from "../util/lost.ts";

/** After how much silence something is done, in milliseconds; never for what is left out. */
export interface KeepaliveTimes {
  /** The peer is asked for a sign of life, by a PING. */
  readonly keepaliveMs?: number | undefined;
  /** The connection ends. */
  readonly disconnectMs?: number | undefined;
}

/** What a {@linkcode Keepalive} needs of the broker. */
export interface KeepaliveOptions extends KeepaliveTimes {
  readonly clock: Clock;
  /** When the peer last gave a sign of life, in milliseconds since 1970: something came, or it took what was sent. */
  lastSignAt(): number;
  /** Whether this end has stopped reading: what the peer may have sent has not been seen. */
  isReadingPaused(): boolean;
  /** Sends a PING. */
  ping(): void;
  /** The connection has to end. */
  onSilence(reason: Error): void;
}

/**
 * What has arrived may not have been read yet when the time is over, because this process was busy: it gets this long to
 * be looked at. Foolscap's timers wait as much longer than they say (`EPSILON`).
 */
const LAST_LOOK_MS = 100;
/** A timer that runs so much too late tells that the process, or the machine, was asleep; or that the clock was set. */
const ASLEEP_MS = 1_000;

/** The one timer of a connection that waits for the peer's silence. It is not touched when data comes. */
export class Keepalive implements Disposable {
  readonly #options: KeepaliveOptions;
  #timer: Disposable | undefined;
  #due = 0;
  #pingedAt = -Infinity;
  /** Silence up to then was not the peer's fault. */
  #excusedAt = -Infinity;
  #isLastLook = false;
  #isDisposed = false;

  /** Does nothing until {@linkcode Keepalive.start}. */
  constructor(options: KeepaliveOptions) {
    this.#options = options;
  }

  /** Begins to watch. */
  start(): void {
    const { clock, keepaliveMs, disconnectMs } = this.#options;
    if (keepaliveMs === undefined && disconnectMs === undefined) return;
    this.#excusedAt = clock.now();
    this.#wait(clock.now());
  }

  /** Watches no more. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #wait(now: number): void {
    if (this.#isDisposed) return;
    const { clock, keepaliveMs = Infinity, disconnectMs = Infinity } = this.#options;
    const heardAt = this.#heardAt();
    const due = Math.min(Math.max(heardAt, this.#pingedAt) + keepaliveMs, heardAt + disconnectMs);
    // Never longer than a whole timeout, also where the clock has been set back.
    const delay = this.#isLastLook ? LAST_LOOK_MS : Math.min(due - now, keepaliveMs, disconnectMs);
    this.#due = now + delay;
    this.#timer = clock.setTimer(Math.max(0, delay), () => this.#look());
  }

  #heardAt(): number {
    return Math.max(this.#options.lastSignAt(), this.#excusedAt);
  }

  #look(): void {
    const { clock, keepaliveMs, disconnectMs, isReadingPaused } = this.#options;
    if (this.#isDisposed) return;
    const now = clock.now();
    if (isReadingPaused() || now - this.#due > ASLEEP_MS) this.#excusedAt = now;
    // The clock may have been set back since.
    const silence = Math.max(0, now - this.#heardAt());
    if (disconnectMs !== undefined && silence >= disconnectMs) {
      if (this.#isLastLook) return this.#giveUp(silence);
      this.#isLastLook = true;
    } else {
      this.#isLastLook = false;
    }
    if (keepaliveMs !== undefined && Math.min(silence, now - this.#pingedAt) >= keepaliveMs) {
      this.#pingedAt = now;
      this.#options.ping();
    }
    this.#wait(now);
  }

  #giveUp(silence: number): void {
    const reason = new DeadReferenceError(`connection dropped: no data for ${silence} ms`);
    this.#options.onSilence(lostBy("silence", reason));
  }
}
