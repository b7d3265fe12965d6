/**
 * The Reconnectors of a Tub that have not been stopped.
 *
 * @module
 */

import type { RemoteHandle } from "../broker/remote_handle.ts";
import type { RemoteReference } from "../broker/remote_reference.ts";
import type { ConnectionInfo } from "../connection_info.ts";
import type { FurlParts } from "../names/furl.ts";
import type { RandomBytes } from "../util/random_bytes.ts";
import type { Clock } from "../util/clock.ts";
import type { Trace } from "../util/trace.ts";
import { Backoff } from "../util/backoff.ts";
import { type ConnectToOptions, Reconnector } from "./reconnector.ts";

/** What {@linkcode Reconnectors} need of their Tub. */
export interface ReconnectorsOptions {
  readonly clock: Clock;
  /** Must not throw. */
  readonly trace: Trace;
  readonly randomBytes: RandomBytes;
  getReference(target: FurlParts, signal: AbortSignal): Promise<RemoteHandle>;
  connectionInfo(tubId: string): ConnectionInfo | undefined;
}

/** The Reconnectors of a Tub. */
export class Reconnectors {
  readonly #options: ReconnectorsOptions;
  readonly #active = new Set<Disposable>();

  /** None yet. */
  constructor(options: ReconnectorsOptions) {
    this.#options = options;
  }

  /** How many have not been stopped. */
  get size(): number {
    return this.#active.size;
  }

  /**
   * Starts one.
   *
   * @throws {TypeError} If the callback is no function, or the signal is none.
   * @throws {RangeError} If an option is not a number of its kind.
   */
  start<T>(
    target: FurlParts,
    callback: (reference: RemoteReference<T>) => unknown,
    options: ConnectToOptions,
  ): Reconnector<T> {
    const { clock, trace, randomBytes, getReference, connectionInfo } = this.#options;
    const { signal } = options;
    if (typeof callback !== "function") throw new TypeError("Cannot connect: the callback is not a function");
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new TypeError("Cannot connect: the signal is not an AbortSignal");
    }
    const stopOnAbort = () => reconnector.stopConnecting();
    const reconnector = new Reconnector<T>({
      tubId: target.tubId,
      clock,
      trace,
      backoff: new Backoff(options, randomBytes),
      getReference: (signal) => getReference(target, signal) as Promise<RemoteReference<T>>,
      connectionInfo: () => connectionInfo(target.tubId),
      onStopped: (stopped) => {
        this.#active.delete(stopped);
        signal?.removeEventListener("abort", stopOnAbort);
      },
    }, callback);
    if (signal?.aborted) reconnector.stopConnecting();
    else this.#begin(reconnector, signal, stopOnAbort);
    return reconnector;
  }

  /** Stops them all. */
  stop(): void {
    for (const reconnector of this.#active) reconnector[Symbol.dispose]();
  }

  #begin<T>(reconnector: Reconnector<T>, signal: AbortSignal | undefined, stopOnAbort: () => void): void {
    this.#active.add(reconnector);
    signal?.addEventListener("abort", stopOnAbort);
    reconnector.startConnecting();
  }
}
