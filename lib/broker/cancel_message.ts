/**
 * The message by which a caller says that it has given a call up: `cancel`, of the feature of that name.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { Slicing } from "../graph/slicing.ts";
import { type Receiving, Unslicer } from "../graph/unslicer.ts";
import { MAX_TIMER_MS } from "../limits.ts";
import { INT } from "../wire/tokens.ts";

/** Why a call is given up: all that the peer learns. What it does not know it takes for `GIVEN_UP`. */
export const GIVEN_UP = 0, TIME_IS_OVER = 1;

/** What a call says that waits until it is given up. */
export const NO_TIME_LIMIT = MAX_TIMER_MS;

/**
 * What a call says of the time that its caller waits until `deadline`: the callee has rather less than the caller, never
 * more.
 *
 * @param deadline In milliseconds since 1970; `undefined` for never.
 */
export function waitMsUntil(deadline: number | undefined, now: number): number {
  if (deadline === undefined) return NO_TIME_LIMIT;
  return Math.min(Math.max(0, Math.floor(deadline - now)), NO_TIME_LIMIT - 1);
}

/** What the peer is told of the reason of a caller: never its text. */
export function whyOf(reason: unknown): number {
  return reason instanceof DOMException && reason.name === "TimeoutError" ? TIME_IS_OVER : GIVEN_UP;
}

/** `OPEN cancel INT(request) INT(why) CLOSE` */
export function sliceCancel(out: Slicing, requestId: number, why: number): void {
  const { encoder } = out;
  const number = encoder.open("cancel");
  encoder.integer(requestId);
  encoder.integer(why);
  encoder.close(number);
}

/** What the message does to the broker. */
export interface CancelHost {
  /** The peer has given a call up. One that was answered, or never made, is none of anybody's business. */
  cancelled(requestId: number, why: number): void;
}

/** `OPEN cancel INT(request) INT(why) CLOSE` */
export class CancelUnslicer extends Unslicer {
  readonly #host: CancelHost;
  #requestId = 0;
  #why = GIVEN_UP;

  /** A message for `host`. */
  constructor(receiver: Receiving, host: CancelHost) {
    super(receiver);
    this.#host = host;
  }

  override checkToken(type: number): void {
    if (type !== INT) throw new ProtocolError("'cancel' takes nothing but INTs");
    if (this.count > 1) throw new ProtocolError("'cancel' sequence has more than two numbers");
  }

  override receive(value: unknown): void {
    if (typeof value !== "number") throw new ProtocolError("'cancel' sequence has too large a number");
    if (this.count === 0) this.#requestId = value;
    else this.#why = value;
  }

  override close(): void {
    if (this.count < 2) throw new ProtocolError("'cancel' sequence ended too early");
    this.#host.cancelled(this.#requestId, this.#why);
  }
}
