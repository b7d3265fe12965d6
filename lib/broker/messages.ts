/**
 * The messages of a connection as they arrive: `call` with its `arguments`, `answer`, `error`.
 *
 * Source: Foolscap `call.py`.
 *
 * @module
 */

import { ProtocolError, type RemoteException, toError, Violation } from "../errors.ts";
import { segmentOf } from "../graph/path.ts";
import type { Pending, PendingScope } from "../graph/pending.ts";
import { Aborted } from "../graph/receiver.ts";
import { checkValue, type Constraint, refusalOf } from "../graph/schema/constraint.ts";
import type { MethodRules } from "../graph/schema/method_schema.ts";
import { type Receiving, Unslicer, type UnslicerTable } from "../graph/unslicer.ts";
import { Kwargs } from "../values/kwargs.ts";
import { MAX_NAME_BYTES, MAX_TIMER_MS } from "../limits.ts";
import { decodeText, quoteForeign } from "../util/text.ts";
import { INT, NEG, OPEN, STRING, tokenName, VOCAB } from "../wire/tokens.ts";
import type { InboundCall } from "./call.ts";
import { FAILURE_TYPE } from "./failure.ts";
import type { Pipelining } from "./pipelining.ts";
import type { NamedResult } from "./promised.ts";
import type { PendingRequest } from "./requests.ts";

/** What the messages do to the broker. */
export interface MessageHost {
  /**
   * Called before every message: the connection may have ended in the one before, of the same chunk.
   *
   * @throws {ProtocolError} If it has.
   */
  checkOpen(): void;
  /** What there is if calls may name results of others. */
  readonly pipelining: Pipelining | undefined;
  /** What a call's number names; `undefined` if it names nothing. 0 is the broker itself. */
  target(clid: number): { readonly target: InboundCall["target"] } | undefined;
  /**
   * The rules of a method of what a call's number named; `undefined` if its class declares none.
   *
   * @throws {Violation} If its RemoteInterface has no such method.
   */
  rulesOf(target: InboundCall["target"], method: string): MethodRules | undefined;
  /** Whether a call may say how long its caller waits: both ends have agreed to it. */
  readonly takesDeadlines: boolean;
  /**
   * A call is complete.
   *
   * @param waitMs How long its caller waits, in milliseconds, if it may give the call up: see `cancel_message.ts`.
   * @param target The result that it calls, where it names one.
   */
  deliver(
    call: Omit<InboundCall, "context">,
    scope: PendingScope | undefined,
    bytes: number,
    waitMs: number | undefined,
    target: NamedResult | undefined,
  ): void;
  /**
   * A call cannot be taken.
   *
   * @throws {ProtocolError} If its number is that of a call that has not been answered.
   */
  refuse(requestId: number, error: Error): void;
  /** The call of ours that an answer is for. */
  request(requestId: number): PendingRequest | undefined;
  /** Whether we ever made a call of this number. */
  wasIssued(requestId: number): boolean;
  /** A call of ours failed over there. */
  failed(request: PendingRequest, failure: RemoteException): void;
  /** A message was dropped without harm. */
  dropped(reason: string): void;
}

function checkRequestId(value: unknown): number {
  if (typeof value !== "number") throw new ProtocolError("Request ID is too large");
  return value;
}

/** The top level: messages by their type. An unknown one is dropped, as in Foolscap. */
export class MessageRoot extends Unslicer {
  /** A top level of these messages. */
  constructor(receiver: Receiving, readonly messages: UnslicerTable, readonly host: MessageHost) {
    super(receiver);
  }

  override open(word: string): Unslicer | undefined {
    this.host.checkOpen();
    this.host.pipelining?.inbound.begin(word === "call");
    return this.messages.make(this.receiver, word);
  }
  override receive(): void {}
  override receivePending(): void {}
  override violated(violation: Violation): undefined {
    this.host.dropped(violation.message);
  }
  override close(): void {}
}

/**
 * `OPEN call INT(request) INT(object)|OPEN(promised) STRING(method) OPEN arguments ... CLOSE [INT(milliseconds)] CLOSE`
 *
 * The last number is not Foolscap's: with the feature `deadline`, a call that may be given up says how long its caller still
 * waits. A result in the place of the object is that of `pipeline`.
 */
export class CallUnslicer extends Unslicer {
  readonly #host: MessageHost;
  #requestId = 0;
  #target: InboundCall["target"];
  #promised: NamedResult | undefined;
  #method = "";
  #rules: MethodRules | undefined;
  #arguments: Arguments | undefined;
  #waitMs: number | undefined;

  /** A call for `host`. */
  constructor(receiver: Receiving, host: MessageHost) {
    super(receiver);
    this.#host = host;
  }

  override checkToken(type: number, size: number): void {
    switch (this.count) {
      case 0:
        if (type !== INT) throw new ProtocolError("Request ID must be an INT");
        return;
      case 1:
        if (type !== INT && type !== NEG && !(type === OPEN && this.#host.pipelining !== undefined)) {
          throw new ProtocolError("Object ID must be an INT/NEG");
        }
        return;
      case 2:
        if (type !== STRING && type !== VOCAB) throw new ProtocolError("Method name must be a STRING");
        if (size > MAX_NAME_BYTES) {
          throw new Violation(`Method name too long: ${size} > ${MAX_NAME_BYTES} bytes`);
        }
        return;
      case 3:
        if (type !== OPEN) throw new ProtocolError("Arguments must be an 'arguments' sequence");
        return;
      case 4:
        if (!this.#host.takesDeadlines) break;
        if (type !== INT) throw new ProtocolError("The time that a caller waits must be an INT");
        return;
    }
    throw new ProtocolError("Too many objects given to a call");
  }

  override open(word: string): Unslicer {
    if (this.count === 1) {
      const promised = this.#host.pipelining?.target(this.receiver, word);
      if (promised === undefined) throw new ProtocolError("Object ID must be an INT/NEG");
      return promised;
    }
    if (word !== "arguments") throw new ProtocolError("Arguments must be an 'arguments' sequence");
    return new ArgumentsUnslicer(this.receiver, this.#rules);
  }

  override receive(value: unknown): void {
    if (this.count === 0) this.#requestId = checkRequestId(value);
    else if (this.count === 1) this.#takeTarget(value);
    else if (this.count === 3) this.#arguments = value as Arguments;
    else this.#takeWait(value);
  }

  override receiveBytes(bytes: Uint8Array, start: number, end: number): void {
    try {
      this.#method = decodeText(bytes, start, end);
    } catch (cause) {
      throw new Violation("Method name is not UTF-8", { cause });
    }
    // Of a result nothing is known yet: its rules are asked when it is there.
    if (this.#promised !== undefined) return;
    this.#rules = this.#host.rulesOf(this.#target, this.#method);
  }

  override violated(violation: Violation): Violation {
    if (this.count > 0 && this.#requestId !== 0 && !(violation instanceof Aborted)) {
      this.#host.refuse(this.#requestId, violation);
    }
    return violation;
  }

  override close(): void {
    if (this.#arguments === undefined) throw new ProtocolError("'call' sequence ended too early");
    this.#deliver(this.#arguments);
  }

  #takeTarget(clid: unknown): void {
    if (typeof clid === "object") {
      this.#promised = clid as NamedResult;
      return;
    }
    const found = typeof clid === "number" ? this.#host.target(clid) : undefined;
    if (found === undefined) throw new Violation(`Unknown CLID ${String(clid)}`);
    this.#target = found.target;
  }

  #takeWait(value: unknown): void {
    if (typeof value !== "number" || value > MAX_TIMER_MS) {
      throw new ProtocolError("The time that a caller waits is too large");
    }
    this.#waitMs = value;
  }

  #deliver({ args, keywords }: Arguments): void {
    const scope = this.receiver.pendingScope;
    const isComplete = scope === undefined || (scope.isComplete && scope.failure === undefined);
    const finish = () => {
      if (keywords !== undefined) args.push(new Kwargs(keywords));
    };
    if (isComplete) finish();
    else scope.whenComplete(finish);
    this.#host.deliver(
      {
        requestId: this.#requestId,
        target: this.#target,
        method: this.#method,
        args,
        rules: this.#rules,
      },
      isComplete ? undefined : scope,
      this.receiver.messageBytes,
      this.#waitMs,
      this.#promised,
    );
  }
}

interface Arguments {
  readonly args: unknown[];
  readonly keywords: Record<string, unknown> | undefined;
}

/** `OPEN arguments INT(n) value*n (STRING(name) value)* CLOSE` */
class ArgumentsUnslicer extends Unslicer {
  readonly #rules: MethodRules | undefined;
  readonly #args: unknown[] = [];
  #keywords: Record<string, unknown> | undefined;
  #positional = 0;
  #name: string | undefined;
  /** The rule for the keyword argument whose name has come. */
  #rule: Constraint | undefined;

  constructor(receiver: Receiving, rules: MethodRules | undefined) {
    super(receiver);
    this.#rules = rules;
  }

  override get constrains(): boolean {
    return this.#rules !== undefined;
  }

  override nextConstraint(): Constraint | undefined {
    if (this.count === 0) return undefined;
    if (this.#args.length < this.#positional) return this.#rules!.positional(this.#args.length);
    return this.#name === undefined ? undefined : this.#rule;
  }

  override get maxChildren(): number {
    return this.receiver.limits.maxElements * 2;
  }

  override checkToken(type: number, size: number): void {
    if (this.count === 0) {
      if (type !== INT) throw new ProtocolError("Posarg count must be an INT");
    } else if (this.#args.length === this.#positional && this.#name === undefined) {
      if (type !== STRING && type !== VOCAB) throw new ProtocolError("Kwarg name must be a STRING");
      if (size > MAX_NAME_BYTES) {
        throw new Violation(`Argument name too long: ${size} > ${MAX_NAME_BYTES} bytes`);
      }
    }
  }

  override receive(value: unknown): void {
    if (this.count === 0) {
      if (typeof value !== "number") throw new ProtocolError("Posarg count is too large");
      this.#positional = value;
    } else if (this.#args.length < this.#positional) {
      this.#args.push(value);
    } else {
      this.#keywords![this.#name!] = value;
      this.#name = undefined;
    }
  }

  override receivePending(pending: Pending): void {
    const name = this.#name;
    const index = this.#args.length;
    this.receive(undefined);
    pending.whenSettled((value) => {
      if (name === undefined) this.#args[index] = value;
      else this.#keywords![name] = value;
    });
  }

  override receiveBytes(bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    if (this.#args.length < this.#positional || this.#name !== undefined) {
      return super.receiveBytes(bytes, start, end, owned);
    }
    let name: string;
    try {
      name = decodeText(bytes, start, end);
    } catch (cause) {
      throw new Violation("Argument name is not UTF-8", { cause });
    }
    if (name === "") throw new Violation("Argument name is empty");
    if (this.#rules !== undefined) {
      try {
        this.#rule = this.#rules.keyword(name, this.#positional);
      } catch (error) {
        throw refusalOf(error);
      }
      if (this.#keywords !== undefined && name in this.#keywords) {
        throw new Violation(`got multiple values for keyword argument ${quoteForeign(name, 100)}`);
      }
    }
    this.#keywords ??= Object.create(null) as Record<string, unknown>;
    this.#name = name;
  }

  override close(): Arguments {
    if (this.count === 0 || this.#args.length < this.#positional || this.#name !== undefined) {
      throw new ProtocolError("'arguments' sequence ended too early");
    }
    return { args: this.#args, keywords: this.#keywords };
  }

  override segment(): string {
    if (this.count === 0) return "arguments";
    return this.#name === undefined ? `arguments[${this.#args.length}]` : `arguments${segmentOf(this.#name)}`;
  }
}

/** `OPEN answer INT(request) value CLOSE` */
export class AnswerUnslicer extends Unslicer {
  readonly #host: MessageHost;
  #request: PendingRequest | undefined;
  #value: unknown;

  /** An answer for a call of `host`. */
  constructor(receiver: Receiving, host: MessageHost) {
    super(receiver);
    this.#host = host;
  }

  override checkToken(type: number): void {
    if (this.count === 0 && type !== INT) throw new ProtocolError("Request ID must be an INT");
    if (this.count > 1) throw new ProtocolError("Answer has more than one value");
  }

  override receive(value: unknown): void {
    if (this.count === 0) {
      const requestId = checkRequestId(value);
      this.#request = this.#host.request(requestId);
      // The answer to a call that was given up is taken in: it may bring references that must be counted.
      if (this.#request === undefined && !this.#host.wasIssued(requestId)) {
        throw new Violation(`Non-existent request ID ${requestId}`);
      }
      return;
    }
    this.#value = value;
  }

  override get constrains(): boolean {
    return true;
  }

  override nextConstraint(): Constraint | undefined {
    return this.count === 1 ? this.#request?.response : undefined;
  }

  override receivePending(pending: Pending): void {
    pending.whenSettled((value) => this.#value = value);
  }

  override violated(violation: Violation): Violation {
    const reason = violation instanceof Aborted
      ? new Violation("The peer could not serialize its answer: ABORT received")
      : violation;
    this.#request?.answerFailed(reason);
    this.#host.pipelining?.seen.taken();
    return violation;
  }

  override close(): void {
    if (this.count < 2) throw new ProtocolError("Answer has no value");
    const request = this.#request;
    const scope = this.receiver.pendingScope;
    if (request === undefined || scope === undefined) {
      if (request !== undefined) this.#resolve(request);
      return this.#host.pipelining?.seen.taken();
    }
    const taken = this.#host.pipelining?.seen.takenLater();
    scope.whenComplete((failure) => {
      if (failure === undefined) this.#resolve(request);
      else request.answerFailed(failure);
      taken?.();
    });
  }

  #resolve(request: PendingRequest): void {
    const { response } = request;
    if (response === undefined) return request.resolve(this.#value);
    let value: unknown;
    try {
      value = checkValue(response, this.#value, "inbound", "result");
    } catch (error) {
      return request.answerFailed(toError(error));
    }
    request.resolve(value);
  }

  override segment(): string {
    return this.count === 1 ? "result" : "";
  }
}

/** `OPEN error INT(request) OPEN copyable twisted.python.failure.Failure ... CLOSE CLOSE` */
export class ErrorUnslicer extends Unslicer {
  readonly #host: MessageHost;
  #request: PendingRequest | undefined;
  #failure: RemoteException | undefined;

  /** The failure of a call of `host`. */
  constructor(receiver: Receiving, host: MessageHost) {
    super(receiver);
    this.#host = host;
  }

  override checkToken(type: number): void {
    if (this.count === 0) {
      if (type !== INT) throw new ProtocolError("Request ID must be an INT");
    } else if (this.count === 1) {
      if (type !== OPEN) throw new Violation(`${tokenName(type)} token rejected: a failure is a copyable`);
    } else {
      throw new ProtocolError("Error has more than one failure");
    }
  }

  override open(word: string, detail: string | undefined): Unslicer | undefined {
    if (word !== "copyable" || detail !== FAILURE_TYPE) {
      throw new Violation(
        `Unacceptable OPEN type ${quoteForeign(detail ?? word, 64)}: a failure is expected`,
      );
    }
    return super.open(word, detail);
  }

  override receive(value: unknown): void {
    if (this.count === 0) {
      const requestId = checkRequestId(value);
      this.#request = this.#host.request(requestId);
      if (this.#request === undefined) {
        this.#host.dropped(`Error for request ${requestId}, which does not wait`);
      }
    } else {
      this.#failure = value as RemoteException;
    }
  }

  override violated(violation: Violation): Violation {
    this.#request?.answerFailed(violation);
    this.#host.pipelining?.seen.taken();
    return violation;
  }

  override close(): void {
    if (this.#failure === undefined) throw new ProtocolError("Error has no failure");
    if (this.#request !== undefined) this.#host.failed(this.#request, this.#failure);
    this.#host.pipelining?.seen.taken();
  }
}
