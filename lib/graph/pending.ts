/**
 * A value inside a message that is not there yet: a gift that is being fetched, or an object that contains
 * itself and is not complete.
 *
 * Foolscap hands a Deferred around for this. Here the container keeps a place and fills it later; the
 * message is delivered when nothing in it is pending any more.
 *
 * @module
 */

import { toError, Violation } from "../errors.ts";

/** A value to come. It settles once; what is asked for after that is answered at once. */
export class Pending {
  #state: "waiting" | "ready" | "failed" = "waiting";
  #value: unknown;
  #error: Error | undefined;
  #waiting: { onValue(value: unknown): void; onError(error: Error): void }[] = [];
  readonly #scope: PendingScope;
  readonly #isDerived: boolean;

  /**
   * A value to come in the message of `scope`.
   *
   * @param isDerived Whether it comes as soon as other values of the same message are there, so that nothing
   * else has to be waited for.
   */
  constructor(scope: PendingScope, isDerived = false) {
    this.#scope = scope;
    this.#isDerived = isDerived;
    scope.began(isDerived);
  }

  /** Calls one of the two, now or later; a place is filled before the message counts as complete. */
  whenSettled(onValue: (value: unknown) => void, onError: (error: Error) => void = () => {}): void {
    if (this.#state === "ready") onValue(this.#value);
    else if (this.#state === "failed") onError(this.#error!);
    else this.#waiting.push({ onValue, onError });
  }

  /** The value is there. */
  resolve(value: unknown): void {
    if (this.#state !== "waiting") return;
    this.#state = "ready";
    this.#value = value;
    let failure: Error | undefined;
    for (const { onValue } of this.#waiting.splice(0)) {
      try {
        onValue(value);
      } catch (error) {
        failure ??= toError(error); // a container that does not take the value after all
      }
    }
    this.#scope.settled(failure, this.#isDerived);
  }

  /** There will be no value: the message fails. */
  reject(error: Error): void {
    if (this.#state !== "waiting") return;
    this.#state = "failed";
    this.#error = error;
    for (const { onError } of this.#waiting.splice(0)) onError(error);
    this.#scope.settled(error, this.#isDerived);
  }
}

/** What `close()` returns when its value is not there yet. */
export class PendingResult {
  /** A result that will be `pending`'s. */
  constructor(readonly pending: Pending) {}
}

/** What is pending in one message. */
export class PendingScope {
  /** Values that come from elsewhere, such as gifts. */
  #awaited = 0;
  /** Values that are made of others of the message. */
  #derived = 0;
  #failure: Error | undefined;
  #waiting: ((failure: Error | undefined) => void)[] = [];
  #whenFewer: { readonly count: number; readonly done: () => void } | undefined;

  /** Whether everything in the message is there, or cannot come any more. */
  get isComplete(): boolean {
    return this.#awaited === 0 && this.#derived === 0;
  }

  /** The first failure of a pending value. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** One more value is pending. */
  began(isDerived = false): void {
    if (isDerived) this.#derived++;
    else this.#awaited++;
  }

  /** A pending value is there, or failed. */
  settled(failure: Error | undefined, isDerived = false): void {
    this.#failure ??= failure;
    if (!isDerived) this.#awaited--;
    else if (this.#derived > 0) this.#derived--;
    if (this.#whenFewer !== undefined) this.#checkFewer();
    if (this.#waiting.length > 0) this.#finish();
  }

  /** Whether no more than `count` values are awaited that come from elsewhere. */
  awaitsAtMost(count: number): boolean {
    return this.#awaited <= count;
  }

  /** Calls `done` once when no more than `count` values are awaited that come from elsewhere. For one who asks. */
  whenFewer(count: number, done: () => void): void {
    this.#whenFewer = { count, done };
    this.#checkFewer();
  }

  /**
   * Calls `done` when nothing is pending: now or later. To be asked when the whole message has come: values that
   * then wait for nothing but each other never come, which is a failure.
   */
  whenComplete(done: (failure: Error | undefined) => void): void {
    this.#waiting.push(done);
    this.#finish();
  }

  #checkFewer(): void {
    const { count, done } = this.#whenFewer!;
    if (this.#awaited > count) return;
    this.#whenFewer = undefined;
    done();
  }

  #finish(): void {
    if (this.#awaited > 0) return;
    if (this.#derived > 0) {
      this.#failure ??= new Violation("Cannot make an object that is an attribute of itself");
      this.#derived = 0;
    }
    for (const done of this.#waiting.splice(0)) done(this.#failure);
  }
}
