/**
 * Calls of objects and functions of this process by a client of Perspective Broker: with all that Foolscap asks of a call by a
 * peer, its RemoteInterface and the Deno permissions that its class declares.
 *
 * @module
 */

import type { InboundCall } from "../broker/call.ts";
import { type CallContext, runInCall } from "../broker/call_context.ts";
import { Callable, type Publishable } from "../broker/callable.ts";
import { checkArguments, checkResult, rulesOf } from "../broker/inbound_rules.ts";
import { invoke } from "../broker/invoke.ts";
import { PermissionDenied } from "../errors.ts";
import { requiredBy } from "../registry/requirements.ts";
import { PermissionLimit } from "../registry/limits.ts";
import { denoPermissions } from "../tub/deno_permissions.ts";

/** By object: what its class requires; `null` for nothing. */
const limits = new WeakMap<Publishable, PermissionLimit | null>();

/**
 * Calls an object, or a function.
 *
 * @param method The method's name, empty for a function.
 * @returns The result, or a promise of it.
 * @throws What it throws; a {@linkcode Violation} or {@linkcode PermissionDenied} if it may not be called so.
 */
export function deliverLocally(
  object: Publishable,
  method: string,
  args: unknown[],
  context: CallContext,
): unknown {
  const target = object instanceof Callable ? object.call as (...args: unknown[]) => unknown : object;
  let call: InboundCall = { requestId: 1, target, method, args, context, rules: rulesOf(target, method) };
  const why = limitOf(object)?.refuses({ method, context });
  if (why !== undefined) throw new PermissionDenied(why, { limit: "requires" });
  if (call.rules !== undefined) call = checkArguments(call);
  const result = runInCall(context, invoke, call);
  if (call.rules?.response === undefined) return result;
  return result instanceof Promise
    ? result.then((value) => checkResult(call, value))
    : checkResult(call, result);
}

function limitOf(object: Publishable): PermissionLimit | undefined {
  let limit = limits.get(object);
  if (limit === undefined) {
    const requires = requiredBy(object);
    limit = requires.length === 0 ? null : new PermissionLimit(requires, denoPermissions);
    limits.set(object, limit);
  }
  return limit ?? undefined;
}
