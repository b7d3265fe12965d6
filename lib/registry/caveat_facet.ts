/**
 * The facet of an attenuated FURL.
 *
 * @module
 */

import { Callable, type Publishable } from "../broker/callable.ts";
import { type CallContext, currentCall } from "../broker/call_context.ts";
import { localContext } from "../broker/local_call.ts";
import { Referenceable } from "../broker/referenceable.ts";
import { PermissionDenied } from "../errors.ts";
import type { InterfaceRules } from "../graph/schema/method_schema.ts";
import type { EndableFacet } from "./caveat_names.ts";
import type { Limit } from "./limit.ts";

class Gate {
  constructor(readonly target: Publishable, readonly limits: readonly Limit[]) {}
  async pass(method: string, args: unknown[], context: CallContext): Promise<unknown> {
    const call = { method, context };
    const ask = (limit: Limit) => {
      const why = limit.refuses(call);
      if (why !== undefined) throw new PermissionDenied(why);
    };
    this.limits.forEach(ask);
    for (const limit of this.limits) limit.count?.(call);
    const { target } = this;
    const result = target instanceof Referenceable
      ? await target.doRemoteCall(method, args, context)
      : await (target.call as (...args: unknown[]) => unknown)(...args);
    ask(this.limits[0]!);
    return result;
  }
}
class Facet extends Referenceable {
  constructor(readonly gate: Gate) {
    super();
  }
  override doRemoteCall(name: string, args: unknown[], context: CallContext): unknown {
    return this.gate.pass(name, args, context);
  }
  override getInterface(): InterfaceRules | undefined {
    return this.gate.target instanceof Referenceable ? this.gate.target.getInterface() : undefined;
  }
}
export function makeFacet(target: Publishable, limits: readonly Limit[]): EndableFacet {
  const gate = new Gate(target, limits);
  const facet = target instanceof Callable
    ? new Callable((...args: unknown[]) => gate.pass("", args, currentCall() ?? localContext("", false)))
    : new Facet(gate);
  return { facet, end: () => {} };
}
