/**
 * Calls of the peer that name results of others: put aside until those are there, then delivered as if they had just come.
 *
 * A call that waits holds up those of the same object, or of the same result, and no others.
 *
 * @module
 */

import { toError, Violation } from "../errors.ts";
import { findAdapter } from "../graph/adapters.ts";
import type { Pending } from "../graph/pending.ts";
import { kindOf } from "../graph/schema/checking.ts";
import type { InboundCall } from "./call.ts";
import { Callable } from "./callable.ts";
import type { Deliveries, Delivery } from "./deliveries.ts";
import { Homecoming, type HomecomingOptions } from "./homecoming.ts";
import { rulesOf } from "./inbound_rules.ts";
import { KeptAnswers, type Outcome } from "./kept_answers.ts";
import type { NamedResult, PromisedHost } from "./promised.ts";
import { Referenceable } from "./referenceable.ts";
import { forwarderFor } from "./forwarder.ts";
import { type HandleOwner, RemoteHandle } from "./remote_handle.ts";
import { RemoteFunction, RemoteReference } from "./remote_reference.ts";
import { partAt } from "./settled_arguments.ts";
import { type Waiting, WaitingLines } from "./waiting_lines.ts";

interface Argument {
  readonly pending: Pending;
  readonly named: NamedResult;
}

/** A call that is complete but for results of others. */
interface Aside extends Waiting {
  isReady: boolean;
  isGone: boolean;
  /** How many things it waits for. */
  missing: number;
}

/** What an {@linkcode InboundPipeline} needs of the broker. */
export interface InboundPipelineOptions extends HomecomingOptions {
  /** The connection, as its handles know it. */
  readonly owner: HandleOwner;
  deliveries(): Deliveries;
}

/** The pipelined calls that one connection receives. */
export class InboundPipeline implements PromisedHost {
  /** The results that the peer may name. */
  readonly answers: KeptAnswers;
  readonly #deliveries: () => Deliveries;
  readonly #owner: HandleOwner;
  readonly #homecoming: Homecoming;
  readonly #maxBytes: number;
  readonly #lines = new WaitingLines<Aside>();
  #arguments: Argument[] | undefined;
  #isInCall = false;

  /** None yet. */
  constructor(options: InboundPipelineOptions) {
    const { limits } = options;
    this.#owner = options.owner;
    const deliveries = this.#deliveries = () => options.deliveries();
    this.#homecoming = new Homecoming(options);
    this.#maxBytes = limits.maxMessageBytes;
    this.answers = new KeptAnswers({
      maxAnswers: limits.maxKeptAnswers,
      maxBytes: limits.maxKeptAnswerBytes,
      isUnanswered: (requestId) => deliveries().has(requestId),
    });
  }

  /** A message begins: only a call may name results. */
  begin(isCall: boolean): void {
    this.#isInCall = isCall;
    this.#arguments = undefined;
  }

  outcomeOf(requestId: number): Outcome {
    if (!this.#isInCall) throw new Violation("Cannot use a promised result outside of a call");
    return this.answers.find(requestId);
  }

  argument(pending: Pending, named: NamedResult): void {
    (this.#arguments ??= []).push({ pending, named });
  }

  /**
   * Takes the call that has just come, if it has to wait, or its turn in a line.
   *
   * @param target The result that it calls; `undefined` if it names an object.
   * @returns Whether it was taken.
   * @throws {ProtocolError} If the peer waits for the answers of too many calls, or of one with the same number.
   * @throws {Violation} If those that wait take too much memory.
   */
  take(delivery: Delivery, target: NamedResult | undefined): boolean {
    const named = this.#arguments;
    this.#arguments = undefined;
    const key = target?.outcome ?? delivery.call.target;
    const isBehind = key !== undefined && this.#lines.has(key);
    if (named === undefined && target === undefined && !isBehind) return false;
    this.#deliveries().setAside(delivery);
    if (named !== undefined || target !== undefined) {
      delivery.prepare = () => this.#prepare(delivery, target, named ?? []);
    }
    // The broker itself has no line: it is asked for names and counts, which nobody waits for.
    this.#wait(delivery, key ?? delivery, target, named ?? []);
    return true;
  }

  /** Forgets everything: the connection is gone. */
  close(): void {
    this.answers.clear();
    this.#lines.clear();
  }

  #wait(delivery: Delivery, key: object, target: NamedResult | undefined, named: readonly Argument[]): void {
    const outcomes = new Set(named.map(({ named }) => named.outcome));
    if (target !== undefined) outcomes.add(target.outcome);
    const aside: Aside = {
      isReady: false,
      isGone: false,
      missing: 0,
      go: () => {
        aside.isGone = true;
        this.#deliveries().takeUp(delivery);
      },
    };
    const leave: (() => void)[] = [];
    for (const outcome of outcomes) this.answers.lend(outcome);
    delivery.withdraw = () => {
      // A call that never ends would gather those that were given up.
      for (const take of leave) take();
      for (const outcome of outcomes) this.answers.giveBack(outcome);
      this.#lines.leave(key, aside);
    };
    const lessMissing = () => {
      if (--aside.missing > 0 || aside.isGone) return;
      aside.isReady = true;
      this.#lines.advance(key);
    };
    // In the line first: what is there already may let it go at once.
    this.#lines.add(key, aside);
    aside.missing = 1;
    for (const outcome of outcomes) {
      if (!outcome.isPending) continue;
      aside.missing++;
      const take = outcome.whenSettled(() => {
        // It will not be made: it need not wait for anything.
        if (outcome.failure !== undefined && !aside.isGone) this.#lines.leave(key, aside);
        else lessMissing();
      });
      leave.push(take);
    }
    const { scope } = delivery;
    if (scope !== undefined && !scope.awaitsAtMost(named.length)) {
      aside.missing++;
      scope.whenFewer(named.length, lessMissing);
    }
    const failed = [...outcomes].some(({ failure }) => failure !== undefined);
    if (failed) this.#lines.leave(key, aside);
    else lessMissing();
  }

  /** It is the call's turn: puts what was named in its places. */
  #prepare(delivery: Delivery, target: NamedResult | undefined, named: readonly Argument[]): void {
    delivery.withdraw?.();
    delivery.withdraw = undefined;
    const failure = [target, ...named.map(({ named }) => named)].find((n) => n?.outcome.failure)?.outcome
      .failure;
    try {
      if (failure !== undefined) throw failure;
      if (target !== undefined) this.#aim(delivery, target);
    } catch (error) {
      delivery.failure = toError(error);
      delivery.scope = undefined;
      return;
    }
    const known = new Map<Outcome, Map<string, unknown>>();
    for (const { pending, named: { outcome, path } } of named) {
      const place = JSON.stringify(path);
      const copies = known.getOrInsertComputed(outcome, () => new Map<string, unknown>());
      try {
        if (!copies.has(place)) {
          // Results inside each other can be named each by its own path: a short call, and a multiple of their memory.
          if (delivery.bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
          const { value, memory } = this.#homecoming.copy(partAt(outcome.value, path, true));
          copies.set(place, value);
          delivery.bytes += memory;
        }
        pending.resolve(copies.get(place));
      } catch (error) {
        pending.reject(toError(error));
      }
    }
  }

  #aim(delivery: Delivery, { outcome, path }: NamedResult): void {
    const { call } = delivery;
    const target = targetOf(partAt(outcome.value, path, true), call.method, this.#owner);
    delivery.call = { ...call, target, rules: rulesOf(target, call.method) };
  }
}

/**
 * What a call of a result is delivered to: an object of ours, or one of the caller's. One of somebody else's would take the
 * call for ours, and do for the caller what it does for us.
 */
function targetOf(result: unknown, method: string, owner: HandleOwner): NonNullable<InboundCall["target"]> {
  const given = adapterOf(result) ?? result;
  const value = given instanceof RemoteHandle ? RemoteHandle.standInOf(given) ?? given : given;
  if (value instanceof Referenceable) return value;
  if (value instanceof RemoteHandle && RemoteHandle.ownerOf(value) !== owner) {
    const standIn = forwarderFor(value, owner);
    if (standIn !== undefined) return targetOf(standIn, method, owner);
    throw new Violation(
      "Cannot call a method of a result: the result lives in a third Tub: await it and call it yourself",
    );
  }
  // An object of the caller's own: the call goes back, and its result is answered.
  if (value instanceof RemoteReference) {
    return (...args) => (value as RemoteReference).callRemote(method, ...args);
  }
  if (!(value instanceof Callable || value instanceof RemoteFunction)) {
    throw new Violation(
      `Cannot call a method of a result: it is ${kindOf(value)}, not an object that can be called`,
    );
  }
  if (method !== "") {
    throw new Violation("Cannot call a method of a result: it is a function, which has none");
  }
  if (value instanceof RemoteFunction) return (...args) => value.callRemote(...args);
  return value.call as (...args: unknown[]) => unknown;
}

function tooLarge(maxBytes: number): Violation {
  return new Violation(
    `Cannot copy the results that are named: they take more than ${maxBytes} bytes, as much as a message may`,
  );
}

function adapterOf(value: unknown): Referenceable | undefined {
  if (typeof value !== "object" || value === null || value instanceof Referenceable) return undefined;
  for (let p: object | null = Object.getPrototypeOf(value); p !== null; p = Object.getPrototypeOf(p)) {
    const adapter = findAdapter(p);
    if (adapter === undefined) continue;
    const given = adapter.kind === "value" ? adapter.give(value) : undefined;
    return given instanceof Referenceable ? given : undefined;
  }
  return undefined;
}
