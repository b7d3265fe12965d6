/**
 * Revocations, and what else ends, on its way to the store: it is over here at once, whatever the disk does, and must not
 * come back at the next start.
 *
 * @module
 */

import { toError } from "../errors.ts";
import { MAX_TIMER_MS, STORE_FLUSH_MS } from "../limits.ts";
import type { Clock } from "../util/clock.ts";
import type { Trace } from "../util/trace.ts";
import type { CaveatJournal } from "./caveat_state.ts";
import type { Store } from "./store.ts";

/** Writes one ending. */
type Write = () => void;

/** What has ended, until it is written. */
export class Endings {
  readonly #store: Pick<Store, "batch">;
  readonly #clock: Clock;
  readonly #trace: Trace;
  /** Those of a batch of the program's that is not written yet: if that fails, none of them is. */
  #batch: Write[] | undefined;
  #unwritten: Write[] = [];
  #timer: Disposable | undefined;

  /** All is written. */
  constructor(store: Pick<Store, "batch">, clock: Clock, trace: Trace) {
    this.#store = store;
    this.#clock = clock;
    this.#trace = trace;
  }

  /**
   * Writes that something has ended.
   *
   * @param write May run again later, as often as it takes.
   * @throws {StoreError} If that cannot be written. It is tried again every second, and at the end of the registry; only if
   *   it never can, it comes back at the next start.
   */
  write(write: Write): void {
    this.#batch?.push(write);
    try {
      write();
    } catch (error) {
      if (this.#batch === undefined) this.#keepTrying([write]);
      throw error;
    }
  }

  /** A batch begins; {@linkcode Endings.endBatch} ends it. */
  beginBatch(): void {
    this.#batch = [];
  }

  /** The batch was written, or has failed as a whole. */
  endBatch(isWritten: boolean): void {
    const writes = this.#batch ?? [];
    this.#batch = undefined;
    if (!isWritten) this.#keepTrying(writes);
  }

  /**
   * Writes what could not be written before.
   *
   * @throws {StoreError} If it still cannot.
   */
  flush(): void {
    const writes = this.#unwritten;
    if (writes.length === 0) return;
    const writeAll = () => writes.forEach((write) => write());
    if (this.#batch === undefined) this.#store.batch(writeAll);
    else {
      writeAll();
      // With the batch it may fail again.
      this.#batch.push(...writes);
    }
    this.#unwritten = [];
  }

  /** Tries for the last time. */
  close(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    try {
      this.flush();
    } catch (thrown) {
      this.#trace({ type: "callback-failed", where: "store", error: toError(thrown) });
    }
  }

  #keepTrying(writes: readonly Write[]): void {
    if (writes.length === 0) return;
    this.#unwritten.push(...writes);
    this.#plan();
  }

  #plan(): void {
    this.#timer ??= this.#clock.setTimer(Math.min(STORE_FLUSH_MS, MAX_TIMER_MS), () => {
      this.#timer = undefined;
      try {
        this.flush();
      } catch {
        // Whoever ended it knows.
        this.#plan();
      }
    });
  }
}

/** Writes to a store what is remembered of attenuated FURLs. */
export function journalOf(store: Store, endings: Endings): CaveatJournal {
  return {
    setCounts: (counts) => store.setCounts(counts),
    addRevoked: (mark) => endings.write(() => store.addRevoked(mark)),
    forgetId: (id) => store.forgetId(id),
    forgetOver: (now, endedUntil) => store.forgetOver(now, endedUntil),
  };
}
