/**
 * A client that connects again whenever its connection is lost. Twisted has a recipe for it, with `ClientService`.
 *
 * @module
 */

import { toError } from "../errors.ts";
import type { ByteStreams } from "../transport/stream_connection.ts";
import { Backoff, type BackoffOptions } from "../util/backoff.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { type RandomBytes, systemRandomBytes } from "../util/random_bytes.ts";
import { type PbTrace, resolveSettings, safePbTrace } from "./broker/options.ts";
import { connect, type PbClient, type PbConnectOptions } from "./client.ts";
import { parseTarget } from "./net/place.ts";
import type { Untyped } from "./flavors/remote_reference.ts";

/** Options of {@linkcode connectPersistently}. */
export interface PbPersistentOptions extends PbConnectOptions {
  /** How long it waits between attempts. By default 1 s at first, and about 2.7 times as long each time, up to an hour. */
  readonly reconnect?: BackoffOptions | undefined;
  /** @default the system's */
  readonly randomBytes?: RandomBytes | undefined;
}

/**
 * Connects to a server, and again each time that the connection is lost, until it is stopped: every reference dies with
 * its connection, so the program begins anew each time.
 *
 * @param target As {@linkcode connect} has it; or a function that opens streams for each attempt.
 * @param onConnected Is given each connection: here the program logs in, and gets what it needs. When it throws, or its
 *   promise rejects, the connection is closed and another one is tried after a while.
 * @throws {TypeError} If `target` is none.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example
 * ```ts
 * import { pb } from "../../mod.ts";
 * import assert from "node:assert/strict";
 *
 * class Clock extends pb.Root {
 *   remote_now(): number {
 *     return Date.now();
 *   }
 * }
 * await using server = await pb.serve(new Clock(), "tcp:0:interface=127.0.0.1");
 *
 * const told = Promise.withResolvers<number>();
 * await using client = pb.connectPersistently<Clock>(server.address, async (connected) => {
 *   told.resolve(await connected.getRootObject().callRemote("now"));
 * });
 * assert.ok(await told.promise <= Date.now());
 * assert.equal(client.state, "connected");
 * ```
 */
export function connectPersistently<T = Untyped>(
  target: string | (() => ByteStreams | PromiseLike<ByteStreams>),
  onConnected: (client: PbClient<T>) => unknown,
  options: PbPersistentOptions = {},
): PersistentPbClient<T> {
  return new PersistentPbClient(target, onConnected, options);
}

/** What a {@linkcode PersistentPbClient} is about. */
export type PersistentState = "connecting" | "connected" | "waiting" | "stopped";

/** A connection that is kept up: see {@linkcode connectPersistently}. */
export class PersistentPbClient<T = Untyped> implements AsyncDisposable {
  readonly #target: string | (() => ByteStreams | PromiseLike<ByteStreams>);
  readonly #onConnected: (client: PbClient<T>) => unknown;
  readonly #options: PbPersistentOptions;
  readonly #backoff: Backoff;
  readonly #clock: Clock;
  readonly #trace: PbTrace;
  readonly #stop = new AbortController();
  #state: PersistentState = "connecting";
  #client: PbClient<T> | undefined;
  #lastFailure: Error | undefined;
  #timer: Disposable | undefined;
  #attempt: Promise<void>;
  #closed: Promise<void> | undefined;

  /** @ignore */
  constructor(
    target: string | (() => ByteStreams | PromiseLike<ByteStreams>),
    onConnected: (client: PbClient<T>) => unknown,
    options: PbPersistentOptions,
  ) {
    if (typeof target === "string") parseTarget(target);
    else if (typeof target !== "function") {
      throw new TypeError(
        "Cannot connect: streams last for one connection, so give a function that opens them",
      );
    }
    resolveSettings(options);
    this.#target = target;
    this.#onConnected = onConnected;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#trace = safePbTrace(options.trace);
    this.#backoff = new Backoff(options.reconnect ?? {}, options.randomBytes ?? systemRandomBytes);
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#attempt = Promise.resolve();
    if (options.signal?.aborted === true) void this.close();
    else this.#attempt = this.#connect();
  }

  /** What it is about at this moment. */
  get state(): PersistentState {
    return this.#state;
  }

  /** The connection, while there is one. */
  get client(): PbClient<T> | undefined {
    return this.#client;
  }

  /** Why the last attempt failed; `undefined` before a failure, and after a success. */
  get lastFailure(): Error | undefined {
    return this.#lastFailure;
  }

  /** Ends it, with the connection that is there. More than once is harmless. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#state = "stopped";
    this.#timer?.[Symbol.dispose]();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#stop.abort(new DOMException("The client has been closed", "AbortError"));
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
    await this.#attempt;
  }

  /** The same as {@linkcode PersistentPbClient.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #onAbort = () => void this.close();

  async #connect(): Promise<void> {
    this.#state = "connecting";
    let client: PbClient<T> | undefined;
    let target: string | ByteStreams = "";
    try {
      target = typeof this.#target === "string" ? this.#target : await this.#open(this.#target);
      client = await connect<T>(target, { ...this.#options, signal: this.#stop.signal });
      if (this.#stop.signal.aborted) return await client.close();
      this.#client = client;
      this.#state = "connected";
      const gone = Promise.withResolvers<void>();
      client.notifyOnDisconnect(gone.resolve);
      // A connection that is lost ends the program's work for it, whatever that still waits for.
      await Promise.race([Promise.try(() => this.#onConnected(client!)), gone.promise]);
      if (!client.isConnected) return this.#retry(undefined);
      this.#lastFailure = undefined;
      this.#backoff.reset();
      void gone.promise.then(() => this.#retry(undefined));
    } catch (error) {
      this.#client = undefined;
      await client?.close();
      // The streams were opened, but no client has taken them over.
      if (client === undefined && typeof target === "object") closeStreams(target).catch(() => {});
      this.#lastFailure = toError(error);
      this.#retry(this.#lastFailure);
    }
  }

  /** What is opened when nobody wants it any more is closed, and not waited for. */
  async #open(open: () => ByteStreams | PromiseLike<ByteStreams>): Promise<ByteStreams> {
    const { signal } = this.#stop;
    signal.throwIfAborted();
    const opening = Promise.try(open);
    const stopped = Promise.withResolvers<never>();
    const onStop = () => {
      stopped.reject(signal.reason);
      opening.then(closeStreams).catch(() => {});
    };
    signal.addEventListener("abort", onStop, { once: true });
    try {
      return await Promise.race([opening, stopped.promise]);
    } finally {
      signal.removeEventListener("abort", onStop);
    }
  }

  #retry(error: Error | undefined): void {
    this.#client = undefined;
    if (this.#stop.signal.aborted) return;
    this.#state = "waiting";
    const { delayMs } = this.#backoff;
    this.#backoff.grow();
    this.#trace({ type: "reconnect-waiting", delayMs, error });
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#attempt = this.#connect();
    }, true);
  }
}

async function closeStreams(streams: ByteStreams): Promise<void> {
  await Promise.allSettled([
    Promise.try(() => streams.readable.cancel()),
    Promise.try(() => streams.writable.abort()),
  ]);
  await streams.close?.();
}
