/**
 * What a call is.
 *
 * @module
 */

import { kindOf } from "../graph/schema/checking.ts";
import type { Constraint } from "../graph/schema/constraint.ts";
import { makeConstraint } from "../graph/schema/make_constraint.ts";
import { isMethodRules, type MethodRules } from "../graph/schema/method_schema.ts";
import type { Shortcut } from "../graph/schema/shortcuts.ts";
import { MAX_TIMER_MS } from "../limits.ts";
import { quoteForeign } from "../util/text.ts";
import { CallContext, type CallTime, type PeerInfo, runInCall } from "./call_context.ts";
import type { Referenceable } from "./referenceable.ts";

/** Who calls: nobody from outside. */
const HERE: PeerInfo = { tubId: undefined, address: "local" };

/** The context of a call that comes from this process. */
export function localContext(method: string, isCancellable: boolean, time?: CallTime): CallContext {
  return new CallContext(HERE, method, isCancellable, time);
}

/** Makes a call. Arguments and result are not copied. */
export function callLocally(
  object: Referenceable,
  name: string,
  args: readonly unknown[],
  context: CallContext,
): Promise<unknown> {
  return runInCall(context, (args) => run(object, name, args, context), [...args]);
}

async function run(
  object: Referenceable,
  name: string,
  args: unknown[],
  context: CallContext,
): Promise<unknown> {
  try {
    return await object.doRemoteCall(name, args, context);
  } finally {
    context.end();
  }
}

/** A call of the peer, complete and about to be delivered. */
export interface InboundCall {
  /** 0: no answer is wanted. */
  readonly requestId: number;
  /**
   * The object or function that is called; `undefined` is this end's broker itself. Where the peer calls a result that is
   * an object of somebody else's: a function that passes the call on.
   */
  readonly target: Referenceable | ((...args: unknown[]) => unknown) | undefined;
  /** The method's name, empty for a function. */
  readonly method: string;
  /** Positional arguments; keyword arguments are a last element of class `Kwargs`. */
  readonly args: unknown[];
  /** What the target's RemoteInterface says about the method; `undefined` if there is none. */
  readonly rules: MethodRules | undefined;
  readonly context: CallContext;
}

/** A call of ours, about to be sent. */
export interface OutboundCall {
  /** The peer's number of the object; 0 is the peer's broker itself, `undefined` a result that only the peer has yet. */
  readonly clid: number | undefined;
  readonly method: string;
  readonly args: readonly unknown[];
  /** Whether an answer is wanted. */
  readonly wantsAnswer: boolean;
}

/** Options of one call: `ref.with({ signal, timeoutMs })`. */
export interface CallOptions {
  /**
   * Gives the call up: it fails at once with the signal's reason, and what the peer answers later is dropped. A peer of
   * this library is told, without the reason: a call that it has not begun it forgets, and the method of one that it has
   * begun sees the `signal` of its {@linkcode CallContext} fire. Python has no such message: its method goes on.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Gives the call up after this many milliseconds, with a `TimeoutError`. A peer of this library learns how long it has:
   * the `deadline` of its {@linkcode CallContext}.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether the call has nothing to do with the one that is being served where it is made. Else it is given up with that
   * one, and waits no longer than the time that is left for it: see {@linkcode currentCall}. For what has to be done in any
   * case, such as giving back what was taken.
   *
   * @default false
   */
  readonly detached?: boolean | undefined;
  /**
   * Whether the object's RemoteInterface, where this process knows it, is asked about the call. Foolscap:
   * `_useSchema`.
   *
   * @default true
   */
  readonly useSchema?: boolean | undefined;
  /** Rules for this call instead of those of the RemoteInterface. Foolscap: `_methodConstraint`. */
  readonly methodConstraint?: MethodRules | undefined;
  /**
   * The rule for this call's result instead of the method's, as a constraint or what stands for one; `undefined`: any will
   * do. Foolscap: `_resultConstraint`.
   *
   * @default what the method's rules say
   */
  readonly resultConstraint?: Shortcut | undefined;
}

/** Options of a call, looked through once for all calls that they are for. */
export interface CheckedOptions extends Omit<CallOptions, "resultConstraint"> {
  /** The rule for the result, made once. */
  readonly resultConstraint?: Constraint | undefined;
  /**
   * When whoever has made the call for the program gives it up by its signal, in milliseconds since 1970: no timer here, and
   * the peer is told.
   */
  readonly deadline?: number | undefined;
  /**
   * Behind whose calls it waits, where one has to wait for an argument: those of this, and not those of the object.
   *
   * @default those of the object
   */
  readonly line?: object | undefined;
}

/** What a call has that nothing was said about. */
export const NO_OPTIONS: CheckedOptions = Object.freeze({});

/** What gives up whatever one waits for. */
type WaitOptions = Pick<CallOptions, "signal" | "timeoutMs">;

const WAIT_NAMES: Readonly<Record<keyof WaitOptions, true>> = { signal: true, timeoutMs: true };
const NAMES: Readonly<Record<keyof CallOptions, true>> = {
  ...WAIT_NAMES,
  detached: true,
  useSchema: true,
  methodConstraint: true,
  resultConstraint: true,
};

/**
 * Checks the options of a call where the program gives them, so that the call itself cannot throw.
 *
 * @throws {UnknownSchemaType} If `resultConstraint` cannot be a constraint.
 * @throws {RangeError} If `timeoutMs` is not from 0 to 2,147,483,647.
 * @throws {TypeError} If an option is of another type, or there is none of a name.
 */
export function checkCallOptions(options: CallOptions): CheckedOptions {
  checkNamesAndWait(options, NAMES, "Cannot call");
  const { methodConstraint, resultConstraint } = options;
  for (const name of ["detached", "useSchema"] as const) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === "boolean") continue;
    throw new TypeError(`Cannot call: ${name} is ${kindOf(value)}, and has to be true or false`);
  }
  if (methodConstraint !== undefined && !isMethodRules(methodConstraint)) {
    throw new TypeError(
      `Cannot call: methodConstraint is ${
        kindOf(methodConstraint)
      }, and has to be what schema.method() makes`,
    );
  }
  if (resultConstraint === undefined) return options as CheckedOptions;
  return { ...options, resultConstraint: makeConstraint(resultConstraint) };
}

/**
 * Checks how long the program waits for something that is no call.
 *
 * @param doing What cannot be done with wrong ones, such as `Cannot get reference`.
 * @throws {RangeError} If `timeoutMs` is not from 0 to 2,147,483,647.
 * @throws {TypeError} If an option is of another type, or there is none of a name.
 */
export function checkWaitOptions(options: WaitOptions, doing: string): void {
  checkNamesAndWait(options, WAIT_NAMES, doing);
}

function checkNamesAndWait(options: WaitOptions, names: Readonly<Record<string, true>>, doing: string): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `${doing}: the options are ${kindOf(options)}, not an object such as { timeoutMs: 500 }`,
    );
  }
  // One that is misspelt would leave a call without its limit.
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    throw new TypeError(
      `${doing}: there is no option ${quoteForeign(name, 64)}; it is one of ${Object.keys(names).join(", ")}`,
    );
  }
  const { signal, timeoutMs } = options;
  if (timeoutMs !== undefined && typeof timeoutMs !== "number") {
    throw new TypeError(
      `${doing}: timeoutMs is ${kindOf(timeoutMs)}, and has to be a number of milliseconds, such as 500`,
    );
  }
  if (timeoutMs !== undefined && !(timeoutMs >= 0 && timeoutMs <= MAX_TIMER_MS)) {
    throw new RangeError(`${doing}: timeoutMs is ${timeoutMs}, and has to be from 0 to ${MAX_TIMER_MS}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(
      `${doing}: signal is ${kindOf(signal)}, and has to be an AbortSignal, such as an AbortController has`,
    );
  }
}
