/**
 * Keeps a reference to an object of another Tub there: connects again whenever the connection is lost.
 *
 * Source: Foolscap `reconnector.py`.
 *
 * @module
 */

import type { RemoteReference, Untyped } from "../broker/remote_reference.ts";
import type { ConnectionInfo } from "../connection_info.ts";
import { NegotiationError, toError, UnreachableError } from "../errors.ts";
import type { Clock } from "../util/clock.ts";
import { runCallback } from "../util/run_callback.ts";
import type { Trace } from "../util/trace.ts";
import type { Backoff, BackoffOptions } from "../util/backoff.ts";

/** Options of {@linkcode Tub.connectTo}. */
export interface ConnectToOptions extends BackoffOptions {
  /** Stops the Reconnector when it fires, as {@linkcode Reconnector.stopConnecting} does. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a Reconnector is about: it has not begun, is connecting, is connected, waits for its next attempt, or was
 * stopped. (Foolscap has no word for the last.)
 */
export type ReconnectionState = "unstarted" | "connecting" | "connected" | "waiting" | "stopped";

/** What a Reconnector is about. Source: Foolscap `ReconnectionInfo`. */
export interface ReconnectionInfo {
  /** What it is about. */
  readonly state: ReconnectionState;
  /** The connection, or the last effort to make one; `undefined` before the first. */
  readonly connectionInfo: ConnectionInfo | undefined;
  /** When the last attempt began, in milliseconds since 1970. */
  readonly lastAttempt: number | undefined;
  /** When the next attempt begins, in milliseconds since 1970; `undefined` if it does not wait for one. */
  readonly nextAttempt: number | undefined;
}

/** What a {@linkcode Reconnector} needs of its Tub. */
export interface ReconnectorHost<T> {
  readonly tubId: string;
  readonly clock: Clock;
  /** Must not throw. */
  readonly trace: Trace;
  readonly backoff: Backoff;
  /** Gets the reference. `signal` fires when nobody waits for it any more. */
  getReference(signal: AbortSignal): Promise<RemoteReference<T>>;
  /** The connection with the Tub, or the effort to make one. */
  connectionInfo(): ConnectionInfo | undefined;
  /** The Reconnector has stopped. */
  onStopped(reconnector: Disposable): void;
}

/**
 * Connects to an object, and again each time that the connection is lost, for as long as it takes: after 1 second, and
 * after each failure about 2.7 times as long as before, up to an hour. Made by {@linkcode Tub.connectTo}.
 *
 * It keeps the process alive, as an open connection does, until it is stopped or its Tub is.
 *
 * @example
 * ```ts
 * import { Referenceable, Tub } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Clock extends Referenceable {
 *   remote_now() {
 *     return Date.now();
 *   }
 * }
 *
 * await using server = await Tub.create();
 * server.setLocation((await server.listenOn("tcp:0:interface=127.0.0.1")).hint);
 * const furl = server.registerReference(new Clock());
 *
 * await using client = await Tub.create();
 * const told = Promise.withResolvers<number>();
 * using reconnector = client.connectTo<Clock>(furl, async (clock) => {
 *   // Each time that there is a connection.
 *   told.resolve(await clock.callRemote("now"));
 * });
 * assert.ok(await told.promise <= Date.now());
 * assert.equal(reconnector.getReconnectionInfo().state, "connected");
 * ```
 */
export class Reconnector<T = Untyped> implements Disposable {
  readonly #host: ReconnectorHost<T>;
  readonly #callback: (reference: RemoteReference<T>) => unknown;
  #state: ReconnectionState = "unstarted";
  #connectionInfo: ConnectionInfo | undefined;
  #lastAttempt: number | undefined;
  #nextAttempt: number | undefined;
  #lastFailure: Error | undefined;
  #timer: Disposable | undefined;
  #watch: Disposable | undefined;
  readonly #stop = new AbortController();

  /**
   * Does nothing until {@linkcode Reconnector.startConnecting}. Programs call {@linkcode Tub.connectTo}.
   *
   * @ignore
   */
  constructor(host: ReconnectorHost<T>, callback: (reference: RemoteReference<T>) => unknown) {
    this.#host = host;
    this.#callback = callback;
  }

  /**
   * Begins to connect. More than once is harmless.
   *
   * @ignore
   */
  startConnecting(): void {
    if (this.#state === "unstarted") void this.#connect();
  }

  /**
   * Ends it: the callback is not called any more, even where a connection is being made, whose effort is given up if
   * nobody else waits for it. A connection that is there stays. More than once is harmless.
   */
  stopConnecting(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#stopWaiting();
    this.#watch?.[Symbol.dispose]();
    this.#stop.abort(new DOMException("The Reconnector has been stopped", "AbortError"));
    this.#host.onStopped(this);
  }

  /** The same as {@linkcode Reconnector.stopConnecting}, for `using`. */
  [Symbol.dispose](): void {
    this.stopConnecting();
  }

  /** Forgets past failures: the wait is as short as at first, and one that is under way begins anew as such. */
  reset(): void {
    this.#host.backoff.reset();
    if (this.#state === "waiting") this.#wait();
  }

  /** How long it still waits for its next attempt, in milliseconds; `undefined` if it does not wait. */
  getDelayUntilNextAttempt(): number | undefined {
    if (this.#nextAttempt === undefined) return undefined;
    return Math.max(0, this.#nextAttempt - this.#host.clock.now());
  }

  /** Why the last attempt failed; `undefined` before a failure, and after a success. */
  getLastFailure(): Error | undefined {
    return this.#lastFailure;
  }

  /** What it is about at this moment. */
  getReconnectionInfo(): ReconnectionInfo {
    return {
      state: this.#state,
      connectionInfo: this.#connectionInfo,
      lastAttempt: this.#lastAttempt,
      nextAttempt: this.#nextAttempt,
    };
  }

  async #connect(): Promise<void> {
    const { clock } = this.#host;
    this.#state = "connecting";
    this.#lastAttempt = clock.now();
    try {
      const attempt = this.#host.getReference(this.#stop.signal);
      this.#connectionInfo = this.#host.connectionInfo() ?? this.#connectionInfo;
      const reference = await attempt;
      if (!this.#stop.signal.aborted) this.#connected(reference);
    } catch (error) {
      this.#failed(toError(error));
    }
  }

  #connected(reference: RemoteReference<T>): void {
    this.#state = "connected";
    this.#connectionInfo = reference.getConnectionInfo() ?? this.#connectionInfo;
    this.#lastFailure = undefined;
    // Before the program's own watches: by then this has begun to wait.
    this.#watch = reference.notifyOnDisconnect(() => this.#lost());
    runCallback(
      () => this.#callback(reference),
      (error) => this.#host.trace({ type: "callback-failed", where: "connectTo", error }),
    );
  }

  #failed(error: Error): void {
    if (this.#stop.signal.aborted) return;
    this.#lastFailure = error;
    if (error instanceof UnreachableError || error instanceof NegotiationError) {
      this.#connectionInfo = error.connectionInfo ?? this.#connectionInfo;
    }
    this.#host.backoff.grow();
    this.#retry(error);
  }

  #lost(): void {
    this.#watch = undefined;
    this.#host.backoff.reset();
    this.#retry(undefined);
  }

  #retry(error: Error | undefined): void {
    const { tubId, backoff, trace } = this.#host;
    this.#state = "waiting";
    this.#wait();
    trace({ type: "reconnect-waiting", tubId, delayMs: backoff.delayMs, error });
  }

  #wait(): void {
    const { clock, backoff } = this.#host;
    this.#stopWaiting();
    this.#nextAttempt = clock.now() + backoff.delayMs;
    this.#timer = clock.setTimer(backoff.delayMs, () => {
      this.#stopWaiting();
      void this.#connect();
    }, true);
  }

  #stopWaiting(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#nextAttempt = undefined;
  }
}
