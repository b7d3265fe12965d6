/**
 * The results of the peer's calls, for calls of the peer that name them: those that are still to come, and those that were
 * answered and that the peer has not seen yet.
 *
 * @module
 */

import { DeadReferenceError, Violation } from "../errors.ts";

/** What a call fails with whose caller has given up the one that it depends on. */
export const RESULT_GIVEN_UP = "The call whose result is named was given up";

/** What came of one call, or will. */
export class Outcome {
  #state: "pending" | "ready" | "failed" = "pending";
  #value: unknown;
  #bytes = 0;
  #waiting: Set<() => void> | undefined;
  /** How many calls name it that have not been begun. */
  users = 0;

  /** Whether the call has not been answered. */
  get isPending(): boolean {
    return this.#state === "pending";
  }

  /** What the call failed with, as its caller was told. */
  get failure(): Error | undefined {
    return this.#state === "failed" ? this.#value as Error : undefined;
  }

  /** The result. */
  get value(): unknown {
    return this.#value;
  }

  /** The length of the answer, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Calls back when the call has been answered, in the order in which it was asked. For one that was not.
   *
   * @returns What takes the callback back.
   */
  whenSettled(callback: () => void): () => void {
    const waiting = this.#waiting ??= new Set();
    waiting.add(callback);
    return () => void waiting.delete(callback);
  }

  /** The result is not kept any longer, though calls name it. */
  expire(): void {
    this.#state = "failed";
    this.#value = new Violation(
      "Cannot use the result that is named: it is not kept any more; wait for it and send it instead",
    );
  }

  /** The call has been answered. */
  settle(isFailed: boolean, value: unknown, bytes: number): void {
    if (this.#state !== "pending") return;
    this.#state = isFailed ? "failed" : "ready";
    this.#value = value;
    this.#bytes = bytes;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) { for (const callback of waiting) callback(); }
  }
}

/** What {@linkcode KeptAnswers} need. */
export interface KeptAnswersOptions {
  /** Answers that are kept; the oldest make way. */
  readonly maxAnswers: number;
  /**
   * Their length together, in bytes, and that of those that are kept only because calls wait with them. One that is longer
   * by itself is kept as long as it is the last.
   */
  readonly maxBytes: number;
  /** Whether a call of this number has come and not been answered. */
  isUnanswered(requestId: number): boolean;
}

interface Kept {
  readonly key: number | string;
  readonly outcome: Outcome;
}

/** The results of one connection. */
export class KeptAnswers {
  readonly #options: KeptAnswersOptions;
  // The peer chooses the numbers, and numbers can be chosen to collide in a Map: so it does not know these.
  readonly #salt = Math.floor(Math.random() * 0x40000000);
  readonly #awaited = new Map<number | string, Outcome>();
  readonly #kept = new Map<number | string, Outcome>();
  // In the order in which they were answered; those before the head have gone.
  #order: Kept[] = [];
  #head = 0;
  #bytes = 0;
  // Those that are not kept any more, and that calls name which have not been begun: the oldest first.
  readonly #lent = new Set<Outcome>();
  #lentBytes = 0;
  #isClosed = false;
  /** How many more of the oldest answers went than the peer has said it has seen. */
  #ahead = 0;

  /** None yet. */
  constructor(options: KeptAnswersOptions) {
    this.#options = options;
  }

  /** Answers that are kept. */
  get size(): number {
    return this.#order.length - this.#head;
  }

  /**
   * What comes of a call of the peer.
   *
   * @throws {Violation} If there is no such call, or its result is not kept any more.
   */
  find(requestId: number): Outcome {
    const key = this.#keyOf(requestId);
    if (this.#options.isUnanswered(requestId)) {
      let outcome = this.#awaited.get(key);
      if (outcome === undefined) this.#awaited.set(key, outcome = new Outcome());
      return outcome;
    }
    const outcome = this.#kept.get(key);
    if (outcome !== undefined) return outcome;
    throw new Violation(
      `Cannot use the result of call ${requestId}: it is not kept; wait for it and send it instead`,
    );
  }

  /** A call has been answered: keeps what it was answered with. */
  answered(requestId: number, isFailed: boolean, value: unknown, bytes: number): void {
    // To send the answer may have ended the connection.
    if (this.#isClosed) return;
    const key = this.#keyOf(requestId);
    let outcome: Outcome | undefined;
    if (this.#awaited.size > 0) {
      outcome = this.#awaited.get(key);
      if (outcome !== undefined) this.#awaited.delete(key);
    }
    outcome ??= new Outcome();
    this.#kept.set(key, outcome);
    this.#order.push({ key, outcome });
    this.#bytes += bytes;
    outcome.settle(isFailed, value, bytes);
    const { maxAnswers, maxBytes } = this.#options;
    while (this.size > 1 && (this.size > maxAnswers || this.#bytes > maxBytes)) {
      this.#drop();
      this.#ahead++;
    }
  }

  /**
   * A call that waits names a result, which is there for it until {@linkcode KeptAnswers.giveBack}; unless those that were
   * lent so take more memory than is kept.
   */
  lend(outcome: Outcome): void {
    outcome.users++;
  }

  /** A call is begun, or given up, that named a result. */
  giveBack(outcome: Outcome): void {
    outcome.users--;
    if (outcome.users === 0 && this.#lent.delete(outcome)) this.#lentBytes -= outcome.bytes;
  }

  /** The peer has seen `count` more answers. */
  seen(count: number): void {
    const early = Math.min(this.#ahead, count);
    this.#ahead -= early;
    for (let left = Math.min(count - early, this.size); left > 0; left--) this.#drop();
  }

  /** Forgets everything: the connection is gone. Who waits is not told. */
  clear(): void {
    this.#isClosed = true;
    this.#awaited.clear();
    this.#kept.clear();
    this.#lent.clear();
    this.#order = [];
    this.#head =
      this.#bytes =
      this.#lentBytes =
      this.#ahead =
        0;
  }

  /** A call will not be answered: what waits for it fails. */
  givenUp(requestId: number): void {
    const key = this.#keyOf(requestId);
    const outcome = this.#awaited.get(key);
    this.#awaited.delete(key);
    outcome?.settle(true, new DeadReferenceError(RESULT_GIVEN_UP), 0);
  }

  #drop(): void {
    const { key, outcome } = this.#order[this.#head]!;
    this.#order[this.#head++] = undefined as unknown as Kept;
    if (this.#head === this.#order.length) {
      this.#order = [];
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
    this.#bytes -= outcome.bytes;
    // A later call may have had the same number.
    if (this.#kept.get(key) === outcome) this.#kept.delete(key);
    if (outcome.users === 0) return;
    this.#lent.add(outcome);
    this.#lentBytes += outcome.bytes;
    for (const oldest of this.#lent) {
      if (this.#lentBytes <= this.#options.maxBytes || this.#lent.size === 1) break;
      this.#lent.delete(oldest);
      this.#lentBytes -= oldest.bytes;
      oldest.expire();
    }
  }

  #keyOf(requestId: number): number | string {
    return requestId < 0x40000000 ? requestId ^ this.#salt : `#${requestId}`;
  }
}
