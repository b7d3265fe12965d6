/**
 * The handlers of one Tub, and how one of them is asked.
 *
 * Source: Foolscap `pb.py`, `addConnectionHintHandler`; `connection.py`, `get_endpoint`.
 *
 * @module
 */

import { toError, UnreachableError } from "../errors.ts";
import { routeHint } from "../names/hints.ts";
import { problemOfStreams, StreamConnection } from "../transport/stream_connection.ts";
import type { Connection, UpgradableConnection } from "../transport/transport.ts";
import { upgradable } from "../transport/upgradable.ts";
import type { Clock } from "../util/clock.ts";
import { inTime } from "../util/in_time.ts";
import { quoteForeign } from "../util/text.ts";
import type { Trace } from "../util/trace.ts";
import {
  type ConnectionHintHandler,
  type HintConnection,
  type HintConnectOptions,
  ownConnection,
  securedConnection,
} from "./hint_handler.ts";
import type { Identity } from "./identity.ts";
import { lendIdentity, tcp, tls } from "./tcp_handler.ts";

/** How long a handler that was told to stop is waited for, in milliseconds. */
const STOP_TIMEOUT_MS = 1_000;
const HOST = /^[\x21-\x7e]{1,255}$/;

/** An open connection on which nothing has been said, and the host as the peer knows itself. */
export interface DialledPlain {
  readonly connection: UpgradableConnection;
  /** For the `Host` header of the negotiation. */
  readonly host: string;
}

/** An open connection that is TLS already. */
export interface DialledTls {
  readonly connection: Connection;
  /** The Ed25519 key of the hint, which the peer is still to prove that it holds. */
  readonly hintKey: Uint8Array;
}

/** What came of a hint. */
export type Dialled = DialledPlain | DialledTls;

/** The handlers of one Tub, by the type of hint. At first there is one for `tcp` and one for `tls`. */
export class HintHandlers {
  readonly #clock: Clock;
  readonly #trace: Trace;
  readonly #identity: Identity;
  readonly #table = new Map<string, ConnectionHintHandler>([["tcp", tcp()], ["tls", tls()]]);
  readonly #held = new Map<ConnectionHintHandler, Disposable | AsyncDisposable | undefined>();
  #isClosed = false;
  /** Whether the program has said nothing of `tls` hints. */
  #isTlsDefault = true;

  /** @param trace Is told what handlers throw where nobody waits for it. Must not throw. */
  constructor(clock: Clock, trace: Trace, identity: Identity) {
    this.#clock = clock;
    this.#identity = identity;
    this.#trace = trace;
  }

  /**
   * Adds a handler, in the place of the one that has that type.
   *
   * @throws {TypeError} If the type cannot be that of a hint, it is no handler, or the Tub has stopped.
   */
  add(type: string, handler: ConnectionHintHandler): void {
    if (typeof type !== "string" || !/^[^:,/@\s]+$/.test(type)) {
      throw new TypeError(
        `Cannot add a connection hint handler: ${
          quoteForeign(String(type), 64)
        } is no type of hints, which is what stands before the first colon of one`,
      );
    }
    if (typeof handler?.connect !== "function") {
      throw new TypeError("Cannot add a connection hint handler: it has no method connect");
    }
    if (this.#isClosed) {
      throw new TypeError("Cannot add a connection hint handler: this Tub has been stopped");
    }
    if (!this.#held.has(handler)) this.#held.set(handler, handler.hold?.());
    this.#table.set(type, handler);
    if (type === "tls") this.#isTlsDefault = false;
    if (type === "tcp" && handler !== tcp()) this.#withdrawTls();
  }

  /** Whoever sends TCP by a proxy, or nowhere, means the same address by another type of hint too. */
  #withdrawTls(): void {
    if (this.#isTlsDefault) this.#table.delete("tls");
  }

  /** Removes the handler of a type; whether there was one. */
  remove(type: string): boolean {
    if (type === "tcp") this.#withdrawTls();
    return this.#table.delete(type);
  }

  /** Removes every handler, those of `tcp` and `tls` too. */
  removeAll(): void {
    this.#table.clear();
  }

  /** The table as it is now. */
  snapshot(): ReadonlyMap<string, ConnectionHintHandler> {
    return new Map(this.#table);
  }

  /** Whether a hint of a peer is followed where the program has no policy. */
  followsPeers(hint: string): boolean {
    try {
      return this.#table.get(routeHint(hint).type)?.followsPeers === true;
    } catch {
      return false;
    }
  }

  /** What a handler says that it is. */
  describe(handler: ConnectionHintHandler): string {
    try {
      return cutStatus(handler.describe?.() ?? "custom");
    } catch (error) {
      this.#failed("describe of a connection hint handler", error);
      return "custom";
    }
  }

  /** Ends what handlers keep for this Tub. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const held = [...this.#held.values()].filter((each) => each !== undefined);
    this.#held.clear();
    const disposed = held.map(async (each) => {
      try {
        if (Symbol.asyncDispose in each) await each[Symbol.asyncDispose]();
        else each[Symbol.dispose]();
      } catch (error) {
        this.#failed("the end of a connection hint handler", error);
      }
    });
    await inTime(Promise.all(disposed), STOP_TIMEOUT_MS, this.#clock);
  }

  /**
   * Lets a handler open a connection.
   *
   * @returns Rejects with what the handler throws, made readable; with the signal's reason when it fires first, as soon as
   * the handler has stopped or a second has passed. A connection that comes after that is closed.
   */
  async follow(
    handler: ConnectionHintHandler,
    hint: string,
    options: Omit<HintConnectOptions, "clock">,
  ): Promise<Dialled> {
    const { signal } = options;
    signal.throwIfAborted();
    let isOver = false;
    const asked = lendIdentity({
      signal,
      clock: this.#clock,
      updateStatus: (text) => isOver || options.updateStatus(cutStatus(text)),
    }, this.#identity);
    const given = Promise.resolve().then(() => handler.connect(hint, asked));
    const gone = Promise.withResolvers<never>();
    const onAbort = () => gone.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const result = await Promise.race([given, gone.promise]);
      signal.throwIfAborted();
      return this.#adopt(result, hint);
    } catch (thrown) {
      const discarded = given.then((late) => this.#discard(late, hint), () => {});
      if (!signal.aborted) throw readable(thrown);
      await inTime(discarded, STOP_TIMEOUT_MS, this.#clock);
      throw signal.reason;
    } finally {
      isOver = true;
      signal.removeEventListener("abort", onAbort);
    }
  }

  #adopt(result: HintConnection, hint: string): Dialled {
    if (typeof result !== "object" || result === null) {
      throw new TypeError("The connection hint handler returned no connection");
    }
    const { host, address = hint } = result;
    if (typeof host !== "string" || !HOST.test(host)) {
      throw new TypeError(
        "The connection hint handler returned no host, or one that cannot stand in a header",
      );
    }
    const tls = securedConnection(result);
    if (tls !== undefined) return { connection: tls.connection, hintKey: tls.key };
    const made = ownConnection(result);
    if (made !== undefined) return { connection: made, host };
    const { readable, writable } = result;
    const problem = problemOfStreams(result);
    if (problem !== undefined) {
      throw new TypeError(`The connection hint handler returned no good connection: ${problem}`);
    }
    const connection = new StreamConnection({ readable, writable, close: () => result.close?.() }, {
      peerAddress: cutStatus(address),
      clock: this.#clock,
      onCloseFailed: (error) => this.#failed("close of a handler's connection", error),
    });
    return { connection: upgradable(connection, { clock: this.#clock }), host };
  }

  /** Closes what a handler returned, as far as there is something to be closed. */
  async #discard(result: HintConnection, hint: string): Promise<void> {
    try {
      await this.#adopt(result, hint).connection.close({ isAbrupt: true });
    } catch {
      try {
        // What is behind the streams may end with them alone.
        if (result?.readable instanceof ReadableStream) result.readable.cancel().catch(() => {});
        if (result?.writable instanceof WritableStream) result.writable.abort().catch(() => {});
        await result?.close?.();
      } catch (error) {
        this.#failed("close of a handler's connection", error);
      }
    }
  }

  #failed(where: string, error: unknown): void {
    this.#trace({ type: "callback-failed", where, error: toError(error) });
  }
}

/** A text of a handler, as a status: it may have a stranger's words in it. */
export function cutStatus(text: unknown): string {
  return quoteForeign(String(text)).slice(1, -1).replaceAll('\\"', '"');
}

/** An Error whose message can be had. */
function readable(thrown: unknown): Error {
  const error = toError(thrown);
  try {
    if (typeof error.message === "string" && typeof error.name === "string") return error;
  } catch {
    // Its own code fails.
  }
  const unreadable = new UnreachableError("The connection hint handler threw an error that cannot be read");
  unreadable.cause = thrown;
  return unreadable;
}
