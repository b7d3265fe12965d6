/**
 * A value inside a message that is not there yet: a gift that is being fetched, or an object that contains
 * itself and is not complete.
 *
 * Foolscap hands a Deferred around for this. Here the container keeps a place and fills it later; the
 * message is delivered when nothing in it is pending any more.
 *
 * @module
 */

/** A value to come. It settles once; what is asked for after that is answered at once. */
export class Pending {
  #state: "waiting" | "ready" | "failed" = "waiting";
  #value: unknown;
  #error: Error | undefined;
  #waiting: { onValue(value: unknown): void; onError(error: Error): void }[] = [];
  readonly #scope: PendingScope;

  /** A value to come in the message of `scope`. */
  constructor(scope: PendingScope) {
    this.#scope = scope;
    scope.began();
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
        failure ??= error as Error; // a container that does not take the value after all
      }
    }
    this.#scope.settled(failure);
  }

  /** There will be no value: the message fails. */
  reject(error: Error): void {
    if (this.#state !== "waiting") return;
    this.#state = "failed";
    this.#error = error;
    for (const { onError } of this.#waiting.splice(0)) onError(error);
    this.#scope.settled(error);
  }
}

/** What is pending in one message. */
export class PendingScope {
  #open = 0;
  #failure: Error | undefined;
  #waiting: ((failure: Error | undefined) => void)[] = [];

  /** Whether everything in the message is there. */
  get isComplete(): boolean {
    return this.#open === 0;
  }

  /** The first failure of a pending value. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** One more value is pending. */
  began(): void {
    this.#open++;
  }

  /** A pending value is there, or failed. */
  settled(failure: Error | undefined): void {
    this.#failure ??= failure;
    if (--this.#open > 0) return;
    for (const done of this.#waiting.splice(0)) done(this.#failure);
  }

  /** Calls `done` when nothing is pending: now or later. */
  whenComplete(done: (failure: Error | undefined) => void): void {
    if (this.#open === 0) done(this.#failure);
    else this.#waiting.push(done);
  }
}
