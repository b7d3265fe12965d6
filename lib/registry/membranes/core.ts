/**
 * A membrane: what stands for what on which side of it, and the calls that cross it.
 *
 * @module
 */

import { Callable, type Publishable } from "../../broker/callable.ts";
import { callFunction } from "../../broker/invoke.ts";
import type { CallContext } from "../../broker/call_context.ts";
import { Forwarder, isSameObject } from "../../broker/forwarder.ts";
import { Referenceable } from "../../broker/referenceable.ts";
import { RemoteHandle } from "../../broker/remote_handle.ts";
import { adaptedBy } from "../../broker/remotely_callable.ts";
import { RemotePromise } from "../../broker/remote_reference.ts";
import { Watches } from "../../broker/watches.ts";
import { PermissionDenied, toError, Violation } from "../../errors.ts";
import type { SturdyRef } from "../../names/sturdy_ref.ts";
import { quoteForeign } from "../../util/text.ts";
import type { Trace } from "../../util/trace.ts";
import { Kwargs } from "../../values/kwargs.ts";
import type { LimitKind } from "../capability_event.ts";
import { type GateEnd, type GateWatcher, recordUse } from "../gate.ts";
import type { Limit } from "../limit.ts";
import { cannotCall } from "../limits.ts";
import { copyAcross, type Customs, errorAcross } from "./values.ts";
import { type BehindHandles, CrossedHandle, crossedHandle, type SendingOptions } from "./handles.ts";
import { type MembraneCall, type MembranePolicy, refusal } from "./policy.ts";
import { RunningCalls, shellOf } from "./calls.ts";
import { type SturdyHost, SturdyRefs } from "./sturdy_refs.ts";

/** A side of a membrane. The object that it was made for is inside. */
export type Side = "inside" | "outside";

/** What a {@linkcode MembraneCore} needs. */
export interface MembraneParts {
  readonly label: string | undefined;
  /** All of them have to allow a call. */
  readonly policies: readonly MembranePolicy[];
  /** Are asked about calls of what is inside. */
  readonly limits: readonly Limit[];
  /** More of them, for one object that is inside. */
  limitsOf?(object: object): readonly Limit[];
  /** Is told of calls of what is inside, and of all that are refused. */
  readonly watcher: GateWatcher;
  readonly trace: Trace;
  /** Gives FURLs to what is wrapped, and follows those that cross; without it, none can cross. */
  readonly sturdy: SturdyHost | undefined;
  /** Is told what the outside has got for an object of the inside. Must not throw. */
  onWrapped?(standIn: Publishable, object: object): void;
}

/** What a stand-in stands for. */
interface Origin {
  readonly target: object;
  /** The side that has the stand-in; the target is on the other one. */
  readonly heldBy: Side;
  readonly limits: readonly Limit[];
}

const NO_LIMITS: readonly Limit[] = [];

/** One membrane. */
export class MembraneCore implements BehindHandles {
  readonly #parts: MembraneParts;
  readonly #counting: readonly Limit[];
  /** Those that say whether it is over. */
  readonly #ends: readonly Limit[];
  readonly #asked: readonly MembranePolicy[];
  readonly #running = new RunningCalls();
  readonly #watches: Watches;
  readonly #customs: Readonly<Record<Side, Customs>>;
  readonly #sturdyRefs: SturdyRefs;
  #standIns: Record<Side, WeakMap<object, WeakRef<object>>> = {
    inside: new WeakMap(),
    outside: new WeakMap(),
  };
  #origins = new WeakMap<object, Origin>();
  /** What it was made for. */
  #enclosed: Publishable | undefined;
  #end: GateEnd | undefined;
  #reason: string | undefined;

  /** A membrane around nothing yet. */
  constructor(parts: MembraneParts) {
    this.#parts = parts;
    this.#counting = parts.limits.filter((limit) => limit.count !== undefined);
    this.#ends = parts.limits.filter(({ kind }) => kind === "expires" || kind === "revoked");
    this.#asked = parts.policies.filter(({ allow, onCall }) => allow !== undefined || onCall !== undefined);
    this.#watches = new Watches(parts.trace);
    this.#sturdyRefs = new SturdyRefs(parts.sturdy);
    this.#customs = { inside: this.#customsOf("inside"), outside: this.#customsOf("outside") };
  }

  /** Calls that have begun and not ended, of both directions. */
  get running(): number {
    return this.#running.size;
  }

  /** Why it lets nothing pass any more. */
  get ended(): GateEnd | undefined {
    return this.#end;
  }

  /**
   * What the outside has of the object that the membrane is made for. The caller asks the limits of its calls, and the
   * policy, by itself, and may let something else stand for it: see {@linkcode MembraneCore.standFor}.
   */
  enclose(object: Publishable): Publishable {
    this.#enclosed = object;
    return this.#wrap(object, "outside", NO_LIMITS) as Publishable;
  }

  /** The policies, for who asks the limits of calls of what the membrane was made for; `undefined` if there are none. */
  get policy(): Limit | undefined {
    if (this.#asked.length === 0) return undefined;
    const { label } = this.#parts;
    return {
      kind: "policy",
      refuses: ({ method, context: { caller } }) =>
        this.#refusalOf({ direction: "inward", method, label, caller }),
    };
  }

  /** The same as {@linkcode MembraneCore.enclose}, where nobody else asks the limits. */
  wrap(object: Publishable): Publishable {
    this.#enclosed = object;
    return this.#wrap(object, "outside") as Publishable;
  }

  /** Lets something else be what the outside has of an object inside. It is for the caller to keep it. */
  standFor(standIn: Publishable, object: Publishable): void {
    this.#origins.set(standIn, { target: object, heldBy: "outside", limits: NO_LIMITS });
    this.#standIns.outside.set(object, new WeakRef(standIn));
    this.#enclosed = object;
  }

  /** Lets nothing pass any more, in either direction. Calls that have begun go on until {@linkcode MembraneCore.endCalls}. */
  shut(end: GateEnd, reason?: string): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#reason = reason;
    this.#sturdyRefs.clear();
    if (end === "revoked") this.#forget();
    this.#watches.fire();
  }

  /** Fails the calls that have begun. */
  endCalls(): void {
    this.#end = "revoked";
    this.#forget();
    this.#running.end((method) => this.cut(method)!);
  }

  // ---- what stand-ins ask

  target(key: object): object | undefined {
    return this.#origins.get(key)?.target;
  }

  cut(method: string): PermissionDenied | undefined {
    if (this.#end === undefined) return undefined;
    const why = this.#reason === undefined ? "" : `: ${quoteForeign(this.#reason)}`;
    const words = this.#end === "revoked"
      ? `this capability was revoked${why}`
      : "this capability has expired";
    return new PermissionDenied(`${cannotCall(method)}: ${words}`, { limit: this.#end });
  }

  whenCut(callback: () => void): Disposable {
    return this.#watches.add(callback, this.#end !== undefined);
  }

  standInFor(key: object): Publishable {
    const origin = this.#origins.get(key);
    const standIn = shellOf(origin?.target ?? key, this);
    if (origin !== undefined) this.#origins.set(standIn, origin);
    return standIn;
  }

  pass(
    key: object,
    method: string,
    args: readonly unknown[],
    context: CallContext,
    sending?: SendingOptions,
  ): unknown {
    const origin = this.#origins.get(key);
    this.#admit(origin, method, sending?.as ?? context);
    const { target, heldBy } = origin!;
    const passed = this.#argumentsAcross(args, opposite(heldBy));
    const signal = sending?.options.signal;
    return this.#running.make({
      context,
      isForwarded: target instanceof Forwarder,
      make: (context) => invoke(target, method, passed, context, sending),
      result: (value) => {
        this.#checkUncut(method);
        return this.cross(value, heldBy);
      },
      failure: (error) => {
        if (this.#end === "revoked") return this.cut(method);
        // The caller's own signal: it gets the very reason that it gave, and no copy of it.
        return signal?.aborted === true && error === signal.reason ? error : this.#errorAcross(error, heldBy);
      },
      cut: () => this.#end === "revoked" ? this.cut(method) : undefined,
    });
  }

  // ---- what crosses

  /**
   * A value as the side has it that it goes to.
   *
   * @throws {Violation} If some part of it cannot cross.
   */
  cross(value: unknown, to: Side): unknown {
    if (isAtom(value)) return value;
    if (isReference(value)) return this.#referenceAcross(value, to);
    if (Object.getPrototypeOf(value) === Uint8Array.prototype) return (value as Uint8Array).slice();
    return copyAcross(value, this.#customs[to]);
  }

  #argumentsAcross(args: readonly unknown[], to: Side): unknown[] {
    if (args.every((arg) => isAtom(arg) || isReference(arg))) {
      return args.map((arg) => isAtom(arg) ? arg : this.#referenceAcross(arg as object, to));
    }
    const last = args.at(-1);
    if (!(last instanceof Kwargs)) return copyAcross([...args], this.#customs[to]) as unknown[];
    // In one run, so that an object that occurs in both is one object on the other side.
    const both = copyAcross([args.slice(0, -1), { ...last.values }], this.#customs[to]);
    const [positional, named] = both as [unknown[], Record<string, unknown>];
    return [...positional, new Kwargs(named)];
  }

  #referenceAcross(object: object, to: Side): unknown {
    if (object instanceof RemotePromise) return this.#promiseAcross(object, to);
    const origin = this.#originOf(object);
    if (origin === undefined) {
      // What it was made for may lead to an object of a peer, who gives that by another reference.
      const enclosed = this.#enclosed;
      const isEnclosed = to === "outside" && enclosed !== undefined && isSameObject(enclosed, object);
      return this.#wrap(isEnclosed ? enclosed : object, to);
    }
    // What has got to its own side by another way stays what it is.
    if (origin.heldBy === to) return object;
    return adaptedBy(origin.target) ?? origin.target;
  }

  #promiseAcross(promise: Promise<unknown>, to: Side): RemotePromise<unknown> {
    const crossed = new RemotePromise<unknown>((resolve, reject) => {
      promise.then((value) => {
        this.#checkUncut("");
        resolve(this.cross(value, to));
      }).catch((error) => reject(this.#errorAcross(error, to)));
    });
    crossed.catch(() => {});
    return crossed;
  }

  #errorAcross(error: unknown, to: Side): unknown {
    const cross = (value: unknown) => this.cross(value, to);
    if (error instanceof Error) return errorAcross(error, cross);
    try {
      return cross(error);
    } catch {
      return new Violation("The method failed with something that cannot cross a membrane");
    }
  }

  #customsOf(to: Side): Customs {
    return {
      reference: (object) => this.#referenceAcross(object, to),
      sturdyRef: (ref: SturdyRef) =>
        this.#sturdyRefs.across(ref, to, (from) => {
          const object = this.#referenceAcross(from, to) as Publishable;
          return { object, isOwn: this.#originOf(object)?.heldBy === to };
        }),
    };
  }

  #originOf(object: object): Origin | undefined {
    const key = object instanceof RemoteHandle ? CrossedHandle.of(object) : object;
    return key === undefined ? undefined : this.#origins.get(key);
  }

  #wrap(target: object, heldBy: Side, limits?: readonly Limit[]): object {
    const standIns = this.#standIns[heldBy];
    const known = standIns.get(target)?.deref();
    if (known !== undefined && !(known instanceof RemoteHandle && RemoteHandle.isReleased(known))) {
      return known;
    }
    const isOutside = heldBy === "outside";
    const { limits: common, limitsOf } = this.#parts;
    const own = limits ?? (isOutside ? [...common, ...(limitsOf?.(target) ?? [])] : NO_LIMITS);
    const origin: Origin = { target, heldBy, limits: own };
    let standIn: object;
    if (target instanceof RemoteHandle) {
      const { handle, key } = crossedHandle(target, this);
      this.#origins.set(key, origin);
      standIn = handle;
    } else {
      standIn = shellOf(target, this);
      this.#origins.set(standIn, origin);
    }
    standIns.set(target, new WeakRef(standIn));
    if (isOutside && limits === undefined && !(standIn instanceof RemoteHandle)) {
      this.#parts.onWrapped?.(standIn as Publishable, target);
    }
    return standIn;
  }

  // ---- what may pass

  #admit(origin: Origin | undefined, method: string, context: CallContext): void {
    const { watcher, label } = this.#parts;
    const isInward = origin?.heldBy !== "inside";
    const caller = isInward ? context.caller : undefined;
    const refuse = (why: PermissionDenied): never => {
      watcher.denied(method, caller, why.limit as LimitKind);
      throw why;
    };
    if (this.#end !== undefined || origin === undefined) refuse(this.cut(method)!);
    const call = { method, context };
    // What is inside has no more time to call out than the outside has to call in.
    const asked = isInward ? origin!.limits : this.#ends;
    for (const limit of asked) {
      const why = limit.refuses(call);
      if (why !== undefined) refuse(new PermissionDenied(why, { limit: limit.kind }));
    }
    // Of what it was made for, the caller has asked.
    if (isInward && origin!.limits === NO_LIMITS) return;
    const counting = isInward ? this.#counting : NO_LIMITS;
    if (this.#asked.length > 0) {
      const why = this.#refusalOf({ direction: isInward ? "inward" : "outward", method, label, caller });
      if (why !== undefined) refuse(new PermissionDenied(why, { limit: "policy" }));
      // The policy may have cut it, or used up what was left.
      this.#checkUncut(method);
      for (const limit of counting) {
        const why = limit.refuses(call);
        if (why !== undefined) refuse(new PermissionDenied(why, { limit: limit.kind }));
      }
    }
    if (isInward) recordUse(call, counting, watcher);
  }

  /** Why one of the policies refuses a call. */
  #refusalOf(call: MembraneCall): string | undefined {
    for (const policy of this.#asked) {
      const why = refusal(policy, call, this.#failed);
      if (why !== undefined) return why;
      if (this.#end === "revoked") return undefined;
    }
    return undefined;
  }

  readonly #failed = (thrown: unknown): void => {
    this.#parts.trace({ type: "callback-failed", where: "membrane policy", error: toError(thrown) });
  };

  #checkUncut(method: string): void {
    if (this.#end === "revoked") throw this.cut(method)!;
  }

  /** Nothing leads through it any more, and nothing is kept by it. */
  #forget(): void {
    this.#standIns = { inside: new WeakMap(), outside: new WeakMap() };
    this.#origins = new WeakMap();
    this.#enclosed = undefined;
  }
}

function opposite(side: Side): Side {
  return side === "inside" ? "outside" : "inside";
}

function isAtom(value: unknown): boolean {
  return (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol") ||
    value === null;
}

function isReference(value: unknown): value is object {
  return value instanceof Referenceable || value instanceof RemoteHandle || value instanceof Callable ||
    value instanceof RemotePromise;
}

function invoke(
  target: object,
  method: string,
  args: unknown[],
  context: CallContext,
  sending: SendingOptions | undefined,
): unknown {
  if (target instanceof Referenceable) return target.doRemoteCall(method, args, context);
  if (target instanceof Callable) return callFunction(target.call, args, context);
  const { options = {}, wantsAnswer = true } = sending ?? {};
  const crossed = RemoteHandle.isReleased(target as RemoteHandle)
    ? undefined
    : CrossedHandle.of(target as RemoteHandle);
  // Another membrane: it is the same caller's call still.
  if (crossed !== undefined) return crossed.forward(method, args, context, { options, wantsAnswer });
  if (wantsAnswer) return RemoteHandle.send(target as RemoteHandle, method, args, options);
  return RemoteHandle.sendOnly(target as RemoteHandle, method, args, options);
}
