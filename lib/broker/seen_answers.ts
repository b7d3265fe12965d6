/**
 * Tells the peer how many of its answers have been taken in: it keeps the results of the others, for calls that name them.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";

/** After so many answers the peer is told at once. */
const ANSWERS_A_MESSAGE = 32;
/** Else it is told after this time, in milliseconds. */
const DELAY_MS = 1_000;

/** What {@linkcode SeenAnswers} need of the broker. */
export interface SeenAnswersOptions {
  readonly clock: Clock;
  /** Tells the peer of `count` more answers. */
  send(count: number): void;
}

/** The answers that have been taken in on one connection. */
export class SeenAnswers {
  readonly #options: SeenAnswersOptions;
  #count = 0;
  #timer: Disposable | undefined;
  // The answers from the first one on that waits for a gift: the peer counts in the order in which it sent them.
  #behind: { isTaken: boolean }[] = [];

  /** None yet. */
  constructor(options: SeenAnswersOptions) {
    this.#options = options;
  }

  /** An answer has been taken in. */
  taken(): void {
    if (this.#behind.length > 0) this.#behind.push({ isTaken: true });
    else this.#add(1);
  }

  /** An answer has come of which something is still to be fetched. What this gives is called when all is there. */
  takenLater(): () => void {
    const answer = { isTaken: false };
    this.#behind.push(answer);
    return () => {
      answer.isTaken = true;
      const waiting = this.#behind.findIndex(({ isTaken }) => !isTaken);
      const count = waiting < 0 ? this.#behind.length : waiting;
      this.#behind.splice(0, count);
      if (count > 0) this.#add(count);
    };
  }

  /** The connection has ended. */
  close(): void {
    this.#count = -Infinity;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#behind = [];
  }

  #add(count: number): void {
    this.#count += count;
    if (this.#count >= ANSWERS_A_MESSAGE) this.#tell();
    else if (this.#count > 0) this.#timer ??= this.#options.clock.setTimer(DELAY_MS, this.#onTime);
  }

  // One that has been set goes on when the count is told: no call pays for setting and stopping it.
  readonly #onTime = (): void => {
    this.#timer = undefined;
    if (this.#count > 0) this.#tell();
  };

  #tell(): void {
    const count = this.#count;
    this.#count = 0;
    this.#options.send(count);
  }
}
