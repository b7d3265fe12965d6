/**
 * Calls of the peer: to their objects, and the answers back.
 *
 * Source: Twisted `spread/pb.py`, `Broker._recvMessage`.
 *
 * @module
 */

import { ProtocolError, toError } from "../../errors.ts";
import { decodeLossy } from "../../util/text.ts";
import type { BananaEncoder } from "../banana/encoder.ts";
import type { Expression } from "../banana/expression.ts";
import { Word } from "../banana/words.ts";
import { BadCall, LoginFailed, PbError } from "../errors.ts";
import { type CallHost, type MessageReceiver, PbCall } from "../flavors/call.ts";
import type { Jellier } from "../jelly/jellier.ts";
import { isJellyable } from "../jelly/jellyable.ts";
import { failureOf, writeFailure } from "./failure.ts";
import type { Outbox } from "./outbox.ts";
import { ownError } from "./outgoing.ts";

/** What {@linkcode Deliveries} need of their connection. */
export interface DeliveryHost extends CallHost {
  readonly outbox: Outbox;
  readonly maxPendingCalls: number;
  readonly unsafeTracebacks: boolean;
  isClosed(): boolean;
  /** Whether objects of an error's class may be sent, by the options of security. */
  mayCross(error: object): boolean;
  jellier(perspective: object | undefined): Jellier;
  /** A method has failed by something that no caller expects. */
  callFailed(method: string, error: Error): void;
}

/** Finds what is called by the peer's word for it. */
export type FindReceiver = (id: Expression) => Pick<MessageReceiver, "remoteMessageReceived"> | undefined;

/** The calls of one connection that come in. */
export class Deliveries {
  readonly #host: DeliveryHost;
  #pending = 0;

  /** None yet. */
  constructor(host: DeliveryHost) {
    this.#host = host;
  }

  /** How many have not been answered. */
  get size(): number {
    return this.#pending;
  }

  /**
   * Serves one call.
   *
   * @param message The word, the number of the call, what is called, the method, whether an answer is wanted, and the
   *   arguments by place and by name.
   * @throws {ProtocolError} If it is none, or too many are not answered.
   */
  deliver(message: readonly Expression[], find: FindReceiver): void {
    const requestId = message[1]!, target = message[2]!, name = message[3]!, flag = message[4]!;
    if (!(name instanceof Uint8Array)) throw new ProtocolError("The peer called a method without a name");
    if (this.#pending >= this.#host.maxPendingCalls) {
      throw new ProtocolError(`The peer made more than ${this.#host.maxPendingCalls} calls at once`);
    }
    const method = name instanceof Word ? name.text : decodeLossy(name);
    // What Python would take for true: Twisted sends a number, and others may send a list or bytes.
    const isAnswerWanted = Array.isArray(flag) || flag instanceof Uint8Array
      ? flag.length > 0
      : Number(flag) !== 0;
    const call = new PbCall(this.#host, message[5]!, message[6]!, isAnswerWanted);
    const delivery = { requestId, method, call };
    let result: unknown;
    let isLater: boolean;
    try {
      const receiver = find(target);
      if (receiver === undefined) throw new PbError("Invalid Object ID");
      result = receiver.remoteMessageReceived(method, call);
      isLater = isThenable(result);
    } catch (error) {
      return this.#fail(delivery, error);
    }
    if (!isLater) return this.#answer(delivery, result);
    this.#pending++;
    Promise.resolve(result).then(
      (value) => {
        this.#pending--;
        this.#answer(delivery, value);
      },
      (error) => {
        this.#pending--;
        this.#fail(delivery, error);
      },
    );
  }

  #answer(delivery: Delivery, value: unknown): void {
    const { call, requestId } = delivery;
    if (!call.isAnswerWanted || this.#host.isClosed()) return;
    this.#reply(
      "answer",
      requestId,
      call.resultPerspective,
      (_, jellier) => jellier.jelly(value, "result"),
      (error) => {
        // A result that cannot be sent is the method's failure.
        this.#fail(delivery, ownError(error));
      },
    );
  }

  #fail({ requestId, method, call }: Delivery, thrown: unknown): void {
    if (this.#host.isClosed()) return;
    const error = toError(thrown);
    // Failed logins are reported by `ConnectionLogins`, as `login-failed`.
    const isExpected = error instanceof PbError || error instanceof LoginFailed;
    if (!isExpected) this.#host.callFailed(method, error);
    if (!call.isAnswerWanted) return;
    const describe = () => {
      const exposes = this.#host.unsafeTracebacks;
      const failure = failureOf(error, exposes);
      this.#reply(
        "error",
        requestId,
        undefined,
        (encoder) => writeFailure(failure, exposes, encoder),
        (cause) => {
          this.#host.callFailed(method, cause);
        },
      );
    };
    // As in Twisted: an error whose class may cross is sent as an object; of any other one only a description is.
    const travels = isJellyable(error) || error instanceof PbError && this.#host.mayCross(error);
    if (!travels) return describe();
    this.#reply(
      "error",
      requestId,
      call.resultPerspective,
      (_, jellier) => jellier.jelly(error, "error"),
      (cause) => {
        this.#host.callFailed(method, cause);
        describe();
      },
    );
  }

  #reply(
    word: "answer" | "error",
    requestId: Expression,
    perspective: object | undefined,
    writePayload: (encoder: BananaEncoder, jellier: Jellier) => void,
    failed: (error: Error) => void,
  ): void {
    const jellier = this.#host.jellier(perspective);
    this.#host.outbox.message({
      isReply: true,
      write(encoder) {
        encoder.list(3);
        encoder.word(word);
        encoder.expression(requestId);
        writePayload(encoder, jellier);
        jellier.commit();
      },
      failed(error) {
        jellier.undo();
        failed(error);
      },
    });
  }
}

interface Delivery {
  readonly requestId: Expression;
  readonly method: string;
  readonly call: PbCall;
}

/** What a name or number of a peer's call is; others are a mistake of the caller. */
export function targetOf(id: Expression): number | string | undefined {
  if (typeof id === "number") return id;
  if (id instanceof Word) return id.text;
  if (id instanceof Uint8Array) return decodeLossy(id);
  if (typeof id === "bigint") return undefined;
  throw new BadCall("Cannot call: an object has a number or a name");
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (typeof value === "object" || typeof value === "function") && value !== null && "then" in value &&
    typeof value.then === "function";
}
