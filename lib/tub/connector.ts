/**
 * One effort to reach a Tub: all of its hints side by side, until one leads there or none does.
 *
 * Source: Foolscap `connection.py`, `TubConnector`.
 *
 * @module
 */

import type { Broker } from "../broker/broker.ts";
import {
  DuplicateConnectionError,
  InvalidHintError,
  NegotiationError,
  NoLocationHintsError,
  RemoteNegotiationError,
  toError,
  UnreachableError,
} from "../errors.ts";
import { MAX_HINTS } from "../limits.ts";
import { type RoutedHint, routeHint } from "../names/hints.ts";
import { redact } from "../util/redact.ts";
import { shortTubId } from "../names/tub_id.ts";
import { DUPLICATE_TEXT } from "../negotiate/refusal.ts";
import type { Clock } from "../util/clock.ts";
import { quoteForeign } from "../util/text.ts";
import { ConnectionRecord } from "./connection_record.ts";
import { HeadStart } from "./head_start.ts";
import { failedStatus, shownReason } from "./hint_status.ts";

/** What one attempt is given. */
export interface HintAttempt {
  /** Ends the attempt; it must then leave nothing open. */
  readonly signal: AbortSignal;
  /** Whether a peer said that the Tub is there. */
  readonly isForPeer: boolean;
  /** Says how far it is. Late is harmless. */
  updateStatus(text: string): void;
  /** To be called when the connection is open and negotiated from here on. */
  onNegotiating(): void;
}

/** Options of {@linkcode Connector}. */
export interface ConnectorOptions {
  readonly tubId: string;
  readonly clock: Clock;
  /** For the whole effort, in milliseconds. */
  readonly timeoutMs: number;
  /** What the handler of a type of hints says that it is; `undefined` if there is none. */
  describe(type: string): string | undefined;
  /** Follows one hint; resolves to the broker of an established connection. */
  attempt(hint: RoutedHint, attempt: HintAttempt): Promise<Broker>;
  /** Resolves when every connection that is being accepted now has become one, or failed. */
  inboundSettled(): Promise<unknown>;
}

/** One effort to reach a Tub. */
export class Connector {
  /** The connection, whoever made it. Rejects when the effort has failed. */
  readonly connected: Promise<Broker>;
  /** How each hint fares, in Foolscap's words. */
  readonly statuses: Map<string, string> = new Map();
  /** What handles each hint; `undefined` where nothing does. */
  readonly handlers: Map<string, string | undefined> = new Map();
  /** What the program is told of the effort, and of the connection that came of it. */
  readonly info: ConnectionRecord = new ConnectionRecord(this);
  /** The hint that led to the Tub. */
  winningHint: string | undefined;
  readonly #options: ConnectorOptions;
  readonly #errors = new Map<string, Error>();
  readonly #negotiating = new Set<string>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #result = Promise.withResolvers<Broker>();
  #running = 0;
  #peerHints = 0;
  #isWaitingForInbound = false;
  #joined = 0;
  readonly #timer: Disposable;
  readonly #headStart: HeadStart;
  /** Whether only peers asked for it: it has their hints, and waits where they have to wait. */
  readonly isForPeer: boolean;

  /** Begins to follow the hints; see {@linkcode Connector.try}. */
  constructor(hints: readonly string[], options: ConnectorOptions, isForPeer = false) {
    this.#options = options;
    this.isForPeer = isForPeer;
    this.connected = this.#result.promise;
    // Whoever asked may have gone.
    this.connected.catch(() => {});
    this.#headStart = new HeadStart(options.clock);
    this.#timer = options.clock.setTimer(options.timeoutMs, () => this.#timeOut());
    this.try(hints, isForPeer);
  }

  /**
   * Waits for the connection. When all who wait have gone, the effort is given up.
   *
   * @param signal Fires when this one has gone; without it, it stays.
   */
  join(signal?: AbortSignal): Promise<Broker> {
    this.#joined++;
    const leave = () => {
      if (--this.#joined === 0) this.stop(new UnreachableError("Nobody waits for the connection any more"));
    };
    if (signal?.aborted) leave();
    else signal?.addEventListener("abort", leave, { once: true, signal: this.#stop.signal });
    return this.connected;
  }

  /** Whether the effort has succeeded, failed or been given up. */
  get isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Ends the effort in favour of another one: who waits for this one gets what comes of that one. */
  handOver(other: Connector): void {
    this.#result.resolve(other.connected);
    this.#finish(new NegotiationError("abandoned: another effort goes on"));
    other.try([...this.statuses.keys()], true);
  }

  /** When every attempt has ended and nothing of it is open. */
  async settled(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  /**
   * Follows hints that have not been tried yet, beside the others.
   *
   * @param isForPeer Whether they are a peer's: of those, one effort follows {@linkcode MAX_HINTS} in all.
   */
  try(hints: readonly string[], isForPeer = false): void {
    let fresh = hints.filter((hint) => !this.statuses.has(hint));
    if (isForPeer) {
      fresh = fresh.slice(0, MAX_HINTS - this.#peerHints);
      this.#peerHints += fresh.length;
    }
    const usable: RoutedHint[] = [];
    // A FURL's own list bounds neither the connections that are opened nor the errors that are kept.
    for (const text of [...new Set(fresh)].slice(0, MAX_HINTS)) {
      try {
        usable.push(this.#route(text));
        // All are known before the first begins: its failure is not that of all.
        this.statuses.set(text, "resolving hint");
      } catch (thrown) {
        this.#fail(text, toError(thrown));
      }
    }
    this.#headStart.begin(usable.map(({ type }) => type));
    for (const hint of usable) {
      this.#running++;
      const task = this.#follow(hint, isForPeer).finally(() => this.#tasks.delete(task));
      this.#tasks.add(task);
    }
    if (this.#running === 0 && !this.#isWaitingForInbound) this.#finish(this.#failure());
  }

  /** There is a connection with the Tub, from here or from there: the effort has succeeded. */
  succeed(broker: Broker): void {
    if (this.#stop.signal.aborted) return;
    this.#result.resolve(broker);
    this.#finish(new NegotiationError("abandoned: there is a connection"));
  }

  /** Gives the effort up. */
  stop(reason: Error): void {
    this.#finish(reason);
  }

  #route(text: string): RoutedHint {
    const hint = routeHint(text);
    const description = this.#options.describe(hint.type);
    this.handlers.set(text, description);
    if (description === undefined) throw new InvalidHintError("no handler registered");
    return hint;
  }

  async #follow(hint: RoutedHint, isForPeer: boolean): Promise<void> {
    const { text, type } = hint;
    try {
      const turn = this.#headStart.turn(type);
      if (turn !== undefined) {
        await turn;
        this.#stop.signal.throwIfAborted();
      }
      const broker = await this.#options.attempt(hint, {
        signal: this.#stop.signal,
        isForPeer,
        updateStatus: (status) => {
          const isPast = this.isOver || this.#errors.has(text) || this.#negotiating.has(text);
          if (!isPast) this.statuses.set(text, status);
        },
        onNegotiating: () => {
          this.#negotiating.add(text);
          this.statuses.set(text, "negotiating");
        },
      });
      this.winningHint = text;
      this.statuses.set(text, "successful");
      this.succeed(broker);
    } catch (thrown) {
      this.#fail(text, toError(thrown));
      this.#headStart.failed(type);
      if (--this.#running === 0) await this.#allFailed();
    }
  }

  #fail(hint: string, error: Error): void {
    if (this.#stop.signal.aborted) {
      if (!this.#errors.has(hint)) this.statuses.set(hint, "abandoned");
      return;
    }
    this.#errors.set(hint, error);
    this.statuses.set(hint, failedStatus(error, this.#negotiating.has(hint)));
  }

  async #allFailed(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    if ([...this.#errors.values()].some(isDuplicate)) {
      // Two Tubs that dial each other: the connection that stays is one that is being accepted here.
      const stopped = new Promise((resolve) =>
        this.#stop.signal.addEventListener("abort", resolve, { once: true })
      );
      this.#isWaitingForInbound = true;
      await Promise.race([this.#options.inboundSettled(), stopped]);
      this.#isWaitingForInbound = false;
    }
    // Hints may have come in the meantime.
    if (this.#running === 0) this.#finish(this.#failure());
  }

  #timeOut(): void {
    const { timeoutMs } = this.#options;
    for (const [hint, status] of this.statuses) {
      if (this.#errors.has(hint)) continue;
      const message = `${status}: no connection within ${timeoutMs} ms`;
      const isNegotiating = this.#negotiating.has(hint);
      this.#fail(hint, isNegotiating ? new NegotiationError(message) : new UnreachableError(message));
    }
    this.#finish(this.#failure());
  }

  #finish(reason: Error): void {
    this.#timer[Symbol.dispose]();
    this.#headStart.end();
    this.#result.reject(reason);
    this.#stop.abort(reason);
  }

  /** What is said when every hint has failed: why the negotiation failed, where it came to that. */
  #failure(): Error {
    const name = `Tub [${quoteForeign(shortTubId(this.#options.tubId)).slice(1, -1)}]`;
    if (this.#errors.size === 0) {
      const message = `Cannot reach ${name}: its FURL has no connection hint`;
      return new NoLocationHintsError(message, new Map(), this.info);
    }
    for (const [hint, error] of this.#errors) {
      if (error instanceof NegotiationError) return this.#aboutHint(`Cannot reach ${name}`, hint, error);
    }
    const reasons = Array.from(
      this.#errors,
      ([hint, { message }]) => `${quoteForeign(hint, 100)}: ${shownReason(message)}`,
    );
    return new UnreachableError(
      `Cannot reach ${name}: none of its hints leads there; ${redact(reasons.join("; "))}`,
      new Map(this.#errors),
      this.info,
    );
  }

  #aboutHint(action: string, hint: string, cause: NegotiationError): NegotiationError {
    const message = `${action} by the hint ${quoteForeign(hint, 100)}: ${shownReason(cause.message)}`;
    const details = { cause, connectionInfo: this.info };
    if (cause instanceof DuplicateConnectionError) return new DuplicateConnectionError(message, details);
    if (cause instanceof RemoteNegotiationError) return new RemoteNegotiationError(message, details);
    return new NegotiationError(message, details);
  }
}

/** The master calls it so; as a slave we only read its words. */
function isDuplicate(error: Error): boolean {
  return error instanceof DuplicateConnectionError ||
    (error instanceof RemoteNegotiationError && error.message.includes(DUPLICATE_TEXT));
}
