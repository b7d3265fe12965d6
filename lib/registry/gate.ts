/**
 * What stands before an object and asks the limits.
 *
 * @module
 */

import { type CallContext, runInCall } from "../broker/call_context.ts";
import { Callable, type Publishable } from "../broker/callable.ts";
import { Forwarder, isSameObject } from "../broker/forwarder.ts";
import { callFunction, contextualCallable } from "../broker/invoke.ts";
import { Referenceable } from "../broker/referenceable.ts";
import { adaptedBy } from "../broker/remotely_callable.ts";
import { PermissionDenied } from "../errors.ts";
import type { InterfaceRules } from "../graph/schema/method_schema.ts";
import type { LimitKind } from "./capability_event.ts";
import type { Limit, LimitedCall } from "./limit.ts";
import { cannotCall } from "./limits.ts";

/** What a {@linkcode Gate} tells of its calls. */
export interface GateWatcher {
  /** A call passes. What it throws keeps it from passing: it could not be written down. */
  used(method: string, caller: string | undefined): void;
  /** A call was refused. Must not throw. */
  denied(method: string, caller: string | undefined, limit: LimitKind): void;
}

/** A call that has begun and not ended. */
interface RunningCall {
  readonly context: CallContext;
  readonly reject: (error: Error) => void;
}

/** Why a gate lets nothing pass any more. */
export type GateEnd = "revoked" | "expires";

const WORDS: Readonly<Record<GateEnd, string>> = {
  revoked: "this capability was revoked",
  expires: "this capability has expired",
};

const NONE: readonly Limit[] = [];

function counts(limit: Limit): boolean {
  return limit.count !== undefined;
}

/** The way to one target, by one facet. */
export class Gate {
  readonly #limits: readonly Limit[];
  readonly #counting: readonly Limit[];
  readonly #watcher: GateWatcher;
  readonly #policy: Limit | undefined;
  /** None before the first call that has to be waited for: most gates see no such call. */
  #running: Set<RunningCall> | undefined;
  #target: Publishable | undefined;
  #adapted: object | undefined;
  #facet: Publishable | undefined;
  #end: GateEnd | undefined;

  /**
   * @param limits In the order in which they are asked; those of the parents first.
   * @param policy Is asked after them, here and at no other gate: it may run code of the program's.
   */
  constructor(target: Publishable, limits: readonly Limit[], watcher: GateWatcher, policy?: Limit) {
    this.#policy = policy;
    this.#target = target;
    this.#adapted = adaptedBy(target);
    this.#limits = limits;
    this.#counting = limits.some(counts) ? limits.filter(counts) : NONE;
    this.#watcher = watcher;
  }

  /** What calls go to; `undefined` when it is shut. */
  get target(): Publishable | undefined {
    return this.#target;
  }

  /** All of its limits, for a gate to the same target that has more. */
  get limits(): readonly Limit[] {
    return this.#limits;
  }

  /** Calls that have begun and not ended. */
  get running(): number {
    return this.#running?.size ?? 0;
  }

  /** What callers hold: a target that a method returns is this to them. */
  set facet(facet: Publishable) {
    this.#facet = facet;
  }

  /**
   * Lets a call through.
   *
   * @returns What the target gives, or a promise of it.
   * @throws {PermissionDenied} If a limit refuses it. The promise is rejected with one if the gate is shut meanwhile.
   */
  pass(method: string, args: unknown[], context: CallContext): unknown {
    this.#admit({ method, context });
    const target = this.#target;
    // Who is told of uses may have noticed that its time is over.
    if (target === undefined) throw this.#refusal(method);
    const own = this.#adapted;
    // What a forwarder calls for it ends with it.
    const derived = target instanceof Forwarder ? context.derive(true) : context.derive();
    let result: unknown;
    try {
      result = runInCall(derived, invoke, { target, method, args, context: derived });
      if (isThenable(result)) return this.#wait(result, target, own, context, derived);
    } catch (error) {
      derived.end();
      // Its own method may have shut it.
      this.#checkOpen(method);
      throw error;
    }
    derived.end();
    this.#checkOpen(method);
    return this.#given(result, target, own);
  }

  /** Lets nothing pass any more; after that {@linkcode Gate.endCalls} ends what runs. */
  shut(end: GateEnd): void {
    this.#end = end;
    this.#target = this.#adapted = undefined;
  }

  /** Fails all calls that have begun, of a gate that was shut: their results are dropped when they come. */
  endCalls(): void {
    const calls = this.#running ?? [];
    this.#running = undefined;
    for (const { context, reject } of calls) {
      const error = this.#refusal(context.method);
      reject(error);
      context.abort(error);
      context.end();
    }
  }

  #admit(call: LimitedCall): void {
    const { method, context } = call;
    if (this.#end !== undefined) {
      this.#watcher.denied(method, context.caller, this.#end);
      throw this.#refusal(method);
    }
    this.#ask(this.#limits, call);
    if (this.#policy !== undefined) {
      this.#ask([this.#policy], call);
      this.#checkOpen(method);
      // It may have used up what was left.
      this.#ask(this.#counting, call);
    }
    recordUse(call, this.#counting, this.#watcher);
  }

  #ask(limits: readonly Limit[], call: LimitedCall): void {
    for (const limit of limits) {
      const why = limit.refuses(call);
      if (why === undefined) continue;
      this.#watcher.denied(call.method, call.context.caller, limit.kind);
      throw new PermissionDenied(why, { limit: limit.kind });
    }
  }

  #wait(
    result: PromiseLike<unknown>,
    target: Publishable,
    own: object | undefined,
    context: CallContext,
    derived: CallContext,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call: RunningCall = { context: derived, reject };
      const leave = context.whenAborted((reason) => derived.abort(reason));
      if (context.abortReason !== undefined) derived.abort(context.abortReason);
      (this.#running ??= new Set()).add(call);
      const end = (): boolean => {
        leave();
        derived.end();
        return this.#running?.delete(call) === true;
      };
      Promise.resolve(result).then((value) => {
        if (!end()) return;
        resolve(this.#given(value, target, own));
      }, (error) => {
        if (end()) reject(error);
      });
      // It was shut by the method itself, before it waited.
      if (this.#end === "revoked") this.endCalls();
    });
  }

  /** A method that gives its own object gives what its caller has of that. */
  #given(value: unknown, target: Publishable, own: object | undefined): unknown {
    return (own !== undefined && value === own) || isSameObject(target, value) ? this.#facet : value;
  }

  /** A result that comes after the revocation is as good as none. */
  #checkOpen(method: string): void {
    if (this.#end === "revoked") throw this.#refusal(method);
  }

  #refusal(method: string): PermissionDenied {
    const end = this.#end ?? "revoked";
    return new PermissionDenied(`${cannotCall(method)}: ${WORDS[end]}`, { limit: end });
  }
}

/**
 * Counts a call that may pass, and takes it down.
 *
 * @throws {PermissionDenied} If it cannot be taken down.
 */
export function recordUse(call: LimitedCall, counting: readonly Limit[], watcher: GateWatcher): void {
  const { method, context: { caller } } = call;
  try {
    for (const limit of counting) limit.count!(call);
    watcher.used(method, caller);
  } catch (cause) {
    // What was counted stays counted: a call too few passes, never one too many.
    watcher.denied(method, caller, "record");
    throw new PermissionDenied(
      `${cannotCall(method)}: its use cannot be recorded at the moment; try again later`,
      { limit: "record", cause },
    );
  }
}

interface Passing {
  readonly target: Publishable;
  readonly method: string;
  readonly args: unknown[];
  readonly context: CallContext;
}

function invoke({ target, method, args, context }: Passing): unknown {
  if (target instanceof Referenceable) return target.doRemoteCall(method, args, context);
  return callFunction(target.call, args, context);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== "object" || value === null) return false;
  return value instanceof Promise || typeof (value as { then?: unknown }).then === "function";
}

/** An object with an identity of its own, and the target's interface. Nothing leads from it to the target. */
class Facet extends Referenceable {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    super();
    this.#gate = gate;
  }
  override doRemoteCall(name: string, args: unknown[], context: CallContext): unknown {
    return this.#gate.pass(name, args, context);
  }
  override getInterface(): InterfaceRules | undefined {
    const { target } = this.#gate;
    return target instanceof Referenceable ? target.getInterface() : undefined;
  }
  override getInterfaceName(): string | undefined {
    const { target } = this.#gate;
    return target instanceof Referenceable ? target.getInterfaceName() : undefined;
  }
}

/** The facet of a gate: of the kind that its target is. */
export function facetOf(gate: Gate): Publishable {
  const facet = gate.target instanceof Callable
    ? contextualCallable((args, context) => gate.pass("", args, context))
    : new Facet(gate);
  gate.facet = facet;
  return facet;
}
