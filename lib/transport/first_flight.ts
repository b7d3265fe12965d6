/**
 * The first messages of a TLS 1.3 server, in two steps.
 *
 * Deno's client answers them with two writes: an empty message for old routers (`change_cipher_spec`), then its certificate.
 * Where its system may not send the second before the first is acknowledged, and the server's system waits with that for 40 ms,
 * each connection would take so much longer. The client writes the first as soon as it has the ServerHello. So that goes alone,
 * and the rest when the client has answered: with it comes the acknowledgement.
 *
 * @module
 */

import { type Clock, systemClock } from "../util/clock.ts";

/** How long a client that does not answer the ServerHello alone is waited for, in milliseconds: less than what is to be saved. */
const WAIT_MS = 20;
const RECORD_HEADER_BYTES = 5;

/** What a server sends until the client has answered. */
export class FirstFlight implements Disposable {
  readonly #clock: Clock;
  #isBegun = false;
  #goOn: (() => void) | undefined;
  #timer: Disposable | undefined;

  /** Nothing has been sent. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * Sends a chunk: the first one in two steps, others as they are.
   *
   * @param sendHello Is given the first TLS record of the first chunk.
   * @param sendRest Is given the rest, or the whole of another chunk. The next chunk is not to come before that.
   */
  send(
    chunk: Uint8Array,
    sendHello: (hello: Uint8Array) => void,
    sendRest: (rest: Uint8Array) => void,
  ): void {
    const end = RECORD_HEADER_BYTES + (chunk[3] ?? 0) * 256 + (chunk[4] ?? 0);
    if (this.#isBegun || chunk.length <= end) {
      this.#isBegun = true;
      return sendRest(chunk);
    }
    this.#isBegun = true;
    sendHello(chunk.subarray(0, end));
    this.#goOn = () => sendRest(chunk.subarray(end));
    this.#timer = this.#clock.setTimer(WAIT_MS, () => this.answered());
  }

  /** Something has come from the client. */
  answered(): void {
    const goOn = this.#goOn;
    this[Symbol.dispose]();
    goOn?.();
  }

  /** Sends no more. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#goOn = undefined;
  }
}
