/**
 * What the holder of a capability holds: an object, or function, of its own that forwards calls to the target.
 *
 * @module
 */

import { Callable, type Publishable } from "../broker/callable.ts";
import { type CallContext, currentCall } from "../broker/call_context.ts";
import { localContext } from "../broker/local_call.ts";
import { Referenceable } from "../broker/referenceable.ts";
import type { InterfaceRules } from "../graph/schema/method_schema.ts";
import type { Gate } from "./gate.ts";

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
  const facet = gate.target instanceof Callable ? new Callable(functionOf(gate)) : new Facet(gate);
  gate.facet = facet;
  return facet;
}

/** A function is called without a context: whose call it is, the turn says. */
function functionOf(gate: Gate): (...args: unknown[]) => unknown {
  return (...args) => gate.pass("", args, currentCall() ?? localContext("", false));
}
