/**
 * What one side of a membrane has of the other side's objects: something of the same kind, that forwards.
 *
 * @module
 */

import { Callable, type Publishable } from "../../broker/callable.ts";
import { type CallContext, currentCall } from "../../broker/call_context.ts";
import { localContext } from "../../broker/local_call.ts";
import { Referenceable } from "../../broker/referenceable.ts";
import { RemoteHandle } from "../../broker/remote_handle.ts";
import { RemoteFunction } from "../../broker/remote_reference.ts";
import type { InterfaceRules } from "../../graph/schema/method_schema.ts";

/** What stands behind a shell. */
export interface Behind {
  /** What calls go to; `undefined` when the membrane was cut. */
  target(shell: object): object | undefined;
  /** Lets a call pass. */
  pass(shell: object, method: string, args: readonly unknown[], context: CallContext): unknown;
}

class Shell extends Referenceable {
  readonly #behind: Behind;

  constructor(behind: Behind) {
    super();
    this.#behind = behind;
  }
  override doRemoteCall(name: string, args: unknown[], context: CallContext): unknown {
    return this.#behind.pass(this, name, args, context);
  }
  override getInterface(): InterfaceRules | undefined {
    const target = this.#behind.target(this);
    return target instanceof Referenceable ? target.getInterface() : undefined;
  }
  override getInterfaceName(): string | undefined {
    const target = this.#behind.target(this);
    if (target instanceof Referenceable) return target.getInterfaceName();
    return target instanceof RemoteHandle
      ? RemoteHandle.trackerOf(target).interfaceName || undefined
      : undefined;
  }
}

/** The shell of an object, or of a function. */
export function shellOf(target: object, behind: Behind): Publishable {
  if (!(target instanceof Callable || target instanceof RemoteFunction)) return new Shell(behind);
  const shell: Callable = new Callable((...args: unknown[]) =>
    behind.pass(shell, "", args, currentCall() ?? localContext("", false))
  );
  return shell;
}
