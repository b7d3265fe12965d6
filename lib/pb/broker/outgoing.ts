/**
 * Calls of ours on one connection, and what comes of them.
 *
 * Source: Twisted `spread/pb.py`, `Broker._sendMessage` and `proto_answer`, `proto_error`.
 *
 * @module
 */

import { RemoteException, toError, Violation } from "../../errors.ts";
import { ofAnswer, rejectAwaited } from "../../util/awaited_error.ts";
import { quoteForeign } from "../../util/text.ts";
import { Kwargs } from "../../values/kwargs.ts";
import type { Expression } from "../banana/expression.ts";
import { PBConnectionLost, PbError } from "../errors.ts";
import type { Jellier } from "../jelly/jellier.ts";
import { errorOfPayload } from "./failure.ts";
import type { Outbox } from "./outbox.ts";
import { WaitingCalls } from "./waiting_calls.ts";

/** What {@linkcode OutgoingCalls} need of their connection. */
export interface OutgoingHost {
  readonly outbox: Outbox;
  jellier(perspective: object | undefined): Jellier;
  unserialize(expression: Expression, perspective: object | undefined): unknown;
  /** Reads what answers a call that failed. */
  unserializeError(expression: Expression, perspective: object | undefined): unknown;
  /** Something came that is of no use. */
  dropped(reason: string): void;
  /** A call without answer could not be sent, and nobody can be told. */
  callbackFailed(where: string, error: Error): void;
}

/** What is called. */
export interface OutgoingCall {
  /** `message`, or `cachemessage` for the copies of something cached. */
  readonly word: string;
  /** The peer's number for the object, or its name. */
  readonly target: number | string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly perspective: object | undefined;
  readonly isAnswerWanted: boolean;
  /** Is asked when the message is written, which may be later: what it throws fails the call. */
  check?(): void;
}

/** The calls of one connection that go out. */
export class OutgoingCalls {
  readonly #host: OutgoingHost;
  readonly #waiting = new WaitingCalls();

  /** None yet. */
  constructor(host: OutgoingHost) {
    this.#host = host;
  }

  /** How many have not been answered. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Sends a call.
   *
   * @returns The result; `undefined` if no answer is wanted.
   * @throws {Violation} If no answer is wanted, and an argument cannot be sent. With an answer the promise rejects.
   */
  call(call: OutgoingCall): Promise<unknown> | undefined {
    if (typeof call.method !== "string" || call.method === "" || !call.method.isWellFormed()) {
      throw new TypeError("Cannot call: the name of the method is empty or not well-formed text");
    }
    const id = this.#waiting.nextId();
    if (call.isAnswerWanted) {
      return new Promise((resolve, reject) => {
        const rejectIt = (error: Error) => rejectAwaited(resolve, reject, error);
        this.#waiting.add(id, {
          method: call.method,
          perspective: call.perspective,
          resolve,
          reject: rejectIt,
        });
        this.#send(id, call, (error) => this.#waiting.take(id)?.reject(error));
      });
    }
    let failure: Error | undefined;
    let isOver = false;
    this.#send(id, call, (error) => {
      failure = error;
      if (isOver) this.#host.callbackFailed("callRemoteOnly", error);
    });
    isOver = true;
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /** The peer has answered. A result that cannot be read fails that call. */
  answered(id: Expression | undefined, payload: Expression, isError: boolean): void {
    const call = this.#waiting.take(id);
    if (call === undefined) {
      return this.#host.dropped(`an ${isError ? "error" : "answer"} to a call that does not wait`);
    }
    let value: unknown;
    try {
      value = isError
        ? this.#host.unserializeError(payload, call.perspective)
        : this.#host.unserialize(payload, call.perspective);
    } catch (cause) {
      const what = isError ? "the error that answers" : "the answer to";
      const { message } = toError(cause);
      const text = `Cannot read ${what} ${quoteForeign(call.method, 100)}: ${message}`;
      return call.reject(ofAnswer(new Violation(text, { cause })));
    }
    if (!isError) return call.resolve(value);
    const error = errorOfPayload(value);
    if (error instanceof RemoteException) Object.assign(error, { method: call.method });
    call.reject(ofAnswer(error));
  }

  /** The connection is gone. */
  close(cause: Error): void {
    this.#waiting.close(() =>
      ofAnswer(new PBConnectionLost(`The connection was lost before the answer: ${cause.message}`, { cause }))
    );
  }

  #send(id: number, call: OutgoingCall, failed: (error: Error) => void): void {
    const { target, method, args, isAnswerWanted } = call;
    const jellier = this.#host.jellier(call.perspective);
    const last = args.at(-1);
    const named = last instanceof Kwargs ? last : undefined;
    this.#host.outbox.message({
      isReply: false,
      write(encoder) {
        call.check?.();
        encoder.list(7);
        encoder.word(call.word);
        encoder.integer(id);
        if (typeof target === "number") encoder.integer(target);
        else encoder.word(target);
        encoder.word(method);
        encoder.integer(isAnswerWanted ? 1 : 0);
        jellier.tuple(named === undefined ? args : args.slice(0, -1), "arguments");
        jellier.keywords((named?.values ?? NO_KEYWORDS) as Readonly<Record<string, unknown>>, "arguments");
        jellier.commit();
      },
      failed(error) {
        jellier.undo();
        failed(ownError(error));
      },
    });
  }
}

const NO_KEYWORDS: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null));

/** Too many references are no fault of the value: the error says so itself. */
export function ownError(error: Error): Error {
  return error.cause instanceof PbError ? error.cause : error;
}
