/**
 * Results that their caller does not have yet, as they travel: in the arguments of another call, or in the place of its
 * object.
 *
 * `OPEN promised INT(request) (STRING(key) | INT(index))* CLOSE`
 *
 * Nothing in Foolscap corresponds to it; see `docs/wire.md`.
 *
 * @module
 */

import { ProtocolError, Violation } from "../errors.ts";
import { CONTAINER_COST, type Receiving, Unslicer } from "../graph/unslicer.ts";
import { Pending, PendingResult } from "../graph/pending.ts";
import { MAX_NAME_BYTES, MAX_PART_PATH } from "../limits.ts";
import { decodeText } from "../util/text.ts";
import { INT, STRING, VOCAB } from "../wire/tokens.ts";
import type { Outcome } from "./kept_answers.ts";

/** A result that the peer names. */
export interface NamedResult {
  /** What comes of its call. */
  readonly outcome: Outcome;
  /** Where in the result. */
  readonly path: readonly (string | number)[];
}

/** What these sequences do to the connection. */
export interface PromisedHost {
  /**
   * What comes of a call of the peer.
   *
   * @throws {Violation} If there is none of this number, or it is not kept, or no call is being received.
   */
  outcomeOf(requestId: number): Outcome;
  /** An argument is a result: `pending` is its place. */
  argument(pending: Pending, named: NamedResult): void;
}

/** Gives a place to be filled in; or, in the place of a call's object, what is named. */
export class PromisedUnslicer extends Unslicer {
  readonly #host: PromisedHost;
  readonly #isTarget: boolean;
  readonly #path: (string | number)[] = [];
  #outcome: Outcome | undefined;

  /** A sequence of a connection. */
  constructor(receiver: Receiving, host: PromisedHost, isTarget: boolean) {
    super(receiver);
    this.#host = host;
    this.#isTarget = isTarget;
  }

  override start(): void {
    this.receiver.spend(2 * CONTAINER_COST);
  }
  override get maxChildren(): number {
    return 1 + MAX_PART_PATH;
  }
  override checkToken(type: number, size: number): void {
    if (this.count === 0) {
      if (type !== INT) throw new ProtocolError("Request ID must be an INT");
    } else if (type !== INT && type !== STRING && type !== VOCAB) {
      throw new ProtocolError("A part of a result is named by INTs and STRINGs");
    } else if (type === STRING && size > MAX_NAME_BYTES) {
      throw new Violation(`Key of a part too long: ${size} > ${MAX_NAME_BYTES} bytes`);
    }
  }
  override receive(value: unknown): void {
    if (typeof value !== "number") throw new ProtocolError("Number in a promised result is too large");
    if (this.count > 0) this.#path.push(value);
    else this.#outcome = this.#host.outcomeOf(value);
  }
  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#path.push(decodeText(bytes, start, end));
    } catch (cause) {
      throw new Violation("Key of a part is not UTF-8", { cause });
    }
  }
  override close(): NamedResult | PendingResult {
    if (this.#outcome === undefined) throw new ProtocolError("A promised result without a number");
    const named = { outcome: this.#outcome, path: this.#path };
    if (this.#isTarget) return named;
    const pending = new Pending(this.receiver.scope);
    this.#host.argument(pending, named);
    return new PendingResult(pending);
  }
}

/** `OPEN seen INT(count) CLOSE` */
export class SeenUnslicer extends Unslicer {
  readonly #seen: (count: number) => void;
  #count = 0;

  /** @param seen Is told how many more answers the peer has taken in. */
  constructor(receiver: Receiving, seen: (count: number) => void) {
    super(receiver);
    this.#seen = seen;
  }

  override checkToken(type: number): void {
    if (type !== INT || this.count > 0) throw new ProtocolError("'seen' takes one INT");
  }
  override receive(value: unknown): void {
    if (typeof value !== "number") throw new ProtocolError("Number of answers is too large");
    this.#count = value;
  }
  override close(): void {
    this.#seen(this.#count);
  }
}
