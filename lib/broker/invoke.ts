/**
 * The call of a method or function of ours, on behalf of a peer.
 *
 * @module
 */

import { Callable } from "./callable.ts";
import { type InboundCall, localContext } from "./call.ts";
import type { CallContext } from "./call_context.ts";

type AnyCall = (...args: unknown[]) => unknown;

/** Functions that are told whose call it is. */
const contextual = new WeakMap<AnyCall, (args: unknown[], context: CallContext) => unknown>();

/** Makes a call. Gives and throws what the callee does. */
export function invoke({ target, method, args, context }: InboundCall): unknown {
  return typeof target === "function"
    ? callFunction(target, args, context)
    : target!.doRemoteCall(method, args, context);
}

/** Calls a function that travels by reference, on behalf of whom the context names. */
export function callFunction(
  call: (...args: never[]) => unknown,
  args: unknown[],
  context: CallContext,
): unknown {
  const told = contextual.get(call as AnyCall);
  return told === undefined ? (call as AnyCall)(...args) : told(args, context);
}

/**
 * A function that is told whose call it is, as `doRemoteCall` of an object is: what stands before another function and asks.
 * Where the program itself calls it, nobody is vouched for, whomever it serves just then.
 */
export function contextualCallable(call: (args: unknown[], context: CallContext) => unknown): Callable {
  const own: AnyCall = (...args) => call(args, localContext("", false));
  contextual.set(own, call);
  return new Callable(own);
}
