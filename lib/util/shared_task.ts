/**
 * Work that is begun by whoever first needs its result, and shared by all who need it later.
 *
 * @module
 */

/**
 * Does the work.
 *
 * @param signal Fires when nobody waits for it any more, or what it came to is forgotten.
 * @param expire Forgets this result, when it is good no longer; that of later work stays.
 */
export type StartTask<T> = (signal: AbortSignal, expire: () => void) => Promise<T>;

interface Run<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

/** Runs once at a time; what it came to is kept until it is forgotten. A failure is not kept. */
export class SharedTask<T> {
  readonly #start: StartTask<T>;
  #running: Run<T> | undefined;
  #holders = 0;

  /** Nothing is begun yet. */
  constructor(start: StartTask<T>) {
    this.#start = start;
  }

  /** The work in hand or its result, if there is either. */
  get current(): Promise<T> | undefined {
    return this.#running?.result;
  }

  /**
   * The result. When all who wait for it have gone before it is there, the work is given up.
   *
   * @throws What the work rejects with; the reason of `signal`, when it fires first.
   */
  async get(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const run = this.#running ??= this.#begin();
    run.waiting++;
    const gone = Promise.withResolvers<never>();
    const onAbort = () => gone.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const result = await Promise.race([run.result, gone.promise]);
      run.waiting = Infinity;
      return result;
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (--run.waiting === 0) this.#drop(run, signal.reason);
    }
  }

  /** Gives up work in hand, and forgets the result: the next one who asks begins anew. */
  forget(reason: Error): void {
    if (this.#running !== undefined) this.#drop(this.#running, reason);
  }

  /**
   * Counts somebody who uses what the work comes to. When the last one has let go, the work or its result is given up; one
   * who comes later may begin anew.
   *
   * @param over Is thrown to those who wait for it even then.
   * @param close Ends what it came to. What it rejects with is dropped.
   * @returns Disposing it lets go, once, and waits for `close`.
   */
  hold(over: Error, close: (result: T) => Promise<void>): AsyncDisposable {
    this.#holders++;
    let isHeld = true;
    return {
      [Symbol.asyncDispose]: async () => {
        if (!isHeld) return;
        isHeld = false;
        if (--this.#holders > 0) return;
        const result = this.current;
        this.forget(over);
        try {
          if (result !== undefined) await close(await result);
        } catch {
          // Nothing came of it, or it has ended already.
        }
      },
    };
  }

  #begin(): Run<T> {
    const stop = new AbortController();
    // In a promise of its own: what it throws at once is a failure like any other.
    const result: Promise<T> = Promise.resolve().then(() => this.#start(stop.signal, () => this.#drop(run)));
    const run: Run<T> = { result, stop, waiting: 0 };
    result.catch(() => {
      if (this.#running === run) this.#running = undefined;
    });
    return run;
  }

  #drop(run: Run<T>, reason?: unknown): void {
    if (this.#running === run) this.#running = undefined;
    run.stop.abort(reason);
  }
}
